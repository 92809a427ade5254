"""urllib3's connections, made to keep to the deadline of the acquisition.

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
from contextlib import suppress
from functools import partial
from importlib import import_module
from time import monotonic
from typing import Any
from urllib.parse import unquote

from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.poolmanager import PoolManager, ProxyManager
from urllib3.util.connection import allowed_gai_family
from urllib3.util.request import make_headers
from urllib3.util.url import parse_url

from azure_certvar_credential._transport.attempt import sending
from azure_certvar_credential._transport.deadline import deadline
from azure_certvar_credential._transport.threads import until_deadline

# Connections kept for later; there are as many as calls at one moment have needed. One that finds no room is closed
# after its request, and the next one shakes hands again.
_MOST_CONNECTIONS = 100
# RFC 9110 sections 5.1 and 8.6; a proxy may have joined equal lengths in one field.
_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LENGTH = re.compile(r"[0-9]{1,18}(?:[ \t]*,[ \t]*[0-9]{1,18})*")


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
        lengths = self.headers.get_all("Content-Length", [])
        if malformed or not all(map(_FIELD_NAME.fullmatch, self.headers)) or not all(map(_LENGTH.fullmatch, lengths)):
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
        self.sock.settimeout(_bounded(self.timeout))
        self._held = []
        try:
            super().request(*arguments, **options)  # type: ignore[misc]
            octets = b"".join(self._held)
        finally:
            self._held = None
        sending()
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


def pool_manager(context: ssl.SSLContext, proxy: str | None) -> PoolManager:
    """Return the pools of the connections that go directly, or through one proxy.

    :param context: whom connections trust, those to the proxy as well.
    :param proxy: its URL, with user and password percent-encoded; a scheme that begins with ``socks`` needs PySocks.
    :raises ValueError: that cannot be imported.
    """
    options: dict[str, Any] = {"ssl_context": context, "maxsize": _MOST_CONNECTIONS}
    if not context.check_hostname:  # urllib3 would check names that the context is to let pass
        options["assert_hostname"] = False
    manager: PoolManager
    if proxy is None:
        manager = PoolManager(**options)
    elif proxy.lower().startswith("socks"):
        manager = _socks()(proxy, **options)
    else:
        user = parse_url(proxy).auth
        headers = make_headers(proxy_basic_auth=unquote(user)) if user else {}
        own = context if proxy.lower().startswith("https:") else None
        manager = ProxyManager(proxy, proxy_headers=headers, proxy_ssl_context=own, **options)
    manager.pool_classes_by_scheme = dict(_pool_classes(manager.pool_classes_by_scheme))
    return manager


def _socks() -> Any:
    with suppress(ImportError):
        return import_module("urllib3.contrib.socks").SOCKSProxyManager
    # Not while the ImportError is handled: it would count as the reason, and this as no mistake of the caller's.
    raise ValueError("a SOCKS proxy needs the package PySocks, 1.7.0 or later: pip install PySocks")


def _pool_classes(classes: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for scheme, pool in classes.items():
        kind = pool.ConnectionCls
        mixed = _Direct if kind._new_conn is HTTPConnection._new_conn else _ThroughSocks  # noqa: SLF001
        yield scheme, type(pool.__name__, (pool,), {"ConnectionCls": type(kind.__name__, (mixed, kind), {})})
