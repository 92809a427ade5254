"""What is examined, and how a step of the examination went."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from azure.core.credentials import AccessToken

from azure_certvar_credential import CertVarCredential, ClientCertificate
from azure_certvar_credential._cli.certificates import NamedCertificate
from azure_certvar_credential._cli.doctor.diagnosis import Diagnosis
from azure_certvar_credential._cli.options import DEFAULT_CERTIFICATE
from azure_certvar_credential._cli.sign_in import SignIn
from azure_certvar_credential._core.exchange import Response

State = Literal["good", "note", "warning", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a step went.

    :ivar state: ``warning`` needs attention and does not end the examination.
    :ivar detail: what was seen.
    :ivar diagnosis: of a failure, and of a warning.
    """

    state: State
    detail: str
    diagnosis: Diagnosis | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A step that was taken, or left out.

    :ivar name: its name.
    :ivar outcome: how it went.
    """

    name: str
    outcome: Outcome

    def as_json(self) -> dict[str, Any]:
        """Return the documented shape."""
        diagnosis = self.outcome.diagnosis
        return {
            "step": self.name,
            "state": self.outcome.state,
            "detail": self.outcome.detail,
            "diagnosis": diagnosis.as_json() if diagnosis else None,
        }


@dataclass(slots=True)
class Case:
    """What is examined, and what the steps have found so far."""

    named: NamedCertificate
    tenant_id: str | None
    client_id: str | None
    sign_in: Callable[[str, str], SignIn]
    scope: str
    timeout: float
    certificate: ClientCertificate = field(init=False)
    credential: CertVarCredential = field(init=False)
    options: dict[str, Any] = field(default_factory=dict)
    endpoint: str = ""
    proxy: str | None = None
    metadata: Response = field(init=False)
    token: AccessToken = field(init=False)

    @property
    def names(self) -> dict[str, str]:
        """The values in commands and pages."""
        place = "" if self.named.name == DEFAULT_CERTIFICATE else f" --certificate {self.named.name}"
        return {"client": self.client_id or "CLIENT_ID", "certificate": place}
