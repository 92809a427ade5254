"""The entries of the directory: tenants, users and applications."""

from __future__ import annotations

import base64
import threading
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from azure_certvar_credential.testing.credentials import CertificateLike, KeyCredential, load_certificate
from azure_certvar_credential.testing.entra.directory.resources import TOKEN_EXCHANGE
from azure_certvar_credential.testing.entra.directory.trust import FederatedCredential, TrustedIssuer


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant of Entra.

    >>> entra.tenant.domains
    ('contoso.onmicrosoft.com',)

    :ivar tenant_id: its id, a GUID.
    :ivar domains: its verified domains, which clients may use in place of the GUID.
    """

    tenant_id: str
    domains: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class User:
    """A user in the directory; made by ``EntraEmulator.add_user``.

    >>> entra.add_user("Adele Vance").user_principal_name
    'adele.vance@contoso.onmicrosoft.com'

    :ivar object_id: a GUID, the ``oid`` of the user's tokens.
    :ivar tenant_id: the user's tenant.
    :ivar user_principal_name: such as ``adele.vance@contoso.onmicrosoft.com``.
    :ivar name: the display name.
    :ivar agent_id: the agent identity whose account it is; empty for a person.
    """

    object_id: str
    tenant_id: str
    user_principal_name: str
    name: str
    agent_id: str = ""


class Application:
    """An application registration with its service principal; made by ``EntraEmulator.add_application``.

    Its methods are thread-safe.

    >>> application = entra.add_application(certificate)
    >>> credential = CertVarCredential(
    ...     application.tenant_id, application.client_id, certificate, transport=entra.transport()
    ... )

    :ivar client_id: the application id, a GUID.
    :ivar tenant_id: the home tenant.
    :ivar roles: the application roles that its tokens carry.
    :ivar allowed_resources: the resources it may request tokens for; None for all.
    :ivar identifiers: its identifiers as a resource: the client id, ``api://<client id>`` and the App ID URIs.
    :ivar blueprint: the blueprint of an agent identity; None for any other application.
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
        blueprint: Application | None = None,
    ) -> None:
        self.blueprint = blueprint
        self._has_agents = False
        if blueprint is not None:
            blueprint._has_agents = True  # noqa: SLF001 - of this class
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
    def has_agents(self) -> bool:
        """Whether it is the blueprint of an agent identity."""
        return self._has_agents

    @property
    def federated_credentials(self) -> tuple[FederatedCredential, ...]:
        """The federated identity credentials."""
        return self._federated

    @property
    def consented_scopes(self) -> frozenset[str] | None:
        """The permissions it may use on behalf of users, each as ``resource/Name``; None for all."""
        return self._consented

    @property
    def conditional_access_policies(self) -> tuple[str, ...]:
        """The ids of the Conditional Access policies that block it; empty for none."""
        return self._policies

    @property
    def object_ids(self) -> Mapping[str, str]:
        """The object id of its service principal in each tenant that has one."""
        return self._object_ids

    def register(self, certificate: CertificateLike) -> str:
        """Upload a certificate.

        >>> application.register(other_certificate) == other_certificate.thumbprint
        True

        :param certificate: PEM as text or bytes, DER, an ``x509.Certificate``, or an object with ``public_der()``; the
            public half is enough.
        :returns: its SHA-1 thumbprint in upper-case hex, as the portal shows it.
        """
        credential = KeyCredential.of(load_certificate(certificate))
        with self._lock:
            self._credentials = (*(c for c in self._credentials if c.sha256 != credential.sha256), credential)
        return credential.sha1.hex().upper()

    def unregister(self, thumbprint: str) -> None:
        """Remove a certificate.

        >>> application.unregister(certificate.thumbprint)

        :param thumbprint: its SHA-1 or SHA-256 in hex, in any case, with or without colons.
        :raises KeyError: no registered certificate has this thumbprint.
        """
        wanted = bytes.fromhex(thumbprint.replace(":", ""))
        with self._lock:
            rest = tuple(c for c in self._credentials if not c.is_called(wanted))
            if len(rest) == len(self._credentials):
                raise KeyError(f"no certificate with thumbprint {thumbprint} is registered on {self.client_id}")
            self._credentials = rest

    def revoke(self, certificate: CertificateLike) -> None:
        """Revoke a certificate, as its authority would; AADSTS7000214 refuses it from now on.

        >>> application.revoke(certificate)
        """
        fingerprint = load_certificate(certificate).fingerprint(hashes.SHA256())
        with self._lock:
            self._revoked |= {fingerprint}

    def is_revoked(self, certificate: x509.Certificate) -> bool:
        """Return whether ``certificate`` is revoked.

        >>> application.is_revoked(certificate.leaf)
        False
        """
        return certificate.fingerprint(hashes.SHA256()) in self._revoked

    def disable(self) -> None:
        """Disable the application; AADSTS7000112 refuses its requests from now on.

        >>> application.disable()
        """
        self._enabled = False

    def enable(self) -> None:
        """Undo :meth:`disable`.

        >>> application.enable()
        """
        self._enabled = True

    def block_by_conditional_access(self, *policy_ids: str) -> None:
        """Refuse every request with AADSTS53003 and a claims challenge that names these policies; none to unblock.

        >>> application.block_by_conditional_access("00000000-0000-0000-0000-000000000001")
        """
        self._policies = policy_ids

    def add_service_principal(self, tenant: Tenant) -> None:
        """Let the application sign in to another tenant, which AADSTS7000229 refuses otherwise.

        >>> application.add_service_principal(entra.add_tenant(domains=["fabrikam.com"]))
        """
        with self._lock:
            self._object_ids = {**self._object_ids, tenant.tenant_id: str(uuid.uuid4())}

    def is_called(self, name: str) -> bool:
        """Return whether ``name`` is one of ``identifiers``.

        >>> application.is_called(f"api://{application.client_id}/")
        True
        """
        return name.rstrip("/").lower() in (identifier.lower() for identifier in self.identifiers)

    def consent(self, *scopes: str) -> None:
        """Consent to more permissions on behalf of users, which AADSTS65001 refuses otherwise.

        >>> application.consent("https://graph.microsoft.com/Mail.Read")

        :param scopes: such as ``https://graph.microsoft.com/Mail.Read``.
        """
        with self._lock:
            if self._consented is not None:
                self._consented |= frozenset(scopes)

    def trust_federated(self, *, issuer: str, subject: str, audience: str = TOKEN_EXCHANGE) -> None:
        """Accept the tokens of another identity in place of assertions that a certificate signs.

        The tokens must come from this emulator, which verifies them with its own key. Issuer and subject must match
        exactly.

        >>> issuer = f"https://login.microsoftonline.com/{application.tenant_id}/v2.0"
        >>> application.trust_federated(issuer=issuer, subject=application.fmi_subject("workers/7"))

        :param issuer: their ``iss``, such as ``https://login.microsoftonline.com/<tenant id>/v2.0``.
        :param subject: their ``sub``; see :meth:`fmi_subject`.
        :param audience: their ``aud``, or the identifier of the resource with that ``aud``.
        """
        with self._lock:
            self._federated = (*self._federated, FederatedCredential(issuer, subject, audience))

    def trusted_identities(self, tenant: Tenant, issuer: str) -> tuple[FederatedCredential, ...]:
        """Return the identities whose tokens authenticate it; those of an agent identity include its blueprint.

        >>> issuer = f"https://login.microsoftonline.com/{application.tenant_id}/v2.0"
        >>> application.trusted_identities(entra.tenant, issuer)
        ()

        :param tenant: the tenant that it signs in to.
        :param issuer: the ``iss`` of the tenant's tokens.
        """
        if self.blueprint is None:
            return self._federated
        subject = self.blueprint.fmi_subject(self.client_id, tenant=tenant)
        return (*self._federated, FederatedCredential(issuer, subject, TOKEN_EXCHANGE))

    def fmi_subject(self, fmi_path: str, *, tenant: Tenant | None = None) -> str:
        """Return the ``sub`` of the tokens that this application gets with ``fmi_path``.

        Captured in Entra's federated identity credentials: the GUIDs in Windows' byte order, then the path.

        >>> application.fmi_subject("workers/7")
        '/eid1/c/pub/t/.../a/.../workers/7'

        :param fmi_path: the path, such as ``workers/7``.
        :param tenant: the tenant that issues the tokens; None for the home tenant.
        """
        ids = (tenant.tenant_id if tenant else self.tenant_id, self.client_id)
        encoded = [base64.urlsafe_b64encode(uuid.UUID(value).bytes_le).rstrip(b"=").decode() for value in ids]
        return f"/eid1/c/pub/t/{encoded[0]}/a/{encoded[1]}/{fmi_path.lstrip('/')}"

    def __repr__(self) -> str:
        return f"<Application {self.client_id} of tenant {self.tenant_id}, {len(self._credentials)} certificate(s)>"
