"""From the options of the sign-in, or azure-identity's variables, to a credential."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from azure_certvar_credential import CertVarCredential, ClientCertificate


@dataclass(frozen=True, slots=True)
class SignIn:
    """Whom to sign in, and where.

    :ivar tenant_id: the tenant's GUID or domain name.
    :ivar client_id: the application's id.
    :ivar authority: the sign-in host; None for the public cloud's.
    :ivar trust_authority: trust an authority that is not one of Microsoft's.
    :ivar send_chain: send the certificate's chain.
    :ivar ca_file: the certificate authorities that the server is verified with; None for the usual ones.
    """

    tenant_id: str
    client_id: str
    authority: str | None = None
    trust_authority: bool = False
    send_chain: bool = False
    ca_file: Path | None = None

    def arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of :class:`.CertVarCredential`, all but the certificate."""
        verify = {} if self.ca_file is None else {"connection_verify": str(self.ca_file)}
        return {
            "tenant_id": self.tenant_id,
            "client_id": self.client_id,
            "authority": self.authority or None,
            # An assertion that is sent to this computer itself goes to no stranger.
            "disable_instance_discovery": self.trust_authority or is_loopback(self.authority or ""),
            "send_certificate_chain": self.send_chain,
            **verify,
        }

    def credential(
        self, certificate: ClientCertificate | Callable[[], ClientCertificate], **options: Any
    ) -> CertVarCredential:
        """Make the credential.

        :param certificate: the certificate or its source.
        :param options: further keyword arguments of the class.
        :raises ConfigurationError, CertificateError: as :class:`.CertVarCredential` says.
        """
        from azure_certvar_credential import CertVarCredential

        # A command says by itself when the certificate ends.
        options = {"expiry_warning_days": 0, **options}
        return CertVarCredential(certificate=certificate, **self.arguments(), **options)


def is_loopback(address: str) -> bool:
    """Return whether a host or URL is this computer's loopback interface."""
    try:
        host = urlsplit(address if "://" in address else f"//{address}").hostname or ""
    except ValueError:  # not a URL; its user says so
        return False
    return host in ("localhost", "::1") or host.startswith("127.")
