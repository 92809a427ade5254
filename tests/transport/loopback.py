"""A real HTTP server on loopback whose answers a test writes octet by octet."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs


@dataclass
class Received:
    """A request as it arrived."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode(), strict_parsing=True).items()}


class Exchange:
    """One request and the connection to answer it on."""

    def __init__(self, handler: BaseHTTPRequestHandler, received: Received) -> None:
        self._handler = handler
        self.received = received

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        """Answer completely; underscores in header names become hyphens."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        self.begin(status, Content_Length=str(len(body)), **fields)
        self._handler.wfile.write(body)

    def begin(self, status: int, **headers: str) -> None:
        """Send the status and the headers only."""
        self._handler.send_response(status)
        for name, value in headers.items():
            self._handler.send_header(name.replace("_", "-"), value)
        self._handler.end_headers()

    def write(self, octets: bytes) -> None:
        """Send a part of the body."""
        self._handler.wfile.write(octets)

    def hang_up(self) -> None:
        """End the connection in an orderly way."""
        self._handler.close_connection = True

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        connection = self._handler.connection
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._handler.rfile.close()
        connection.close()
        raise ConnectionResetError


Respond = Callable[[Exchange], None]


@dataclass
class Server:
    """A running server.

    :ivar url: where it listens.
    :ivar received: the requests so far.
    """

    url: str
    received: list[Received] = field(default_factory=list)


@contextmanager
def serving(*responses: Respond, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Serve while the context lasts; each response is used once, the last one for all requests that follow.

    :param tls: the server's side of TLS, if any.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 20

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            received = Received(self.requestline, {k.lower(): v for k, v in self.headers.items()}, body)
            with lock:
                respond = responses[min(len(server.received), len(responses) - 1)]
                server.received.append(received)
            try:
                respond(Exchange(self, received))
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the client has read enough, which some tests are about

        do_GET = do_POST  # a redirect that is followed arrives as GET, and must be seen  # noqa: N815

        def handle(self) -> None:
            try:
                super().handle()
            except (ssl.SSLError, ConnectionError):
                self.close_connection = True  # a handshake that one side refused

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing: pytest shows the tests' own output."""

    lock = threading.Lock()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        server = Server(f"{'https' if tls else 'http'}://127.0.0.1:{listener.server_port}")
        if tls is not None:
            # The handshake is the handler's, so that a client which breaks it off does not end the listener.
            listener.socket = tls.wrap_socket(listener.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown()
            thread.join()


def token(value: str = "a.b.c") -> Respond:
    """Answer with a token."""
    body = json.dumps({"token_type": "Bearer", "expires_in": 3599, "access_token": value}).encode()
    return lambda exchange: exchange.answer(200, body, Content_Type="application/json", Cache_Control="no-store")


def unused_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
