"""A machine that a process may run on: its instance metadata service on loopback, answering whatever a test says."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# The pause in seconds between two octets of an answer in drops.
TRICKLE = 0.05
Respond = Callable[[BaseHTTPRequestHandler], None]


class Machine:
    """A running instance metadata service.

    :ivar address: host and port.
    :ivar received: method, path and headers of the requests so far.
    """

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.received: list[tuple[str, Mapping[str, str]]] = []


@contextmanager
def machine(respond: Respond) -> Iterator[Machine]:
    """Serve while the context lasts, and answer each request as told."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            running.received.append((self.requestline, headers))
            try:
                respond(self)
            except OSError:
                self.close_connection = True  # the client has read enough, or waited enough

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing: pytest shows the tests' own output."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        listener.daemon_threads = True
        running = Machine(("127.0.0.1", listener.server_port))
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield running
        finally:
            listener.shutdown()
            thread.join()


def saying(body: bytes, status: int = 200, **headers: str) -> Respond:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return respond


def nobody() -> tuple[str, int]:
    """Return an address at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address: tuple[str, int] = probe.getsockname()
        return address


def slow_down(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    trickle(handler)


def trickle(handler: BaseHTTPRequestHandler) -> None:
    while True:
        handler.wfile.write(b"x")
        time.sleep(TRICKLE)


def raw(octets: bytes) -> Respond:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(octets)
        handler.close_connection = True

    return respond
