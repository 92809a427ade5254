"""Servers that send something now and then, or nothing: no single read takes too long, and the whole never ends."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

from azure_certvar_credential.exceptions import AcquisitionTimeoutError
from tests.faults.fault import Answer, Fault

# Of the whole acquisition, and the margin of a busy machine.
TIMEOUT = 0.25
_MARGIN = 2.0

_HEAD = b"HTTP/1.1 200 OK\r\n"
# The header of a member (RFC 1952 section 2.3); empty blocks follow (RFC 1951 section 3.2.4).
_GZIP = b"\x1f\x8b\x08\0\0\0\0\0\0\3"


def _drips(first: bytes, again: bytes) -> Answer:
    """Send some octets, and others again and again."""

    def answer(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(first)
        while not over.wait(0.05):
            connection.sendall(again)

    return answer


def _waits(connection: socket.socket, over: threading.Event) -> None:
    over.wait()


_ANSWERS: dict[str, Answer] = {
    "sends nothing": _waits,
    "sends its status line octet by octet": _drips(b"HTTP/1.1 200 ", b"O"),
    "sends a header octet by octet": _drips(_HEAD + b"X: ", b"a"),
    "sends headers without end": _drips(_HEAD, b"X: a\r\n"),
    "sends its body octet by octet": _drips(_HEAD + b"Content-Length: 900000\r\n\r\n", b" "),
    "sends a body without a length octet by octet": _drips(_HEAD + b"\r\n", b" "),
    "sends chunks without end": _drips(_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "sends the size of a chunk octet by octet": _drips(_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    "sends 100 Continue without end": _drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "sends gzip without end": _drips(_HEAD + b"Content-Encoding: gzip\r\n\r\n" + _GZIP, b"\0\0\0\xff\xff"),
}


def faults() -> Iterator[Fault]:
    """Yield the rows."""
    for claim, answer in _ANSWERS.items():
        yield _slow(claim, answer=answer)
    yield _slow("never answers in TLS", greeting=_waits, requests=0)
    yield _slow("sends its TLS octet by octet", greeting=_drips(b"\x16\x03\x03\x20\x00", b"\x02"), requests=0)


def _slow(claim: str, *, requests: int = 1, answer: Answer = _waits, greeting: Answer | None = None) -> Fault:
    return Fault(
        claim=f"a server that {claim}",
        answer=answer,
        greeting=greeting,
        errors=(AcquisitionTimeoutError,),
        requests=requests,
        seconds=TIMEOUT + _MARGIN,
        options={"timeout": TIMEOUT},
    )
