"""A stand-in for the front of a PostgreSQL server: it verifies the password, and answers a few questions of clients.

It speaks version 3 of the protocol (https://www.postgresql.org/docs/current/protocol.html), over TLS only.
"""

from __future__ import annotations

import socketserver
import struct

import jwt

from local.scene import Scene, listen, say

_AUDIENCE = "https://ossrdbms-aad.database.windows.net"
_SSL_REQUEST, _VERSION_3 = 80877103, 196608
_SETTINGS = {"server_version": "17.0", "client_encoding": "UTF8", "standard_conforming_strings": "on"}
_ANSWERS = {
    "select pg_catalog.version()": "PostgreSQL 17.0, a stand-in",
    "select current_schema()": "public",
    "show standard_conforming_strings": "on",
    "show transaction isolation level": "read committed",
}


def start(scene: Scene) -> dict[str, str]:
    """Start it and return the variables that libpq reads."""

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            """Serve a connection until the client ends it."""
            _, code = struct.unpack("!ii", self.rfile.read(8))
            if code != _SSL_REQUEST:
                self.send(b"E", b"SFATAL\0C08P01\0Mthis server wants TLS\0\0")
                return
            self.wfile.write(b"S")
            self.request = scene.tls.wrap_socket(self.request, server_side=True)
            self.setup()
            length, code = struct.unpack("!ii", self.rfile.read(8))
            fields = self.rfile.read(length - 8).decode().split("\0")
            self.user = dict(zip(fields[::2], fields[1::2], strict=False))["user"]
            self.send(b"R", struct.pack("!i", 3))
            password = self.receive()[1].rstrip(b"\0").decode()
            try:
                scene.verify(password, _AUDIENCE)
            except jwt.InvalidTokenError as error:
                self.send(b"E", f"SFATAL\0C28P01\0Mthe password is no valid token: {error}\0\0".encode())
                return
            say("PostgreSQL is a stand-in; it verified the token in the password")
            self.send(b"R", struct.pack("!i", 0))
            for name, value in _SETTINGS.items():
                self.send(b"S", f"{name}\0{value}\0".encode())
            status = b"I"
            self.send(b"Z", status)
            while (received := self.receive())[0] == b"Q":
                status = self.answer(received[1].rstrip(b"\0").decode().strip(), status)
                self.send(b"Z", status)

        def answer(self, query: str, status: bytes) -> bytes:
            """Answer a query, and return the status of the transaction after it."""
            if query in {"BEGIN", "COMMIT", "ROLLBACK"}:
                self.send(b"C", f"{query}\0".encode())
                return b"T" if query == "BEGIN" else b"I"
            value = (_ANSWERS | {"select current_user": self.user}).get(query.lower())
            if value is None:
                self.send(b"E", f"SERROR\0C0A000\0M--local has no answer to {query}\0\0".encode())
                return b"I" if status == b"I" else b"E"
            self.send(b"T", b"\0\x01answer\0" + struct.pack("!ihihih", 0, 0, 25, -1, -1, 0))
            self.send(b"D", struct.pack("!hi", 1, len(value)) + value.encode())
            self.send(b"C", b"SELECT 1\0")
            return status

        def send(self, kind: bytes, body: bytes) -> None:
            """Send a message."""
            self.wfile.write(kind + struct.pack("!i", len(body) + 4) + body)

        def receive(self) -> tuple[bytes, bytes]:
            """Return the next message's kind and body; a closed connection counts as 'Terminate'."""
            head = self.rfile.read(5)
            return (head[:1], self.rfile.read(struct.unpack("!i", head[1:])[0] - 4)) if len(head) == 5 else (b"X", b"")

        def finish(self) -> None:
            """Close the TLS connection; the server closes the plain one alone."""
            super().finish()
            self.request.close()

    names = {"PGHOST": "localhost", "PGPORT": str(listen(Session)), "PGUSER": "orders", "PGDATABASE": "orders"}
    return {**names, "PGSSLMODE": "verify-full", "PGSSLROOTCERT": str(scene.trusted)}
