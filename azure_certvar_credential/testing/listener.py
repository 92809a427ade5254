"""The HTTP server behind the emulators: reads requests from sockets and delivers answers, late or not at all."""

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
    # Send headers and body in one write, without waiting for more.
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Listener

    def setup(self) -> None:
        # Not in the accept loop: there, a client with a slow handshake would block every other client.
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

    # http.server dispatches to these names.
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
            # Not sleep: stop() ends this wait.
            self.server.stopping.wait(delivery.delay)
        if delivery.hold is not None:
            delivery.hold.wait(delivery.hold.seconds)
        if delivery.reset is not None or self.server.stopping.is_set():
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
            return
        # Not send_response, which would add the computer's date; the emulator has its own clock.
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
        """Write no log: the emulator records the requests."""


class Listener(socketserver.ThreadingTCPServer):
    """Accepts connections on a port of 127.0.0.1 and serves each in its own thread.

    :param emulator: answers the requests.
    :param tls: the TLS context with the server's certificate; None for plain HTTP.
    :param port: the port; 0 lets the system choose.
    """

    daemon_threads = True
    allow_reuse_address = True
    # Room for hundreds of clients that connect at the same moment.
    request_queue_size = 512

    def __init__(self, emulator: Emulator, tls: ssl.SSLContext | None, port: int = 0) -> None:
        self.emulator = emulator
        self.tls = tls
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._open: dict[socket.socket, threading.Thread] = {}
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def scheme(self) -> str:
        """The scheme of the server's URLs."""
        return "http" if self.tls is None else "https"

    @property
    def port(self) -> int:
        """The port."""
        return int(self.server_address[1])

    def opened(self, connection: socket.socket) -> None:
        """Register a connection and the thread that serves it.

        :raises ConnectionAbortedError: the server is stopping and has already closed the registered connections.
        """
        with self._lock:
            if self.stopping.is_set():
                raise ConnectionAbortedError
            self._open[connection] = threading.current_thread()

    def closed(self, connection: socket.socket) -> None:
        """Close a connection and unregister it."""
        connection.close()
        with self._lock:
            self._open.pop(connection, None)

    def handle_error(self, request: socket.socket | tuple[bytes, socket.socket], client_address: Any) -> None:
        """Report an error of a handler, unless it means that the client went away."""
        # A client that distrusts the certificate, times out or is killed causes an OSError (SSLError and TimeoutError
        # among them). The client reports that itself.
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        """End every connection and wait a few seconds at most for the threads that serve them."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        self.emulator.release()
        with self._lock:
            connections = dict(self._open)
        for connection in connections:
            try:
                # The plain socket's method: SSLSocket's would discard the TLS state that another thread reads.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
            except OSError:
                # Its thread or the client has closed it meanwhile, which is the aim.
                continue
        deadline = time.monotonic() + _STOP_SECONDS
        for thread in connections.values():
            thread.join(max(0.0, deadline - time.monotonic()))


def start(listener: Listener, name: str) -> None:
    """Run a listener in a daemon thread.

    :param listener: the listener.
    :param name: the thread's name.
    """
    # stop() waits for one poll interval.
    threading.Thread(target=listener.serve_forever, args=(0.02,), name=name, daemon=True).start()
