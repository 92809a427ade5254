"""The local Entra as its users see it: :class:`EntraEmulator` and :class:`EntraServer`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from azure_certvar_credential.testing.entra.administration import Administration
from azure_certvar_credential.testing.entra.directory.store import Directory
from azure_certvar_credential.testing.entra.grants.exchange import Backend
from azure_certvar_credential.testing.entra.grants.sessions import Sessions
from azure_certvar_credential.testing.entra.protected import default_challenge
from azure_certvar_credential.testing.entra.records import RequestLog, record
from azure_certvar_credential.testing.entra.routes import find_route, is_token_request
from azure_certvar_credential.testing.entra.service import Service
from azure_certvar_credential.testing.entra.settings import Settings
from azure_certvar_credential.testing.entra.tokens import TokenIssuer
from azure_certvar_credential.testing.fault_queue import FaultQueue, Predicate
from azure_certvar_credential.testing.faults import Fault
from azure_certvar_credential.testing.http import Request, Response, conditions_of
from azure_certvar_credential.testing.instance_metadata.emulator import IMDS_HOST, InstanceMetadataEmulator
from azure_certvar_credential.testing.server import TlsServer
from azure_certvar_credential.testing.transport import AsyncEmulatorTransport, EmulatorTransport


class EntraEmulator(Administration):
    """A local Microsoft Entra ID.

    It supports the client credentials, on-behalf-of, refresh token and agent user grants; certificates, subject name
    and issuer rules, and federated identity credentials; and the authorities of ``testing.entra.routes``.
    :meth:`handle` answers a request without I/O, at the time of ``clock``. :meth:`serve` serves it over loopback TLS;
    :meth:`transport` and :meth:`async_transport` connect azure-core's clients in process. All methods are thread-safe.

    >>> entra = EntraEmulator()
    >>> application = entra.add_application(certificate)
    >>> credential = CertVarCredential(
    ...     application.tenant_id, application.client_id, certificate, transport=entra.transport()
    ... )
    >>> token = credential.get_token("https://graph.microsoft.com/.default")
    >>> entra.requests[-1].status
    200

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

    def inject(self, fault: Fault, *, times: int | None = 1, when: Predicate | None = None) -> None:
        """Make the next requests meet a fault.

        >>> entra.inject(Fault.server_error(503))
        >>> token = credential.get_token("https://graph.microsoft.com/.default")  # the credential tries again
        >>> [request.status for request in entra.requests]
        [503, 200]

        :param times: the number of requests; None for all until ``faults.clear()``.
        :param when: selects the requests; None for every request to the token endpoint.
        :raises ValueError: ``times`` is less than one.
        """
        self.faults.add(fault, times, when or is_token_request)

    def release(self) -> None:
        """Release the answers that :meth:`Fault.hang` holds.

        >>> entra.release()
        """
        self.faults.release()
        self.instance_metadata.release()

    def wait_for_hanging(self, count: int = 1, *, timeout: float = 10) -> None:
        """Block until :meth:`Fault.hang` holds ``count`` answers, so that their requests have certainly arrived.

        >>> entra.inject(Fault.hang())
        >>> caller = threading.Thread(target=credential.get_token, args=["https://graph.microsoft.com/.default"])
        >>> caller.start()
        >>> entra.wait_for_hanging()
        >>> entra.release()
        >>> caller.join()

        :raises TimeoutError: fewer answers are held after ``timeout`` seconds.
        """
        if not self.faults.wait_for_hanging(count, timeout):
            raise TimeoutError(f"fewer than {count} requests hung within {timeout} s")

    def challenge_next(self, claims: str | None = None) -> str:
        """Make ``/protected`` answer with a claims challenge until it receives a token issued for that challenge.

        >>> claims = entra.challenge_next()

        :param claims: the claims request, JSON; None for that of a revoked session.
        :returns: the claims request.
        :raises ValueError: the claims request is not JSON or is empty.
        """
        claims = default_challenge(self._clock()) if claims is None else claims
        self._service.protected.challenge_next(claims)
        return claims

    def serve(self) -> EntraServer:
        """Return a context manager that serves the emulator over TLS on 127.0.0.1 while it is open.

        >>> with entra.serve() as server:
        ...     print(server.authority)
        https://localhost:...
        """
        return EntraServer(self)

    def transport(self, *, advance: Callable[[float], None] | None = None) -> EmulatorTransport:
        """Return an azure-core transport that sends every request to this emulator, whatever its host.

        >>> credential = CertVarCredential(
        ...     application.tenant_id, application.client_id, certificate, transport=entra.transport()
        ... )

        :param advance: called with the seconds of each latency and ``sleep`` in place of waiting; None to wait for
            latency and return from ``sleep`` immediately.
        """
        return EmulatorTransport(self, advance=advance)

    def async_transport(self, *, advance: Callable[[float], None] | None = None) -> AsyncEmulatorTransport:
        """Return the asyncio counterpart of :meth:`transport`.

        >>> credential = aio.CertVarCredential(
        ...     application.tenant_id, application.client_id, certificate, transport=entra.async_transport()
        ... )
        """
        return AsyncEmulatorTransport(self, advance=advance)

    def handle(self, request: Request) -> Response:
        """Answer a request.

        >>> entra.handle(Request("GET", "https://login.microsoftonline.com/common/discovery/v2.0/keys")).status
        200

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
    """Serves the local Entra; see ``testing.server.TlsServer``.

    >>> with EntraServer(entra, port=0) as server:
    ...     credential = CertVarCredential(
    ...         application.tenant_id, application.client_id, certificate, authority=server.authority,
    ...         disable_instance_discovery=True, connection_verify=server.ca_file)
    ...     token = credential.get_token("https://graph.microsoft.com/.default")
    """

    emulator: EntraEmulator

    @property
    def authority(self) -> str:
        """The same as ``url``, under the name of the credentials' parameter."""
        return self.url
