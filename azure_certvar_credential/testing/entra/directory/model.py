"""What is in the directory: tenants, their users and applications, and the credentials of those."""

from __future__ import annotations

import base64
import threading
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from azure_certvar_credential.testing.credentials import CertificateLike, KeyCredential, load_certificate


@dataclass(frozen=True, slots=True)
class Tenant:
    """A directory of Entra.

    :ivar tenant_id: a GUID.
    :ivar domains: the verified domains, by which the tenant may be called as well.
    """

    tenant_id: str
    domains: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class User:
    """A person in the directory; made by ``EntraEmulator.add_user``.

    :ivar object_id: a GUID, the ``oid`` of the user's tokens.
    :ivar tenant_id: the tenant in which the user is.
    :ivar user_principal_name: such as ``adele.vance@contoso.onmicrosoft.com``.
    :ivar name: to be shown.
    """

    object_id: str
    tenant_id: str
    user_principal_name: str
    name: str


@dataclass(frozen=True, slots=True)
class FederatedCredential:
    """A federated identity credential: whose token stands for a certificate.

    https://learn.microsoft.com/entra/workload-id/workload-identity-federation

    :ivar issuer: the token's ``iss``.
    :ivar subject: its ``sub``.
    :ivar audience: its ``aud``, or the identifier of the resource that has it.
    """

    issuer: str
    subject: str
    audience: str


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """A rule of subject-name-and-issuer authentication.

    :ivar subject_name: the common name or DNS name that the leaf must have.
    :ivar authority: the certificate authority under which it must have been issued.
    """

    subject_name: str
    authority: x509.Certificate


class Application:
    """An application registration with its service principal; made by ``EntraEmulator.add_application``.

    Its methods may be called from any thread while requests are under way.

    :ivar client_id: the application id, a GUID.
    :ivar tenant_id: the home tenant.
    :ivar roles: the application roles that its tokens carry.
    :ivar allowed_resources: the resources it may ask tokens for; None means any.
    :ivar identifiers: the client id, ``api://<client id>`` and the App ID URIs: how it is called as a resource.
    """

    def __init__(
        self,
        client_id: str,
        tenant_id: str,
        *,
        roles: Sequence[str] = (),
        allowed_resources: Iterable[str] | None = None,
        trusted_issuers: Iterable[tuple[str, CertificateLike]] = (),
        identifier_uris: Sequence[str] = (),
        delegated_scopes: Iterable[str] | None = None,
    ) -> None:
        self.client_id = client_id
        self.tenant_id = tenant_id
        self.roles = tuple(roles)
        self.allowed_resources = (
            None if allowed_resources is None else frozenset(r.rstrip("/") for r in allowed_resources)
        )
        self.trusted_issuers = tuple(TrustedIssuer(name, load_certificate(ca)) for name, ca in trusted_issuers)
        self.identifiers = (client_id, f"api://{client_id}", *(uri.rstrip("/") for uri in identifier_uris))
        self._lock = threading.Lock()
        self._consented = None if delegated_scopes is None else frozenset(delegated_scopes)
        self._federated: tuple[FederatedCredential, ...] = ()
        self._credentials: tuple[KeyCredential, ...] = ()
        self._revoked: frozenset[bytes] = frozenset()
        self._policies: tuple[str, ...] = ()
        self._enabled = True
        self._object_ids: dict[str, str] = {tenant_id: str(uuid.uuid4())}

    @property
    def enabled(self) -> bool:
        """Whether its service principals may sign in."""
        return self._enabled

    @property
    def credentials(self) -> tuple[KeyCredential, ...]:
        """The registered certificates."""
        return self._credentials

    @property
    def federated_credentials(self) -> tuple[FederatedCredential, ...]:
        """The federated identity credentials."""
        return self._federated

    @property
    def consented_scopes(self) -> frozenset[str] | None:
        """The permissions it may use on behalf of users, ``resource/Name`` each; None means any."""
        return self._consented

    @property
    def conditional_access_policies(self) -> tuple[str, ...]:
        """The ids of the Conditional Access policies that block it; empty if none does."""
        return self._policies

    @property
    def object_ids(self) -> Mapping[str, str]:
        """The object id of its service principal in each tenant that has one."""
        return self._object_ids

    def register(self, certificate: CertificateLike) -> str:
        """Upload a certificate.

        :param certificate: in any form that :func:`load_certificate` takes; the public half is enough.
        :returns: its thumbprint as the portal shows it, upper-case hex of the SHA-1.
        """
        credential = KeyCredential.of(load_certificate(certificate))
        with self._lock:
            self._credentials = (*(c for c in self._credentials if c.sha256 != credential.sha256), credential)
        return credential.sha1.hex().upper()

    def unregister(self, thumbprint: str) -> None:
        """Remove a certificate.

        :param thumbprint: its SHA-1 or SHA-256 in hex, in any case, with or without colons.
        :raises KeyError: no registered certificate has it.
        """
        wanted = bytes.fromhex(thumbprint.replace(":", ""))
        with self._lock:
            rest = tuple(c for c in self._credentials if not c.is_called(wanted))
            if len(rest) == len(self._credentials):
                raise KeyError(f"no certificate with thumbprint {thumbprint} is registered on {self.client_id}")
            self._credentials = rest

    def revoke(self, certificate: CertificateLike) -> None:
        """Refuse a certificate from now on with AADSTS7000214, as if its authority had revoked it."""
        fingerprint = load_certificate(certificate).fingerprint(hashes.SHA256())
        with self._lock:
            self._revoked |= {fingerprint}

    def is_revoked(self, certificate: x509.Certificate) -> bool:
        """Tell whether :meth:`revoke` was called for ``certificate``."""
        return certificate.fingerprint(hashes.SHA256()) in self._revoked

    def disable(self) -> None:
        """Refuse every request from now on with AADSTS7000112."""
        self._enabled = False

    def enable(self) -> None:
        """Undo :meth:`disable`."""
        self._enabled = True

    def block_by_conditional_access(self, *policy_ids: str) -> None:
        """Refuse every request with AADSTS53003 and a claims challenge that names these policies; none: unblock."""
        self._policies = policy_ids

    def add_service_principal(self, tenant: Tenant) -> None:
        """Let the application sign in to another tenant than its own (else AADSTS7000229)."""
        with self._lock:
            self._object_ids = {**self._object_ids, tenant.tenant_id: str(uuid.uuid4())}

    def is_called(self, name: str) -> bool:
        """Tell whether ``name`` is one of :attr:`identifiers`."""
        return name.rstrip("/").lower() in (identifier.lower() for identifier in self.identifiers)

    def consent(self, *scopes: str) -> None:
        """Let it use permissions on behalf of users that it was refused with AADSTS65001.

        :param scopes: such as ``https://graph.microsoft.com/Mail.Read``.
        """
        with self._lock:
            if self._consented is not None:
                self._consented |= frozenset(scopes)

    def trust_federated(self, *, issuer: str, subject: str, audience: str = "api://AzureADTokenExchange") -> None:
        """Take the tokens of another identity in the place of a certificate's assertion.

        They have to be tokens of this emulator, whose key it verifies them with.

        :param issuer: their ``iss``, such as ``https://login.microsoftonline.com/<tenant id>/v2.0``; letter by letter.
        :param subject: their ``sub``, see :meth:`fmi_subject`; letter by letter.
        :param audience: their ``aud``, or the resource's identifier.
        """
        with self._lock:
            self._federated = (*self._federated, FederatedCredential(issuer, subject, audience))

    def fmi_subject(self, fmi_path: str, *, tenant: Tenant | None = None) -> str:
        """The ``sub`` of the tokens that this application gets with ``fmi_path``.

        Captured in federated identity credentials of Entra: the GUIDs in Windows' byte order, the path as it is.

        :param fmi_path: the path, such as ``workers/7``.
        :param tenant: the tenant that issues; None for the home tenant.
        """
        ids = (tenant.tenant_id if tenant else self.tenant_id, self.client_id)
        encoded = [base64.urlsafe_b64encode(uuid.UUID(value).bytes_le).rstrip(b"=").decode() for value in ids]
        return f"/eid1/c/pub/t/{encoded[0]}/a/{encoded[1]}/{fmi_path.lstrip('/')}"

    def __repr__(self) -> str:
        return f"<Application {self.client_id} of tenant {self.tenant_id}, {len(self._credentials)} certificate(s)>"
