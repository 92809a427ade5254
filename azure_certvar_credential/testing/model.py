"""The directory: tenants, the applications in them and the certificates of those, all of it in memory."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from azure_certvar_credential.testing.credentials import CertificateLike, KeyCredential, load_certificate

_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DNS_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})+")


@dataclass(frozen=True, slots=True)
class Tenant:
    """A directory of Entra.

    :ivar tenant_id: a GUID.
    :ivar domains: the verified domains, by which the tenant may be called as well.
    """

    tenant_id: str
    domains: tuple[str, ...]


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
    """

    def __init__(
        self,
        client_id: str,
        tenant_id: str,
        roles: Sequence[str],
        allowed_resources: Iterable[str] | None,
        trusted_issuers: Iterable[tuple[str, CertificateLike]],
    ) -> None:
        self.client_id = client_id
        self.tenant_id = tenant_id
        self.roles = tuple(roles)
        self.allowed_resources = (
            None if allowed_resources is None else frozenset(r.rstrip("/") for r in allowed_resources)
        )
        self.trusted_issuers = tuple(TrustedIssuer(name, load_certificate(ca)) for name, ca in trusted_issuers)
        self._lock = threading.Lock()
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

    def __repr__(self) -> str:
        return f"<Application {self.client_id} of tenant {self.tenant_id}, {len(self._credentials)} certificate(s)>"


@dataclass(slots=True)
class Directory:
    """Every tenant, application and resource that the emulator knows; safe to use from many threads."""

    known_resources: frozenset[str] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _tenants: dict[str, Tenant] = field(default_factory=dict)
    _applications: dict[str, Application] = field(default_factory=dict)
    _resource_versions: dict[str, int] = field(default_factory=dict)

    def add_tenant(self, tenant: Tenant) -> None:
        """Store a tenant under its id and its domains.

        :raises ValueError: one of these names is taken.
        """
        names = [name.lower() for name in (tenant.tenant_id, *tenant.domains)]
        with self._lock:
            taken = [name for name in names if name in self._tenants]
            if taken:
                raise ValueError(f"there is a tenant called {', '.join(taken)} already")
            self._tenants.update(dict.fromkeys(names, tenant))

    def tenant(self, name: str) -> Tenant | None:
        """Find a tenant by its id or one of its domains."""
        return self._tenants.get(name.lower())

    def tenants(self) -> tuple[Tenant, ...]:
        """All tenants."""
        with self._lock:
            return tuple(dict.fromkeys(self._tenants.values()))

    def add_application(self, application: Application) -> None:
        """Store an application.

        :raises ValueError: its client id is taken.
        """
        with self._lock:
            if application.client_id.lower() in self._applications:
                raise ValueError(f"there is an application {application.client_id} already")
            self._applications[application.client_id.lower()] = application

    def application(self, client_id: str) -> Application | None:
        """Find an application by its client id."""
        return self._applications.get(client_id.lower())

    def applications(self) -> tuple[Application, ...]:
        """All applications."""
        with self._lock:
            return tuple(self._applications.values())

    def set_resource(self, resource: str, version: int) -> None:
        """Make a resource known, and say which form of token it takes."""
        with self._lock:
            self._resource_versions[resource.rstrip("/").lower()] = version

    def resource_version(self, resource: str) -> int | None:
        """The form of token, 1 or 2, that ``resource`` takes; None if the directory does not know it."""
        name = resource.rstrip("/").lower()
        version = self._resource_versions.get(name)
        if version is None and (self.known_resources is None or name in self.known_resources):
            version = 1
        return version


def is_tenant_name(name: str) -> bool:
    """Tell whether ``name`` could be a tenant at all: a GUID or a DNS name."""
    try:
        uuid.UUID(name)
    except ValueError:
        return _DNS_NAME.fullmatch(name) is not None
    return True
