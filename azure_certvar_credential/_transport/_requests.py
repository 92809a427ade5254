"""azure-core's requests transport, on connections that keep to the deadline of the acquisition.

A time-out of a socket begins anew with every octet, and a name may have many addresses. So the connections are
subclasses of urllib3's, which its connection pools are made for: they look at the deadline before each address and each
read, and tell when a request leaves.
"""

from __future__ import annotations

import http.client
import io
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from time import monotonic
from typing import Any

import requests
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import allowed_gai_family
from urllib3.util.retry import Retry

from azure_certvar_credential._transport.attempt import sending
from azure_certvar_credential._transport.deadline import deadline
from azure_certvar_credential._transport.pipeline import transport_options
from azure_certvar_credential._transport.proxies import proxy_for
from azure_certvar_credential._transport.threads import until_deadline
from azure_certvar_credential._transport.trust import ssl_context

# Connections kept for later; there are as many as calls at one moment have needed.
_MOST_CONNECTIONS = 100
# RFC 9110 section 5.1.
_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class _Octets(io.RawIOBase):
    """What a socket receives, until the deadline of the acquisition that reads."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__()
        self._connection = connection
        self._file = connection.makefile("rb", buffering=0)
        self._timeout = connection.gettimeout()

    def readable(self) -> bool:
        """Say that there is something to read."""
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        """Receive what there is."""
        self._connection.settimeout(_bounded(self._timeout))
        return self._file.readinto(buffer)

    def close(self) -> None:
        """Let go of the socket."""
        if not self.closed:
            self._file.close()
        super().close()


class _Lines(io.BufferedReader):
    """A buffered file that remembers the last line that was read."""

    last = b""

    def readline(self, size: int | None = -1, /) -> bytes:
        """Read a line."""
        self.last = super().readline(-1 if size is None else size)
        return self.last

    def makefile(self, _mode: str) -> _Lines:
        """Return itself: http.client asks its socket for a file, and for nothing else."""
        return self


class _Response(http.client.HTTPResponse):
    """An answer that is read until the deadline, and refused if its header is not whole and well-formed.

    http.client takes the end of a connection for the end of the header; and urllib3 logs the part of a header that it
    cannot parse, which may be the body with the token.
    """

    def __init__(self, connection: socket.socket, *arguments: Any, **options: Any) -> None:
        self._lines = _Lines(_Octets(connection))
        super().__init__(self._lines, *arguments, **options)  # type: ignore[arg-type]

    def begin(self) -> None:
        """Read the status line and the header fields.

        :raises http.client.HTTPException: the header breaks off, or is not as RFC 9112 section 5 defines it.
        """
        super().begin()
        if self._lines.last not in (b"\r\n", b"\n"):
            raise http.client.HTTPException("the header breaks off")
        malformed = self.headers.defects or self.headers.get_payload()
        if malformed or not all(map(_FIELD_NAME.fullmatch, self.headers)):
            raise http.client.HTTPException("malformed header")


class _Connection:
    """Goes before one of urllib3's classes of connections."""

    _answer: _Response | None = None
    _held: list[bytes] | None = None

    def response_class(self, *arguments: Any, **options: Any) -> _Response:
        """Make the answer, as http.client calls it."""
        self._answer = _Response(*arguments, **options)
        return self._answer

    def getresponse(self: Any) -> Any:
        """Read status and header; urllib3 leaves an answer open that it refuses."""
        try:
            return super().getresponse()  # type: ignore[misc]
        except BaseException:
            if self._answer is not None:
                self._answer.close()
            raise
        finally:
            self._answer = None

    def request(self: Any, *arguments: Any, **options: Any) -> Any:
        """Send a request; connect before, so that a failure to do so counts as not sent."""
        if self.is_closed:
            self.connect()
        sending()
        self.sock.settimeout(_bounded(self.timeout))
        self._held = []
        try:
            super().request(*arguments, **options)  # type: ignore[misc]
            octets = b"".join(self._held)
        finally:
            self._held = None
        self.send(octets)

    def send(self: Any, data: Any) -> None:
        """Send octets; header and body together, in one record of TLS and one system call."""
        if self._held is None:
            super().send(data)  # type: ignore[misc]
        else:
            self._held.append(data)


class _ThroughSocks(_Connection):
    """Also waits for a SOCKS proxy no longer than until the deadline: PySocks reads each octet with a new time-out."""

    def _new_conn(self: Any) -> socket.socket:
        connect, limit = super()._new_conn, deadline()  # type: ignore[misc]

        def connected() -> socket.socket:
            found: socket.socket = connect()
            if limit.over:  # nobody waits for it any more
                found.close()
            return found

        return until_deadline(connected, owner=type(self))


class _Direct(_Connection):
    """Also tries the addresses of a name one after the other within a bounded time."""

    def _new_conn(self: Any) -> socket.socket:
        return _connect(self)


def _connect(connection: Any) -> socket.socket:
    """Connect to one of the addresses of a name: each gets the time-out, all together twice that.

    :param connection: urllib3's, with its time-out in seconds.
    """
    ends = monotonic() + _bounded(2 * connection.timeout)
    # The name as it was given: with a full stop at its end, it is not completed from the resolver's search list.
    host, failure = connection._dns_host, None  # noqa: SLF001 - urllib3's for subclasses
    resolve = partial(socket.getaddrinfo, host, connection.port, allowed_gai_family(), socket.SOCK_STREAM)
    try:
        # The class is one of its transport's own.
        addresses = until_deadline(resolve, owner=type(connection))
    except socket.gaierror as error:
        raise NameResolutionError(host, connection, error) from error
    for family, kind, protocol, _, address in addresses:
        left = ends - monotonic()
        if left <= 0:
            break
        found = socket.socket(family, kind, protocol)
        try:
            for option in connection.socket_options or ():
                found.setsockopt(*option)
            found.settimeout(min(connection.timeout, left))
            found.connect(address)
        except OSError as error:
            found.close()
            failure = error
        else:
            found.settimeout(_bounded(connection.timeout))  # for the handshake of TLS
            return found
    if failure is None or isinstance(failure, TimeoutError):
        raise ConnectTimeoutError(connection, f"{host} could not be connected to in time")
    raise NewConnectionError(connection, f"{host} could not be connected to: {failure}")


def _bounded(seconds: float | None) -> float:
    """Return a time-out that does not go beyond the deadline.

    :raises TimeoutError: the deadline has passed.
    """
    left = deadline().remaining()
    if left <= 0:
        raise TimeoutError("the time for the acquisition is over")
    return left if seconds is None else min(seconds, left)


class _Adapter(HTTPAdapter):
    """requests' adapter, whose pools make the connections above; those of its proxies, too.

    :param context: whom connections trust, whatever requests makes of ``verify`` and ``cert``.
    """

    def __init__(self, context: ssl.SSLContext, **options: Any) -> None:
        self._context = context
        super().__init__(**options)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Make the pools of direct connections."""
        super().init_poolmanager(*arguments, ssl_context=self._context, **options)
        _replace_classes(self.poolmanager)

    def proxy_manager_for(self, proxy: Any, **options: Any) -> Any:
        """Return the pools of a proxy."""
        known = proxy in self.proxy_manager
        if proxy.lower().startswith("https:"):
            options["proxy_ssl_context"] = self._context
        manager = super().proxy_manager_for(proxy, ssl_context=self._context, **options)
        if not known:
            _replace_classes(manager)
        return manager

    def build_connection_pool_key_attributes(self, *arguments: Any, **options: Any) -> Any:
        """Return the host's part of the key of a pool; the SSL context is in every pool."""
        return super().build_connection_pool_key_attributes(*arguments, **options)[0], {}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:  # noqa: ARG002 - requests' signature
        """Leave the verification to the context; urllib3 would check names that the context is to let pass."""
        if url.lower().startswith("https:") and not self._context.check_hostname:
            conn.assert_hostname = False


def _replace_classes(manager: Any) -> None:
    manager.pool_classes_by_scheme = dict(_pool_classes(manager.pool_classes_by_scheme))


def _pool_classes(classes: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for scheme, pool in classes.items():
        kind = pool.ConnectionCls
        mixed = _Direct if kind._new_conn is HTTPConnection._new_conn else _ThroughSocks  # noqa: SLF001
        yield scheme, type(pool.__name__, (pool,), {"ConnectionCls": type(kind.__name__, (mixed, kind), {})})


class _Session(requests.Session):
    """A session that takes the proxy that the asynchronous transport would take."""

    environment = True

    def merge_environment_settings(self, url: Any, proxies: Any, *settings: Any) -> Any:
        """Return the settings for a request."""
        proxy = proxy_for(url, proxies, environment=self.environment)
        return super().merge_environment_settings(url, {"all": proxy} if proxy else {}, *settings)


def make_transport(options: Mapping[str, Any]) -> RequestsTransport:
    """Return a transport that sends no cookies back.

    :param options: checked pipeline options.
    """
    given = transport_options(options)
    session = _Session()
    session.environment = options.get("use_env_settings") is not False
    session.trust_env = False  # proxies are chosen below, and a password of ~/.netrc is not for a token endpoint
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    # As azure-core's: what fails is raised as it is, and repeated by nobody.
    # A connection that finds no room in the pool is closed after its request, and the next one shakes hands again.
    adapter = _Adapter(
        ssl_context(options),
        pool_maxsize=_MOST_CONNECTIONS,
        max_retries=Retry(total=False, redirect=False, raise_on_status=False),
    )
    for scheme in ("http://", "https://"):
        session.mount(scheme, adapter)
    return RequestsTransport(session=session, use_env_settings=False, **given)
