"""Connections of the loopback interface: how a request comes in, and how an answer goes out, late or not at all."""

from __future__ import annotations

import socket
import socketserver
import ssl
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler
from typing import Any

from azure_certvar_credential.testing.http import MAX_REQUEST_BYTES, Emulator, Request, Response

_HANDSHAKE_SECONDS = 10
_IDLE_SECONDS = 60
_STOP_SECONDS = 5

# SO_LINGER with a time of zero: closing sends RST instead of FIN.
_ABORT = struct.pack("ii", 1, 0)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body go out in one write, and nothing waits for more.
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Listener

    def setup(self) -> None:
        # Here and not in the accept loop: a client that is slow to shake hands keeps nobody else waiting.
        connection: socket.socket = self.request
        if self.server.tls is not None:
            connection = self.server.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        self.request = connection
        connection.settimeout(_HANDSHAKE_SECONDS)
        try:
            self.server.opened(connection)
            if isinstance(connection, ssl.SSLSocket):
                connection.do_handshake()
        except BaseException:
            self.server.closed(connection)
            raise
        connection.settimeout(_IDLE_SECONDS)
        super().setup()

    def finish(self) -> None:
        try:
            super().finish()
        finally:
            self.server.closed(self.request)

    def exchange(self) -> None:
        body = self._read_body()
        if body is None:
            return
        url = f"{self.server.scheme}://{self.headers.get('Host', f'localhost:{self.server.port}')}{self.path}"
        request = Request(self.command, url, dict(self.headers.items()), body)
        self._deliver(self.server.emulator.handle(request))

    # The names that http.server calls.
    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = exchange  # noqa: N815

    def _read_body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0" if self.command != "POST" else "")
        if not length.isdecimal():
            self.send_error(411)
        elif int(length) > MAX_REQUEST_BYTES:
            self.send_error(413)
        else:
            return self.rfile.read(int(length))
        self.close_connection = True
        return None

    def _deliver(self, response: Response) -> None:
        delivery = response.delivery
        if delivery.delay:
            # Not sleep: a server that is told to stop does not wait for it.
            self.server.stopping.wait(delivery.delay)
        if delivery.hold is not None:
            delivery.hold.wait(delivery.hold.seconds)
        if delivery.reset is not None or self.server.stopping.is_set():
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
            return
        # Not send_response: the date is the emulator's.
        self.send_response_only(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if delivery.sent is not None:
            self.close_connection = True
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body[: delivery.sent])

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        """Write no log: the emulator keeps the record of requests."""


class Listener(socketserver.ThreadingTCPServer):
    """Accepts connections on a port of 127.0.0.1 and serves each in a thread of its own.

    :param emulator: who answers.
    :param tls: with which certificate; None for plain HTTP.
    """

    daemon_threads = True
    allow_reuse_address = True
    # A backlog for hundreds of clients that connect in the same moment.
    request_queue_size = 512

    def __init__(self, emulator: Emulator, tls: ssl.SSLContext | None) -> None:
        self.emulator = emulator
        self.tls = tls
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._open: dict[socket.socket, threading.Thread] = {}
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def scheme(self) -> str:
        """The scheme of its URLs."""
        return "http" if self.tls is None else "https"

    @property
    def port(self) -> int:
        """The port that the system chose."""
        return int(self.server_address[1])

    def opened(self, connection: socket.socket) -> None:
        """Remember a connection and the thread that serves it.

        :raises ConnectionAbortedError: the server is stopping, and has closed what it knew already.
        """
        with self._lock:
            if self.stopping.is_set():
                raise ConnectionAbortedError
            self._open[connection] = threading.current_thread()

    def closed(self, connection: socket.socket) -> None:
        """Close a connection and forget it."""
        connection.close()
        with self._lock:
            self._open.pop(connection, None)

    def handle_error(self, request: socket.socket | tuple[bytes, socket.socket], client_address: Any) -> None:
        """Report what went wrong in a handler, except what only says that the client went away."""
        # A client that does not trust the certificate, gives up waiting or is killed ends in one of these (SSLError
        # and TimeoutError among them); it has its own error to tell, and the server has nothing to report.
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        """End every connection and wait, a few seconds at most, for the threads that serve them."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        self.emulator.release()
        with self._lock:
            connections = dict(self._open)
        for connection in connections:
            try:
                # The plain socket's method: that of SSLSocket takes the TLS state away from the thread that reads.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
            except OSError:
                # Closed by its own thread or by the client in the meantime, which is what was wanted.
                continue
        deadline = time.monotonic() + _STOP_SECONDS
        for thread in connections.values():
            thread.join(max(0.0, deadline - time.monotonic()))


def start(listener: Listener, name: str) -> None:
    """Serve in a thread.

    :param listener: who serves.
    :param name: what the thread is called.
    """
    # The poll interval is what closing has to wait for.
    threading.Thread(target=listener.serve_forever, args=(0.02,), name=name, daemon=True).start()
