"""A proxy in front of a server, which forwards at once and brings each answer late."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def late(port: int, seconds: float) -> Iterator[int]:
    """Yield the port of a proxy whose answers come so many seconds after the server's."""
    ended = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    connections: list[socket.socket] = []

    def forward(source: socket.socket, target: socket.socket, delay: float) -> None:
        try:
            while (data := source.recv(65536)) and not ended.wait(delay):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return  # one of the two has gone

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return  # the listener was closed
            server = socket.create_connection(("127.0.0.1", port))
            connections.extend((client, server))
            threading.Thread(target=forward, args=(client, server, 0.0), daemon=True).start()
            threading.Thread(target=forward, args=(server, client, seconds), daemon=True).start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield listener.getsockname()[1]
    finally:
        ended.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join()
        for connection in connections:
            connection.close()
