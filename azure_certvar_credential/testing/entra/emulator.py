"""The local Entra as its users see it: :class:`EntraEmulator` and :class:`EntraServer`."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import urlsplit

from azure_certvar_credential.testing.credentials import CertificateLike
from azure_certvar_credential.testing.entra.claims import write_claims
from azure_certvar_credential.testing.entra.directory.model import Application, Tenant, User
from azure_certvar_credential.testing.entra.directory.resources import check_version
from azure_certvar_credential.testing.entra.directory.store import Directory
from azure_certvar_credential.testing.entra.grants.exchange import Backend
from azure_certvar_credential.testing.entra.grants.sessions import Sessions, make_demand
from azure_certvar_credential.testing.entra.protected import default_challenge
from azure_certvar_credential.testing.entra.records import RequestLog, record
from azure_certvar_credential.testing.entra.routes import find_route, is_token_request
from azure_certvar_credential.testing.entra.service import Service
from azure_certvar_credential.testing.entra.settings import Settings
from azure_certvar_credential.testing.entra.tokens import TokenIssuer, UserToken
from azure_certvar_credential.testing.faults import Fault, FaultQueue, Predicate
from azure_certvar_credential.testing.http import Request, Response, conditions_of
from azure_certvar_credential.testing.instance_metadata.emulator import IMDS_HOST, InstanceMetadataEmulator
from azure_certvar_credential.testing.server import TlsServer
from azure_certvar_credential.testing.transport import AsyncEmulatorTransport, EmulatorTransport


class EntraEmulator:
    """A local Microsoft Entra ID.

    It supports the client credentials, on-behalf-of, refresh token and agent user grants; certificates, subject name
    and issuer rules, and federated identity credentials; and the authorities of ``testing.entra.routes``.
    :meth:`handle` answers a request without I/O, at the time of ``clock``. :meth:`serve` serves it over loopback TLS;
    :meth:`transport` and :meth:`async_transport` connect azure-core's clients in process. All methods are thread-safe.

    :param strict: whether to refuse what production clients send against the standards: padded or standard base64,
        times that are floats or strings, an ``x5c`` that is one string or has line breaks, a missing ``iat``, ``nbf``
        or ``jti``, a lifetime other than 5 to 10 minutes, a reused ``jti``, a ``typ`` other than ``JWT``.
    :param clock: the server's time, seconds since the epoch.
    :param tenant_id: the GUID of the first tenant; None to generate one.
    :param known_resources: the identifiers of the resources in the directory; AADSTS500011 refuses any other. None
        for all.
    :param clock_skew: the tolerance for a client's clock, seconds.
    :param token_lifetime: the lifetime of an access token, seconds.
    :param refresh_in: the ``refresh_in`` of an answer, seconds; None for none.
    :param numbers_as_strings: whether ``expires_in`` and similar numbers are JSON strings.
    :param max_records: the number of requests that ``requests`` keeps.

    :ivar tenant: the first tenant.
    :ivar settings: strictness, clock skew, lifetimes; may be changed at any time.
    :ivar requests: the requests to the token endpoint, oldest first.
    :ivar faults: the faults that wait for a request.
    :ivar instance_metadata: the instance metadata service, which the in-process transports reach at its own address;
        set its ``location`` to simulate a computer in Azure.
    """

    def __init__(
        self,
        *,
        strict: bool = False,
        clock: Callable[[], float] = time.time,
        tenant_id: str | None = None,
        known_resources: Iterable[str] | None = None,
        clock_skew: float = 300,
        token_lifetime: int = 3599,
        refresh_in: int | None = None,
        numbers_as_strings: bool = False,
        max_records: int = 1000,
    ) -> None:
        self.settings = Settings(strict, clock_skew, token_lifetime, refresh_in, numbers_as_strings)
        self.requests = RequestLog(max_records)
        self.faults = FaultQueue()
        self.instance_metadata = InstanceMetadataEmulator(None, clock=clock)
        self._clock = clock
        known = None if known_resources is None else frozenset(r.rstrip("/").lower() for r in known_resources)
        self._backend = Backend(Directory(known), self.settings, TokenIssuer(), Sessions())
        self.tenant = self.add_tenant(tenant_id, domains=("contoso.onmicrosoft.com",))
        self._service = Service(self._backend, self.tenant)

    def add_tenant(self, tenant_id: str | None = None, *, domains: Sequence[str] = ()) -> Tenant:
        """Add a tenant.

        :param tenant_id: its GUID; None to generate one.
        :param domains: its verified domains, which clients may use in place of the GUID.
        :raises ValueError: the id is not a GUID, or a name is already in use.
        """
        tenant = Tenant(str(uuid.UUID(tenant_id) if tenant_id else uuid.uuid4()), tuple(domains))
        self._backend.directory.add_tenant(tenant)
        return tenant

    def add_application(
        self,
        *certificates: CertificateLike,
        tenant: Tenant | None = None,
        client_id: str | None = None,
        roles: Sequence[str] = (),
        allowed_resources: Iterable[str] | None = None,
        trusted_issuers: Iterable[tuple[str, CertificateLike]] = (),
        identifier_uris: Sequence[str] = (),
        delegated_scopes: Iterable[str] | None = None,
    ) -> Application:
        """Register an application.

        :param certificates: PEM as text or bytes, DER, an ``x509.Certificate``, or an object with ``public_der()``.
        :param tenant: its home tenant; None for the first one.
        :param client_id: its application id, a GUID; None to generate one.
        :param roles: the application roles that its tokens carry.
        :param allowed_resources: the resources it may request tokens for; AADSTS501051 refuses others. None for all.
        :param trusted_issuers: subject name and issuer rules: pairs of a common or DNS name and the certificate of an
            authority. A certificate with that name from that authority is trusted without being registered.
        :param identifier_uris: its App ID URIs, in addition to ``api://<client id>``.
        :param delegated_scopes: the permissions that users have consented to, such as
            ``https://graph.microsoft.com/Mail.Read``; AADSTS65001 refuses others. None for all.
        :raises ValueError: the client id is not a GUID or already in use, or a certificate is not valid.
        """
        application = Application(
            str(uuid.UUID(client_id) if client_id else uuid.uuid4()),
            (tenant or self.tenant).tenant_id,
            roles=roles,
            allowed_resources=allowed_resources,
            trusted_issuers=trusted_issuers,
            identifier_uris=identifier_uris,
            delegated_scopes=delegated_scopes,
        )
        for certificate in certificates:
            application.register(certificate)
        self._backend.directory.add_application(application)
        return application

    def add_agent_identity(self, blueprint: Application, *, tenant: Tenant | None = None) -> Application:
        """Add an agent identity, whose assertions are its blueprint's tokens with its client id as ``fmi_path``.

        :param blueprint: the application with the certificate; from now on it gets tokens for the exchange only.
        :param tenant: its tenant; None for the blueprint's.
        """
        made = Application(str(uuid.uuid4()), (tenant or blueprint).tenant_id, blueprint=blueprint)
        self._backend.directory.add_application(made)
        return made

    def add_user(
        self, name: str = "Adele Vance", *, tenant: Tenant | None = None, agent: Application | None = None
    ) -> User:
        """Add a user; the user principal name combines the name and the tenant's first domain.

        :param name: the display name.
        :param tenant: the user's tenant; None for the first one.
        :param agent: the agent identity whose user account it is; None for a person.
        :raises ValueError: the user principal name is already in use.
        """
        tenant = tenant or self.tenant
        upn = f"{'.'.join(name.lower().split())}@{next(iter(tenant.domains), f'{tenant.tenant_id}.onmicrosoft.com')}"
        user = User(str(uuid.uuid4()), tenant.tenant_id, upn, name, agent.client_id if agent else "")
        self._backend.directory.add_user(user)
        return user

    def issue_user_token(
        self,
        user: User,
        application: Application,
        *,
        scopes: Sequence[str] = ("access_as_user",),
        lifetime: float = 3599,
        version: int = 2,
        claims: str | None = None,
        authority: str = "https://login.microsoftonline.com",
    ) -> str:
        """Issue the access token with which a front end calls a middle tier for a user.

        :param user: the user.
        :param application: the middle tier, the token's audience.
        :param scopes: the token's permissions at the middle tier, without the resource; at least one.
        :param lifetime: seconds; a negative lifetime makes an expired token.
        :param version: the token version, 1 or 2: ``requestedAccessTokenVersion`` in the middle tier's registration.
        :param claims: the claims challenge that the user has met, a JSON string; see :meth:`require_step_up`.
        :param authority: scheme and host of a version 2 token's issuer, such as ``EntraServer.authority``.
        :raises ValueError: ``scopes`` is empty, the version is unknown, or ``claims`` is not a claims request.
        """
        token = UserToken(user, application, tuple(scopes), lifetime, version, claims, authority)
        return self._backend.issuer.issue(token.grant(self._clock()))

    def require_step_up(self, resource: str, *, code: int = 50076, claims: str | None = None) -> str:
        """Refuse users' tokens for a resource until the user has met a claims challenge.

        :param resource: its identifier, such as ``api://protected``.
        :param code: 50076 (use multi-factor authentication) or 50079 (register for it).
        :param claims: the claims request, JSON; None for that of a Conditional Access policy.
        :returns: the claims request, as in the error; pass it to :meth:`issue_user_token`.
        :raises ValueError: the claims request is not JSON or is empty, or the code is another.
        """
        claims = write_claims("capolids", values=(str(uuid.uuid4()),)) if claims is None else claims
        self._backend.sessions.demand(resource, make_demand(code, claims, self._backend.issuer.count))
        return claims

    def lift_step_up(self, resource: str) -> None:
        """Undo :meth:`require_step_up`."""
        self._backend.sessions.demand(resource, None)

    def revoke_refresh_tokens(self, user: User | None = None) -> int:
        """Revoke the refresh tokens issued so far, and return how many; AADSTS50173 refuses them.

        :param user: the user whose tokens to revoke; None for all users.
        """
        return self._backend.sessions.revoke(user, self._clock())

    def add_resource(self, resource: str, *, token_version: int = 1) -> None:
        """Add a resource, or change the version of its tokens.

        :param resource: its identifier, such as ``api://orders``.
        :param token_version: 1 or 2: ``requestedAccessTokenVersion`` in its registration.
        :raises ValueError: the version is another.
        """
        check_version(token_version)
        self._backend.directory.set_resource(resource, token_version)

    def inject(self, fault: Fault, *, times: int | None = 1, when: Predicate | None = None) -> None:
        """Make the next requests meet a fault.

        :param times: the number of requests; None for all until ``faults.clear()``.
        :param when: selects the requests; None for every request to the token endpoint.
        :raises ValueError: ``times`` is less than one.
        """
        self.faults.add(fault, times, when or is_token_request)

    def release(self) -> None:
        """Release the answers that :meth:`Fault.hang` holds."""
        self.faults.release()
        self.instance_metadata.release()

    def wait_for_hanging(self, count: int = 1, *, timeout: float = 10) -> None:
        """Block until :meth:`Fault.hang` holds ``count`` answers, so that their requests have certainly arrived.

        :raises TimeoutError: fewer answers are held after ``timeout`` seconds.
        """
        if not self.faults.wait_for_hanging(count, timeout):
            raise TimeoutError(f"fewer than {count} requests hung within {timeout} s")

    def challenge_next(self, claims: str | None = None) -> str:
        """Make ``/protected`` answer with a claims challenge until it receives a token issued for that challenge.

        :param claims: the claims request, JSON; None for that of a revoked session.
        :returns: the claims request.
        :raises ValueError: the claims request is not JSON or is empty.
        """
        claims = default_challenge(self._clock()) if claims is None else claims
        self._service.protected.challenge_next(claims)
        return claims

    def serve(self) -> EntraServer:
        """Return a context manager that serves the emulator over TLS on 127.0.0.1 while it is open."""
        return EntraServer(self)

    def transport(self, *, advance: Callable[[float], None] | None = None) -> EmulatorTransport:
        """Return an azure-core transport that sends every request to this emulator, whatever its host.

        :param advance: called with the seconds of each latency and ``sleep`` in place of waiting; None to wait for
            latency and return from ``sleep`` immediately.
        """
        return EmulatorTransport(self, advance=advance)

    def async_transport(self, *, advance: Callable[[float], None] | None = None) -> AsyncEmulatorTransport:
        """Return the asyncio counterpart of :meth:`transport`."""
        return AsyncEmulatorTransport(self, advance=advance)

    def handle(self, request: Request) -> Response:
        """Answer a request.

        :param request: the request.
        :returns: the answer and how to deliver it; a fault changes nothing else.
        """
        if urlsplit(request.url).hostname == IMDS_HOST:
            return self.instance_metadata.handle(request)
        conditions = conditions_of(request, self._clock())
        fault, route = self.faults.take(request), find_route(request)
        if fault is None:
            response = self._service.answer(request, conditions, route)
        else:
            response = fault.apply(lambda changed: self._service.answer(request, changed, route), conditions)
        if route is not None and route.asks == "token" and (fault is None or fault.recorded):
            self.requests.append(record(request, response, route.tenant, fault.name if fault else None))
        if response.delivery.hold is not None:
            self.faults.hold(response.delivery.hold)
        return response

    def __repr__(self) -> str:
        directory = self._backend.directory
        return f"<EntraEmulator {len(directory.tenants())} tenant(s), {len(directory.applications())} application(s)>"


class EntraServer(TlsServer):
    """Serves the local Entra; see ``testing.server.TlsServer``."""

    emulator: EntraEmulator

    @property
    def authority(self) -> str:
        """The same as ``url``, under the name of the credentials' parameter."""
        return self.url
