"""An assertion from elsewhere: another credential's token, which a federated identity credential trusts.

https://learn.microsoft.com/entra/workload-id/workload-identity-federation
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from azure_certvar_credential._core.client_authentication import ClientProof, assertion
from azure_certvar_credential._core.effects import Flow, LoadAssertion, Moment, Unanswered
from azure_certvar_credential._core.exchange import Response


@dataclass(frozen=True, slots=True)
class ProvidedAssertion:
    """Takes each assertion from the credential's assertion source, which sees to its own caching and renewal."""

    algorithm: ClassVar[str | None] = None
    about: ClassVar[str] = "client assertion came from assertion_source"

    def begin(self) -> Flow[ClientProof]:
        """Return itself: nothing is to be prepared."""
        yield from ()
        return self

    def assertion_for(self, audience: str) -> Flow[str]:  # noqa: ARG002 - whom it is for was decided elsewhere
        """Return the source's present assertion."""
        provided: str = yield LoadAssertion()
        return provided

    def fields(self, endpoint: str, moment: Moment) -> Flow[dict[str, str]]:  # noqa: ARG002 - the protocol's
        """Return the fields with the source's present assertion."""
        return assertion.fields((yield LoadAssertion()))

    def recovers(self, failure: Exception, answer: Response | Unanswered, moment: Moment) -> Flow[bool]:  # noqa: ARG002
        """Say no: neither its times nor its key are ours to change."""
        yield from ()
        return False
