"""A token endpoint of raw sockets: it sends any octets at any moment, in TLS, in front of it, or as a proxy."""

from __future__ import annotations

import base64
import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path

import trustme

from azure_certvar_credential._http.sockets import ClosingSocket
from tests.faults.fault import GOOD, Fault, token

# Longer than any fault takes; a thread that is still there then fails the test.
_PATIENCE = 10.0


class Certificates:
    """The server's sides of TLS, by name.

    :param directory: where the trusted authority's certificate is written.
    """

    def __init__(self, directory: Path) -> None:
        trusted, unknown = trustme.CA(), trustme.CA()
        self.ca_file = directory / "ca.pem"
        trusted.cert_pem.write_to_path(str(self.ca_file))
        now = datetime.now(timezone.utc)
        yesterday, before = now - timedelta(days=1), now - timedelta(days=2)
        self.contexts = {
            "good": _context(trusted.issue_cert("localhost")),
            "expired": _context(trusted.issue_cert("localhost", not_before=before, not_after=yesterday)),
            "another name": _context(trusted.issue_cert("elsewhere.example")),
            "unknown authority": _context(unknown.issue_cert("localhost")),
            "client certificate, TLS 1.2": _context(trusted.issue_cert("localhost"), ssl.TLSVersion.TLSv1_2, trusted),
            "client certificate, TLS 1.3": _context(trusted.issue_cert("localhost"), ssl.TLSVersion.TLSv1_3, trusted),
        }


def _context(
    leaf: trustme.LeafCert, version: ssl.TLSVersion | None = None, clients: trustme.CA | None = None
) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslsocket_class = ClosingSocket
    leaf.configure_cert(context)
    if version is not None:
        context.minimum_version = context.maximum_version = version
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        clients.configure_trust(context)
    return context


class Server:
    """Answers with tokens first, and with a fault once :meth:`begin` is called.

    :param tokens: how many token requests come before the fault.
    :param proxied: whether every connection goes through a proxy.
    :ivar requests: the token requests that arrived whole.
    :ivar connections: how many connections were made since :meth:`begin`.
    """

    def __init__(self, certificates: Certificates, *, tokens: int, proxied: bool) -> None:
        self._certificates, self._tokens, self._proxied = certificates, tokens, proxied
        self._fault: Fault | None = None
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.requests: list[bytes] = []
        self.connections = 0
        self._start(self._accept)

    def begin(self, fault: Fault) -> None:
        """Answer with a fault from now on, and count anew."""
        self._fault, self.connections = fault, 0

    @property
    def assertions(self) -> list[str]:
        """The assertions of all requests."""
        found = (re.search(rb"client_assertion=([^&]+)", request) for request in self.requests)
        return [one[1].decode() for one in found if one is not None]

    @property
    def jtis(self) -> list[str]:
        """The ids of all assertions."""
        claims = [assertion.split(".")[1] for assertion in self.assertions]
        return [json.loads(base64.urlsafe_b64decode(claim + "=="))["jti"] for claim in claims]

    def stop(self) -> None:
        """End every connection and every thread."""
        self._over.set()
        with suppress(OSError), socket.socket() as knock:  # which wakes the thread that accepts
            knock.connect(("127.0.0.1", self.port))
        self._listener.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(_PATIENCE)
            assert not thread.is_alive()

    def _receives(self, connection: socket.socket) -> int:
        self.requests.append(_request(connection))
        return len(self.requests)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            self._start(self._serve, connection, self._fault)

    def _serve(self, raw: socket.socket, fault: Fault | None) -> None:
        # The client may leave at any moment, which many faults are about.
        with raw, suppress(OSError):
            raw.settimeout(_PATIENCE)
            if self._proxied:
                _head(raw)
                if fault is not None and fault.proxy is not None:
                    raw.sendall(fault.proxy)
                    return
                raw.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            if fault is not None and fault.greeting is not None:
                fault.greeting(raw, self._over)
                return
            context = self._certificates.contexts["good" if fault is None else fault.tls]
            with context.wrap_socket(raw, server_side=True) as tls:
                # The first tokens come over one connection, and the last of them ends it.
                while self._receives(tls) < self._tokens:
                    tls.sendall(token(GOOD, 7200).replace(b"close", b"keep-alive"))
                answer = token(GOOD, 7200) if fault is None else fault.answer
                if isinstance(answer, bytes):
                    tls.sendall(answer)
                else:
                    answer(tls, self._over)
                tls.settimeout(0)  # say goodbye, and wait for none
                tls.unwrap()


def _head(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        received = connection.recv(65536)
        if not received:
            raise ConnectionError("the client has left")
        data += received
    return data


def _request(connection: socket.socket) -> bytes:
    data = _head(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: *([0-9]+)", head)
    while length is not None and len(body) < int(length[1]):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


@contextmanager
def serving(certificates: Certificates, *, tokens: int, proxied: bool = False) -> Iterator[Server]:
    """Serve while the context lasts."""
    server = Server(certificates, tokens=tokens, proxied=proxied)
    try:
        yield server
    finally:
        server.stop()
