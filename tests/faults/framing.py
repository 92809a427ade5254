"""Answers that are no HTTP, or are cut, or whose length is not what it says."""

from __future__ import annotations

from collections.abc import Iterator

from azure_certvar_credential.exceptions import ResponseFormatError
from tests.faults.fault import BROKEN, TOKEN, Errors, Fault, raw, token, token_body

_BODY = token_body()
_N = len(_BODY)
_CHUNK = f"{_N:x}".encode()

# No answer can be made of these: the connection counts as broken.
_BROKEN = {
    "no answer": b"",
    "a body without a status line": _BODY + b"\r\n",
    "a token without a status line": TOKEN.encode() + b"\r\n\r\n",
    "half of a status line": b"HTTP/1.1 20",
    "a status that is a word": b"HTTP/1.1 OK fine\r\nContent-Length: 0\r\n\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
    "plain zeros": bytes(400),
    "headers that end in the middle": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Le",
    "a header without end": b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 200_000 + b"\r\n\r\n",
    "ten thousand headers": b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(10_000)) + b"\r\n",
    "a length that is a word": raw(200, _BODY, "Content-Length: abc"),
    "a length without digits": raw(200, _BODY, "Content-Length: "),
    "a length of 5,000 digits": raw(200, _BODY, "Content-Length: " + "9" * 5000),
    "two lengths that differ": raw(200, _BODY, f"Content-Length: {_N}", f"Content-Length: {_N + 1}"),
    "a list of lengths that differ": raw(200, _BODY, f"Content-Length: {_N}, {_N + 1}"),
    "a body that is shorter than its length": raw(200, _BODY, f"Content-Length: {_N + 10}"),
    "half of a body": raw(200, _BODY[: _N // 2], f"Content-Length: {_N}"),
    "chunked without chunks": raw(200, _BODY + b"\r\n", "Transfer-Encoding: chunked"),
    "a chunk below zero": raw(200, b"-5\r\n" + _BODY, "Transfer-Encoding: chunked"),
    "a chunk of letters": raw(200, b"xyz\r\n" + _BODY, "Transfer-Encoding: chunked"),
    "a chunk without digits": raw(200, b"\r\n" + _BODY, "Transfer-Encoding: chunked"),
    "a chunk that is shorter than it says": raw(200, b"fff\r\n" + _BODY, "Transfer-Encoding: chunked"),
    "chunks without end": raw(200, _CHUNK + b"\r\n" + _BODY[: _N // 2], "Transfer-Encoding: chunked"),
    "a chunk of 4,000 digits": raw(200, b"f" * 4000 + b"\r\n" + _BODY, "Transfer-Encoding: chunked"),
}

# Implementations differ about these, and each reading is sound: RFC 9112 section 6.3 lets a client be strict.
_EITHER: dict[str, tuple[bytes, Errors]] = {
    "two lengths that agree": (raw(200, _BODY, f"Content-Length: {_N}", f"Content-Length: {_N}"), BROKEN),
    "a list of lengths that agree": (raw(200, _BODY, f"Content-Length: {_N}, {_N}"), BROKEN),
    "a length below zero": (raw(200, _BODY, "Content-Length: -5"), BROKEN),
    "a length with a sign": (raw(200, _BODY, f"Content-Length: +{_N}"), BROKEN),
    "chunks and a length": (
        raw(200, _CHUNK + b"\r\n" + _BODY + b"\r\n0\r\n\r\n", "Transfer-Encoding: chunked", "Content-Length: 5"),
        (*BROKEN, ResponseFormatError),
    ),
    "no version": (b"HTTP 200 OK\r\nContent-Length: 0\r\n\r\n", (*BROKEN, ResponseFormatError)),
    "version 9": (b"HTTP/9.9 200 OK\r\nContent-Length: 0\r\n\r\n", (*BROKEN, ResponseFormatError)),
    "a status of four digits": (b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n", (*BROKEN, ResponseFormatError)),
    "a status below 100": (b"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n", (*BROKEN, ResponseFormatError)),
    "a field without a name": (raw(200, b"", ": x", "Content-Length: 0"), (*BROKEN, ResponseFormatError)),
    "a field without a colon": (raw(200, b"", "oops", "Content-Length: 0"), (*BROKEN, ResponseFormatError)),
    "a NUL in a field": (raw(200, b"", "X: a\0b", "Content-Length: 0"), (*BROKEN, ResponseFormatError)),
    "no length at all, and the half of a body": (raw(200, _BODY[: _N // 2]), (*BROKEN, ResponseFormatError)),
    "101 Switching Protocols": (raw(101, b"", "Upgrade: h2c", "Connection: Upgrade"), (*BROKEN, ResponseFormatError)),
    "103 Early Hints before a token": (b"HTTP/1.1 103 Early Hints\r\n\r\n" + token(), (ResponseFormatError,)),
    "a length of zero before a token": (raw(200, _BODY, "Content-Length: 0"), (ResponseFormatError, *BROKEN)),
    "a body that is longer than its length": (
        raw(200, _BODY + b"more", f"Content-Length: {_N}"),
        (ResponseFormatError, *BROKEN),
    ),
    "octets after the end": (token() + b"GARBAGE", BROKEN),
    "empty lines in front": (b"\r\n\r\n" + token(), BROKEN),
    "lines that end in LF alone": (token().replace(b"\r\n", b"\n"), BROKEN),
}

_TOKENS = {
    "no length": raw(200, _BODY),
    "chunks": raw(200, _CHUNK + b"\r\n" + _BODY + b"\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
    "chunks of one octet": raw(
        200, b"".join(b"1\r\n%c\r\n" % octet for octet in _BODY) + b"0\r\n\r\n", "Transfer-Encoding: chunked"
    ),
    "100 Continue before it": b"HTTP/1.1 100 Continue\r\n\r\n" + token(),
    "100 Continue three times before it": b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + token(),
}


def faults() -> Iterator[Fault]:
    """Yield the rows."""
    for claim, octets in _BROKEN.items():
        yield Fault(claim=claim, answer=octets, errors=BROKEN, requests=2)
    for claim, (octets, errors) in _EITHER.items():
        yield Fault(claim=claim, answer=octets, errors=errors, either=True)
    for claim, octets in _TOKENS.items():
        yield Fault(claim=f"a token with {claim}", answer=octets)
