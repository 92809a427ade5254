"""Wires the rooms of the local Entra together; see :class:`EntraEmulator`."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from azure_certvar_credential.testing.assertions import ReplayGuard
from azure_certvar_credential.testing.credentials import CertificateLike
from azure_certvar_credential.testing.endpoint import ADFS, ENTRA, TENANTLESS, Dialect, Settings, TokenEndpoint
from azure_certvar_credential.testing.errors import error_response, refuse
from azure_certvar_credential.testing.extras import requires_testing_extra
from azure_certvar_credential.testing.faults import Fault, FaultQueue, Predicate
from azure_certvar_credential.testing.http import MAX_REQUEST_BYTES, Conditions, Request, Response, respond_json
from azure_certvar_credential.testing.metadata import adfs_configuration, instance_discovery, keys, openid_configuration
from azure_certvar_credential.testing.model import Application, Directory, Tenant
from azure_certvar_credential.testing.protected import ProtectedResource, default_challenge
from azure_certvar_credential.testing.records import RequestLog, record
from azure_certvar_credential.testing.tokens import TokenIssuer

if TYPE_CHECKING:
    from azure_certvar_credential.testing.server import EntraServer
    from azure_certvar_credential.testing.transport import AsyncEmulatorTransport, EmulatorTransport

_TOKEN_PATH = re.compile(r"/(?P<tenant>[^/]+)/oauth2/v2\.0/token")
_ADFS_PATH = "/adfs/oauth2/token"
_METADATA_PATH = re.compile(r"/(?P<tenant>[^/]+)(?P<v2>/v2\.0)?/\.well-known/openid-configuration")
_KEYS_PATH = re.compile(r"/[^/]+/discovery/(v2\.0/)?keys")


class EntraEmulator:
    """A local Microsoft Entra ID.

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
        self._clock = clock
        known = None if known_resources is None else frozenset(r.rstrip("/").lower() for r in known_resources)
        self._directory = Directory(known)
        self._issuer = TokenIssuer()
        self._endpoint = TokenEndpoint(self._directory, self.settings, self._issuer, ReplayGuard())
        self._protected = ProtectedResource(self._directory, self._issuer)
        self.tenant = self.add_tenant(tenant_id, domains=("contoso.onmicrosoft.com",))

    def add_tenant(self, tenant_id: str | None = None, *, domains: Sequence[str] = ()) -> Tenant:
        """Add a tenant.

        :param tenant_id: its GUID; None to make one up.
        :param domains: the domains by which it may be called as well.
        :raises ValueError: the id is not a GUID, or a name is taken.
        """
        tenant = Tenant(str(uuid.UUID(tenant_id) if tenant_id else uuid.uuid4()), tuple(domains))
        self._directory.add_tenant(tenant)
        return tenant

    def add_application(
        self,
        *certificates: CertificateLike,
        tenant: Tenant | None = None,
        client_id: str | None = None,
        roles: Sequence[str] = (),
        allowed_resources: Iterable[str] | None = None,
        trusted_issuers: Iterable[tuple[str, CertificateLike]] = (),
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
        :raises ValueError: the client id is no GUID or taken, or a certificate is damaged.
        """
        application = Application(
            str(uuid.UUID(client_id) if client_id else uuid.uuid4()),
            (tenant or self.tenant).tenant_id,
            roles,
            allowed_resources,
            trusted_issuers,
        )
        for certificate in certificates:
            application.register(certificate)
        self._directory.add_application(application)
        return application

    def add_resource(self, resource: str, *, token_version: int = 1) -> None:
        """Make a resource known and choose the form of its tokens.

        :param resource: its identifier, such as ``api://orders``.
        :param token_version: 1 or 2, the ``requestedAccessTokenVersion`` of its registration.
        :raises ValueError: there is no such version.
        """
        if token_version not in (1, 2):
            raise ValueError(f"an access token has version 1 or 2, not {token_version}")
        self._directory.set_resource(resource, token_version)

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
        self._protected.challenge_next(claims)
        return claims

    def serve(self) -> EntraServer:
        """Return a context manager that serves the emulator on 127.0.0.1 over TLS while it is open.

        :raises ImportError: the ``testing`` extra is not installed.
        """
        with requires_testing_extra():
            from azure_certvar_credential.testing.server import EntraServer
        return EntraServer(self)

    def transport(self, *, advance: Callable[[float], None] | None = None) -> EmulatorTransport:
        """Return an azure-core transport that asks this emulator in process, whatever host the URL names.

        :param advance: called with seconds instead of letting them pass, for latency and for ``sleep``; None to wait
            for latency really and to return from ``sleep`` at once.
        """
        from azure_certvar_credential.testing.transport import EmulatorTransport

        return EmulatorTransport(self, advance=advance)

    def async_transport(self, *, advance: Callable[[float], None] | None = None) -> AsyncEmulatorTransport:
        """Return the same as :meth:`transport` for asyncio."""
        from azure_certvar_credential.testing.transport import AsyncEmulatorTransport

        return AsyncEmulatorTransport(self, advance=advance)

    def handle(self, request: Request) -> Response:
        """Answer a request.

        :param request: the request.
        :returns: the answer, and how it is to be delivered; a fault shows there and nowhere else.
        """
        conditions = self._conditions(request)
        fault = self.faults.take(request)
        if fault is None:
            response = self._answer(request, conditions)
        else:
            response = fault.apply(lambda changed: self._answer(request, changed), conditions)
        called = _token_endpoint(request.path)
        if called is not None and (fault is None or fault.recorded):
            self.requests.append(record(request, response, called[0], fault.name if fault else None))
        if response.delivery.hold is not None:
            self.faults.hold(response.delivery.hold)
        return response

    def _conditions(self, request: Request) -> Conditions:
        try:
            correlation_id = str(uuid.UUID(request.headers.get("client-request-id", "")))
        except ValueError:
            correlation_id = str(uuid.uuid4())
        echo = request.headers.get("return-client-request-id", "").lower() == "true"
        return Conditions(self._clock(), str(uuid.uuid4()), correlation_id, echo)

    def _answer(self, request: Request, conditions: Conditions) -> Response:
        path = request.path
        if len(request.body) > MAX_REQUEST_BYTES:
            return respond_json(conditions, 413, {"error": "request_too_large"})
        called = _token_endpoint(path)
        if called is not None:
            tenant, dialect = called
            # ADFS has no tenants; its applications are those of the first one.
            name = self.tenant.tenant_id if dialect is ADFS else tenant
            return self._endpoint.answer(request, conditions, name, dialect)
        if path == "/protected" or path.startswith("/protected/"):
            return self._protected.answer(request, conditions)
        metadata = _METADATA_PATH.fullmatch(path)
        if metadata is None and path != "/common/discovery/instance" and not _KEYS_PATH.fullmatch(path):
            return respond_json(conditions, 404, {"error": "not_found"})
        if request.method != "GET":
            return respond_json(conditions, 405, {"error": "method_not_allowed"}, headers={"Allow": "GET"})
        if metadata is not None:
            return self._metadata(request, conditions, metadata["tenant"], 2 if metadata["v2"] else 1)
        return instance_discovery(request, conditions) if path.endswith("/instance") else keys(conditions)

    def _metadata(self, request: Request, conditions: Conditions, name: str, version: int) -> Response:
        if name == "adfs":
            return respond_json(conditions, 200, adfs_configuration(request.base))
        tenant = self._directory.tenant(name)
        if tenant is None and name not in TENANTLESS:
            return error_response(refuse(90002, tenant=name), request, conditions)
        tenant_id = tenant.tenant_id if tenant else "{tenantid}"
        return respond_json(conditions, 200, openid_configuration(request.base, tenant_id, version))

    def __repr__(self) -> str:
        applications = len(self._directory.applications())
        return f"<EntraEmulator {len(self._directory.tenants())} tenant(s), {applications} application(s)>"


def _token_endpoint(path: str) -> tuple[str, Dialect] | None:
    """The tenant and the dialect of a token endpoint's path; None for any other path."""
    if path == _ADFS_PATH:
        return "adfs", ADFS
    match = _TOKEN_PATH.fullmatch(path)
    return (match["tenant"], ENTRA) if match else None


def is_token_request(request: Request) -> bool:
    """Tell whether a request is for a token endpoint."""
    return _token_endpoint(request.path) is not None
