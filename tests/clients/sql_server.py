"""SQL Server as far as a sign-in with a token goes: TDS 8.0, which is TDS in TLS from the first octet.

It verifies the token that the login record carries, and answers each batch with nothing at all.
[MS-TDS]: https://learn.microsoft.com/openspecs/windows_protocols/ms-tds
"""

from __future__ import annotations

import socketserver
import ssl
import struct
import threading
from collections.abc import Iterator
from typing import Any, Final

from joserfc.errors import JoseError

from tests.clients.resource import KeyRing

AUDIENCE: Final = "https://database.windows.net"
_PRELOGIN, _LOGIN7, _RESPONSE = 0x12, 0x10, 0x04
_LAST_PACKET: Final = 0x01
_END: Final = 0xFF
_FEDAUTH: Final = 0x02
_DONE: Final = struct.pack("<BHHQ", 0xFD, 0, 0, 0)
_DONE_WITH_ERROR: Final = struct.pack("<BHHQ", 0xFD, 2, 0, 0)


def login_token(record: bytes) -> str:
    """The token in the feature extension of a login record, section 2.2.6.4."""
    (pointer,) = struct.unpack_from("<H", record, 56)
    (offset,) = struct.unpack_from("<I", record, pointer)
    while record[offset] != _END:
        feature, length = struct.unpack_from("<BI", record, offset)
        if feature == _FEDAUTH:
            (size,) = struct.unpack_from("<I", record, offset + 6)
            return record[offset + 10 : offset + 10 + size].decode("utf-16-le")
        offset += 5 + length
    raise ValueError("the login record has no token")


class SqlServer(socketserver.ThreadingTCPServer):
    """Serves on 127.0.0.1 while it is open.

    :param tls: a server context with the certificate for ``localhost``.
    :param keys: what verifies the tokens.
    :ivar logins: the claims of the tokens that signed in.
    """

    daemon_threads = True

    def __init__(self, tls: ssl.SSLContext, keys: KeyRing) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        tls.set_alpn_protocols(["tds/8.0"])
        self.tls, self.keys = tls, keys
        self.logins: list[dict[str, Any]] = []
        self.port = int(self.server_address[1])

    def __enter__(self) -> SqlServer:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.shutdown()
        self.server_close()


class _Session(socketserver.BaseRequestHandler):
    server: SqlServer

    def handle(self) -> None:
        with self.server.tls.wrap_socket(self.request, server_side=True) as connection:
            connection.settimeout(20)
            stream = connection.makefile("rb")
            for kind, message in _messages(stream):
                connection.sendall(_packet(self._answer(kind, message)))

    def _answer(self, kind: int, message: bytes) -> bytes:
        if kind == _PRELOGIN:
            return _prelogin()
        if kind != _LOGIN7:
            return _DONE
        try:
            claims = self.server.keys.verify(login_token(message), AUDIENCE)
        except (JoseError, ValueError):
            return _error(18456, "Login failed for user '<token-identified principal>'.") + _DONE_WITH_ERROR
        self.server.logins.append(claims)
        name = "Microsoft SQL Server"
        acknowledged = struct.pack("<B", 1) + message[7:3:-1] + _text(name) + bytes([16, 0, 4, 0])
        return (
            struct.pack("<BH", 0xAD, len(acknowledged))
            + acknowledged
            + struct.pack("<BBIB", 0xAE, _FEDAUTH, 0, _END)
            + _DONE
        )


def _messages(stream: Any) -> Iterator[tuple[int, bytes]]:
    """Each message of the client: its type, and the contents of its packets."""
    message = b""
    while len(header := stream.read(8)) == 8:
        kind, status, length = struct.unpack_from(">BBH", header)
        message += stream.read(length - 8)
        if status & _LAST_PACKET:
            yield kind, message
            message = b""


def _packet(contents: bytes) -> bytes:
    return struct.pack(">BBHHBB", _RESPONSE, _LAST_PACKET, len(contents) + 8, 0, 1, 0) + contents


def _prelogin() -> bytes:
    """Version, encryption, instance, thread, MARS, and that a token is wanted: section 2.2.6.5."""
    options = {0: bytes([16, 0, 0, 0, 0, 0]), 1: b"\x01", 2: b"\x00", 3: b"", 4: b"\x00", 6: b"\x01"}
    offset, table, data = 5 * len(options) + 1, b"", b""
    for option, value in options.items():
        table += struct.pack(">BHH", option, offset + len(data), len(value))
        data += value
    return table + bytes([_END]) + data


def _text(text: str) -> bytes:
    return bytes([len(text)]) + text.encode("utf-16-le")


def _error(number: int, text: str) -> bytes:
    message = struct.pack("<IBBH", number, 1, 14, len(text)) + text.encode("utf-16-le") + _text("server") + _text("")
    message += struct.pack("<I", 1)
    return struct.pack("<BH", 0xAA, len(message)) + message
