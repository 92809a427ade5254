"""An HTTPS server on loopback with a thread for each connection, for resource servers that the tests write."""

from __future__ import annotations

import socket
import socketserver
import ssl
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any, Final

IDLE_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request.

    :ivar target: the path with its query, as the request line has it.
    :ivar headers: header fields, names in lower case.
    :ivar client_port: the client's TCP port, which tells connections apart.
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    client_port: int


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response; Content-Length is added when it is sent."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpsServer:
    """Serves on 127.0.0.1 over TLS while it is open: HTTP/1.1, hundreds of connections at once, kept alive.

    :param tls: a server context with the certificate for the host name under which clients call.
    :param answer: answers a request; called by many threads at once.
    :ivar port: the TCP port, chosen by the system.
    """

    def __init__(self, tls: ssl.SSLContext, answer: Callable[[Request], Response]) -> None:
        self._listener = _Listener(tls, answer)
        self.port = int(self._listener.server_address[1])

    def __enter__(self) -> HttpsServer:
        # The poll interval is what closing has to wait for.
        threading.Thread(target=self._listener.serve_forever, args=(0.02,), name="https-server", daemon=True).start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listener.stop()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body go out in one write, and nothing waits for more.
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Listener

    def setup(self) -> None:
        # Here and not in the accept loop: a client that is slow to shake hands keeps nobody else waiting.
        self.request = self.server.tls.wrap_socket(self.request, server_side=True, do_handshake_on_connect=False)
        self.request.settimeout(IDLE_SECONDS)
        self.server.opened(self.request)
        super().setup()

    def finish(self) -> None:
        try:
            super().finish()
        finally:
            self.server.closed(self.request)

    def exchange(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        response = self.server.answer(Request(self.command, self.path, headers, body, self.client_address[1]))
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = exchange  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Write no log: what a test wants to know, its server records."""


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    # A backlog for hundreds of clients that connect in the same moment.
    request_queue_size = 512

    def __init__(self, tls: ssl.SSLContext, answer: Callable[[Request], Response]) -> None:
        self.tls = tls
        self.answer = answer
        self._lock = threading.Lock()
        self._open: dict[socket.socket, threading.Thread] = {}
        super().__init__(("127.0.0.1", 0), _Handler)

    def opened(self, connection: socket.socket) -> None:
        """Remember a connection and the thread that serves it."""
        with self._lock:
            self._open[connection] = threading.current_thread()

    def closed(self, connection: socket.socket) -> None:
        """Close a connection and forget it."""
        connection.close()
        with self._lock:
            self._open.pop(connection, None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report what went wrong in a handler, except what only says that the client went away."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        """End every connection and wait, a few seconds at most, for the threads that serve them."""
        self.shutdown()
        self.server_close()
        with self._lock:
            connections = dict(self._open)
        for connection in connections:
            try:
                # The plain socket's method: that of SSLSocket takes the TLS state away from the thread that reads.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
            except OSError:
                continue  # closed in the meantime, which is what was wanted
        deadline = time.monotonic() + _STOP_SECONDS
        for thread in connections.values():
            thread.join(max(0.0, deadline - time.monotonic()))
