"""Wires the rooms of the local Entra together; see :class:`EntraEmulator`."""

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

    It knows the client credentials grant, the on-behalf-of grant and the refresh tokens that come of it; certificates,
    subject name and issuer rules and federated identity credentials; and the authorities of
    :mod:`~azure_certvar_credential.testing.entra.routes`.
    :meth:`handle` answers a request and does nothing else: no I/O, and the time comes from ``clock``. :meth:`serve`
    puts it behind loopback TLS, :meth:`transport` and :meth:`async_transport` behind azure-core's transports. Every
    method may be called from any thread.

    :param strict: refuse what production clients send although the standards do not allow it: padded or standard
        base64, times that are floats or strings, ``x5c`` that is one string or has line breaks, missing ``iat``,
        ``nbf`` or ``jti``, a lifetime other than 5 to 10 minutes, a ``jti`` that was used before, ``typ`` not ``JWT``.
    :param clock: the server's time, seconds since the epoch.
    :param tenant_id: the GUID of the first tenant; None to make one up.
    :param known_resources: the identifiers of the resources in the directory; any other is refused with
        AADSTS500011. None means that every resource is known.
    :param clock_skew: seconds by which a client's clock may be off.
    :param token_lifetime: seconds that an access token lives.
    :param refresh_in: seconds for ``refresh_in`` in the answer; None for none.
    :param numbers_as_strings: send ``expires_in`` and its like as JSON strings.
    :param max_records: how many requests :attr:`requests` keeps.

    :ivar tenant: the first tenant, made at the start.
    :ivar settings: strictness, skew, lifetimes; may be changed at any time.
    :ivar requests: the requests to the token endpoint, oldest first.
    :ivar faults: the faults that wait for their request.
    :ivar instance_metadata: the metadata service of the computer, under its own address with the in-process
        transports; set its ``location`` to be in Azure.
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

        :param tenant_id: its GUID; None to make one up.
        :param domains: the domains by which it may be called as well.
        :raises ValueError: the id is not a GUID, or a name is taken.
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

        :param certificates: the certificates it may sign with: PEM as text or bytes, DER, ``x509.Certificate``, or an
            object with ``public_der()``.
        :param tenant: its home; None for the first tenant.
        :param client_id: its application id, a GUID; None to make one up.
        :param roles: the application roles that its tokens carry.
        :param allowed_resources: the resources it may ask tokens for, others give AADSTS501051; None for all.
        :param trusted_issuers: subject name and issuer rules: pairs of a common or DNS name and the certificate of the
            authority under which a certificate of that name is trusted without being registered.
        :param identifier_uris: its App ID URIs, how it is called as a resource beside ``api://<client id>``.
        :param delegated_scopes: the permissions that users have consented to, such as
            ``https://graph.microsoft.com/Mail.Read``, others give AADSTS65001; None for all.
        :raises ValueError: the client id is no GUID or taken, or a certificate is damaged.
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

    def add_user(self, name: str = "Adele Vance", *, tenant: Tenant | None = None) -> User:
        """Add a user, whose user principal name is made of the name and the tenant's first domain.

        :param name: to be shown.
        :param tenant: where the user is; None for the first tenant.
        :raises ValueError: the user principal name is taken.
        """
        tenant = tenant or self.tenant
        domain = next(iter(tenant.domains), f"{tenant.tenant_id}.onmicrosoft.com")
        upn = f"{'.'.join(name.lower().split())}@{domain}"
        user = User(str(uuid.uuid4()), tenant.tenant_id, upn, name)
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
        """Issue the access token with which a front end calls a middle tier in a user's name.

        :param user: the user.
        :param application: the middle tier, the token's audience.
        :param scopes: the permissions of the middle tier that it carries, without resource; at least one.
        :param lifetime: seconds; a negative one makes an expired token.
        :param version: its form, 1 or 2, the ``requestedAccessTokenVersion`` of the middle tier's registration.
        :param claims: the claims challenge that the user has answered, a JSON string, see :meth:`require_step_up`.
        :param authority: scheme and host of the issuer of a token of version 2, such as ``EntraServer.authority``.
        :raises ValueError: there is no scope, no such version, or the claims are no claims request.
        """
        token = UserToken(user, application, tuple(scopes), lifetime, version, claims, authority)
        return self._backend.issuer.issue(token.grant(self._clock()))

    def require_step_up(self, resource: str, *, code: int = 50076, claims: str | None = None) -> str:
        """Refuse to act for users at a resource until they have answered a claims challenge.

        :param resource: its identifier, such as ``api://protected``.
        :param code: AADSTS50076, use multi-factor authentication, or 50079, register for it.
        :param claims: the claims request, JSON; None for the one of a Conditional Access policy.
        :returns: the claims request, which the error carries, for :meth:`issue_user_token`.
        :raises ValueError: it is not JSON or asks for nothing, or there is no such code.
        """
        claims = write_claims("capolids", values=(str(uuid.uuid4()),)) if claims is None else claims
        self._backend.sessions.demand(resource, make_demand(code, claims, self._backend.issuer.count))
        return claims

    def lift_step_up(self, resource: str) -> None:
        """Undo :meth:`require_step_up`."""
        self._backend.sessions.demand(resource, None)

    def revoke_refresh_tokens(self, user: User | None = None) -> int:
        """Refuse the refresh tokens that were issued so far with AADSTS50173.

        :param user: whose; None for everybody's.
        :returns: how many there were.
        """
        return self._backend.sessions.revoke(user, self._clock())

    def add_resource(self, resource: str, *, token_version: int = 1) -> None:
        """Make a resource known and choose the form of its tokens.

        :param resource: its identifier, such as ``api://orders``.
        :param token_version: 1 or 2, the ``requestedAccessTokenVersion`` of its registration.
        :raises ValueError: there is no such version.
        """
        check_version(token_version)
        self._backend.directory.set_resource(resource, token_version)

    def inject(self, fault: Fault, *, times: int | None = 1, when: Predicate | None = None) -> None:
        """Let something go wrong.

        :param fault: what.
        :param times: for how many requests; None for all until ``faults.clear()``.
        :param when: chooses the requests; None for every request to the token endpoint.
        :raises ValueError: ``times`` is less than one.
        """
        self.faults.add(fault, times, when or is_token_request)

    def release(self) -> None:
        """Let go of the answers that :meth:`Fault.hang` keeps back."""
        self.faults.release()
        self.instance_metadata.release()

    def wait_for_hanging(self, count: int = 1, *, timeout: float = 10) -> None:
        """Block until :meth:`Fault.hang` keeps answers back: the moment at which requests are surely under way.

        :param count: how many answers.
        :param timeout: seconds.
        :raises TimeoutError: there were not so many in time.
        """
        if not self.faults.wait_for_hanging(count, timeout):
            raise TimeoutError(f"fewer than {count} requests hung within {timeout} s")

    def challenge_next(self, claims: str | None = None) -> str:
        """Let ``/protected`` answer with a claims challenge until it gets a token that was issued in answer to it.

        :param claims: the claims request, JSON; None for the one of a revoked session.
        :returns: the claims request.
        :raises ValueError: it is not JSON or asks for nothing.
        """
        claims = default_challenge(self._clock()) if claims is None else claims
        self._service.protected.challenge_next(claims)
        return claims

    def serve(self) -> EntraServer:
        """Return a context manager that serves the emulator on 127.0.0.1 over TLS while it is open."""
        return EntraServer(self)

    def transport(self, *, advance: Callable[[float], None] | None = None) -> EmulatorTransport:
        """Return an azure-core transport that asks this emulator in process, whatever host the URL names.

        :param advance: called with seconds instead of letting them pass, for latency and for ``sleep``; None to wait
            for latency really and to return from ``sleep`` at once.
        """
        return EmulatorTransport(self, advance=advance)

    def async_transport(self, *, advance: Callable[[float], None] | None = None) -> AsyncEmulatorTransport:
        """Return the same as :meth:`transport` for asyncio."""
        return AsyncEmulatorTransport(self, advance=advance)

    def handle(self, request: Request) -> Response:
        """Answer a request.

        :param request: the request.
        :returns: the answer, and how it is to be delivered; a fault shows there and nowhere else.
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
    """Serves the local Entra; see :class:`~azure_certvar_credential.testing.server.TlsServer`."""

    emulator: EntraEmulator

    @property
    def authority(self) -> str:
        """The same as ``url``, under the name of the credentials' parameter."""
        return self.url
