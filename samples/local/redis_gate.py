"""A redis-server behind a gate over TLS: the gate verifies the token, and then lets that user in with it."""

from __future__ import annotations

import secrets
import socket
import socketserver
import threading
from typing import BinaryIO

import jwt

from local import redis_server
from local.scene import Scene, listen, say

_PASSWORD = secrets.token_urlsafe()  # the gate's own, for the user "default"
_AUDIENCE = "https://redis.azure.com"


def start(scene: Scene) -> dict[str, str]:
    """Start both and return the variables that name the gate.

    :raises SystemExit: there is no redis-server.
    """
    path = redis_server.start(scene, "--requirepass", _PASSWORD)["REDIS_URL"].removeprefix("unix://")

    class Gate(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            """Pass commands on to the server and its answers back, until either ends the connection."""
            with (
                socket.socket(socket.AF_UNIX) as server,
                scene.tls.wrap_socket(self.request, server_side=True) as client,
            ):
                server.connect(path)
                threading.Thread(target=_copy, args=(server, client), daemon=True).start()
                commands = client.makefile("rb")
                while command := _read(commands):
                    _admit(command, scene, path)
                    server.sendall(
                        b"*%d\r\n" % len(command) + b"".join(b"$%d\r\n%b\r\n" % (len(w), w) for w in command)
                    )

    return {"REDIS_HOST": "localhost", "REDIS_PORT": str(listen(Gate))}


def _read(stream: BinaryIO) -> list[bytes]:
    """Return the words of the next command; none at the end of the stream."""
    head = stream.readline()
    words = []
    for _ in range(int(head[1:] or 0)):
        length = int(stream.readline()[1:])
        words.append(stream.read(length + 2)[:length])
    return words


def _admit(command: list[bytes], scene: Scene, path: str) -> None:
    """Let a user with a valid token in: have the server take it as the password. It refuses any other itself."""
    upper = [word.upper() for word in command]
    if b"AUTH" not in upper:
        return
    user, token = (word.decode() for word in command[upper.index(b"AUTH") + 1 :][:2])
    try:
        claims = scene.verify(token, _AUDIENCE)
    except jwt.InvalidTokenError:
        return
    if claims["oid"] == user:
        say("a gate before Redis verified the token")
        with socket.socket(socket.AF_UNIX) as server:
            server.connect(path)
            for line in (f"AUTH {_PASSWORD}", f"ACL SETUSER {user} on >{token} ~* &* +@all"):
                server.sendall(f"{line}\r\n".encode())
                if not (answer := server.recv(64)).startswith(b"+OK"):
                    raise RuntimeError(f"redis-server answered {answer!r}")


def _copy(source: socket.socket, target: socket.socket) -> None:
    """Send what comes from one connection to another, until either ends."""
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        return  # the peer has closed it, which ends the copying too
