"""Bodies with status 200 whose JSON or encoding is odd."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator

from azure_certvar_credential.exceptions import AuthenticationError, ResponseFormatError, TemporarilyUnavailableError
from tests.faults.fault import BROKEN, GOOD, TOKEN, Errors, Fault, raw, response, token_body

_MIB = 1 << 20
_BODY = token_body()
_TEXT = _BODY.decode()

# All these are complete answers that are no token: once is enough.
_NO_TOKENS: dict[str, bytes] = {
    "null": b"null",
    "true": b"true",
    "a number": b"1e999",
    "a string": json.dumps(TOKEN).encode(),
    "a list with a token": b"[" + _BODY + b"]",
    "an empty object": b"{}",
    "two objects": _BODY + _BODY,
    "a token and a comma": _BODY + b",",
    "a token in single quotes": _BODY.replace(b'"', b"'"),
    "half of a token": _BODY[: len(_BODY) // 2],
    "a token that is form-encoded": f"access_token={TOKEN}&token_type=Bearer&expires_in=3600".encode(),
    "a token that is no string": token_body().replace(f'"{TOKEN}"'.encode(), b'{"value":1}'),
    "an empty token": token_body(""),
    "a token of white space": token_body("   "),
    "a token with a line break": token_body("a.b.c\r\nX-Injected: 1"),
    "a token with a NUL": token_body("a\0b"),
    "a token in other letters": token_body("tökén"),
    "a token with half of a surrogate pair": _TEXT.replace(TOKEN, r"a\ud800b").encode(),
    "no token": b'{"token_type":"Bearer","expires_in":3600}',
    "no token type": b'{"access_token":"a.b.c","expires_in":3600}',
    "another token type": token_body().replace(b"Bearer", b"mac"),
    "a token type that is a list": token_body().replace(b'"Bearer"', b'["Bearer"]'),
    "names in capitals": token_body().replace(b"access_token", b"ACCESS_TOKEN"),
    "objects 100,000 deep": b'{"a":' * 100_000,
    "lists 100,000 deep": b"[" * 100_000 + b"]" * 100_000,
    "a token under objects 100,000 deep": _BODY[:-1] + b',"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a number of 100,000 digits": b'{"expires_in":' + b"9" * 100_000 + b"}",
    "a body of 2 MiB": _BODY[:-1] + b',"x":"' + b"a" * (2 * _MIB) + b'"}',
    "white space of 2 MiB before a token": b" " * (2 * _MIB) + _BODY,
    "a token of 2 MiB": token_body("a" * (2 * _MIB)),
    "a token in Latin-1": _BODY[:-1] + ',"x":"ü"}'.encode("latin-1"),
    # JSON on the wire is UTF-8, has each name once, and no NaN (RFC 8259 sections 8.1, 4 and 6).
    "a token in UTF-16": _TEXT.encode("utf-16"),
    "a token in UTF-16 without a BOM": _TEXT.encode("utf-16-le"),
    "a token in UTF-32": _TEXT.encode("utf-32"),
    "two tokens under one name": b'{"access_token":"' + GOOD.encode() + b'",' + _BODY[1:],
    "a token beside names that repeat 10,000 times": b"{" + b'"x":1,' * 10_000 + _BODY[1:],
    "a token beside NaN": _BODY[:-1] + b',"x":NaN}',
    "a page of HTML called JSON": b"<html>" + TOKEN.encode() + b"</html>",
}  # fmt: skip

_TOKENS: dict[str, bytes] = {
    "a token after a BOM": _TEXT.encode("utf-8-sig"),
    "a token in white space": b" \r\n\t" + _BODY + b"\n\n",
    "a token in escapes": _TEXT.replace(TOKEN, "".join(f"\\u{ord(c):04x}" for c in TOKEN)).encode(),
    "a token beside 100 lists in each other": _BODY[:-1] + b',"x":' + b"[" * 100 + b"]" * 100 + b"}",
    "a token beside half of a MiB": _BODY[:-1] + b',"x":"' + b"a" * (_MIB // 2) + b'"}',
    "a token of type bearer": token_body().replace(b"Bearer", b"bEARER"),
    "a token beside an odd refresh token": token_body(refresh_token=["x"], refresh_in="soon", id_token=5),
}

_ERRORS: dict[str, tuple[bytes, type[Exception]]] = {
    "an error beside a token": (token_body(error="oops"), AuthenticationError),
    "an error that quotes the token": (
        json.dumps({"error": "server_said", "error_description": f"refused: {TOKEN}"}).encode(),
        AuthenticationError,
    ),
    "an error with control characters": (
        b'{"error":"a\\u0000b","error_description":"\\u001b[31mred\\u202e"}',
        AuthenticationError,
    ),
    "an error with a surrogate": (b'{"error":"x","error_description":"\\ud800"}', AuthenticationError),
    "an error with codes that are none": (
        b'{"error":"x","error_codes":["a",true,null,1e400,-1,[]],"suberror":5,"claims":{}}',
        AuthenticationError,
    ),
    "an error of half a MiB": (
        json.dumps({"error": "x", "error_description": "ab " * (_MIB // 6)}).encode(),
        AuthenticationError,
    ),
    "an error that is null": (b'{"error":null}', ResponseFormatError),
    "an error that is null, beside a token": (token_body(error=None), ResponseFormatError),
    "an error that is a list": (b'{"error":["invalid_client"]}', ResponseFormatError),
}


def _encoded(
    claim: str, encoding: str, body: bytes, errors: Errors, requests: int = 1, *, either: bool = False
) -> Fault:
    return Fault(
        claim=claim,
        answer=response(200, body, f"Content-Encoding: {encoding}"),
        errors=errors,
        requests=requests,
        either=either,
    )


def _encodings() -> Iterator[Fault]:
    packed, deflated = gzip.compress(_BODY), zlib.compress(_BODY)
    bomb = gzip.compress(b" " * (64 * _MIB))
    # A server that was asked for "identity" need not be understood when it answers with anything else.
    may: Errors = (*BROKEN, ResponseFormatError)
    yield _encoded("gzip", "gzip", packed, may, either=True)
    yield _encoded("deflate", "deflate", deflated, may, either=True)
    yield _encoded("identity", "identity", _BODY, ())
    yield _encoded("an empty encoding", "", _BODY, (), either=True)
    yield _encoded("gzip of 64 MiB", "gzip", bomb, may, either=True)
    yield _encoded("gzip in gzip of 64 MiB", "gzip, gzip", gzip.compress(bomb), may, either=True)
    yield _encoded("gzip that is none", "gzip", _BODY, BROKEN, requests=2)
    yield _encoded("gzip with a wrong checksum", "gzip", packed[:-8] + bytes(8), may, either=True)
    yield _encoded("half of gzip", "gzip", packed[: len(packed) // 2], may, either=True)
    yield _encoded("deflate that is none", "deflate", _BODY, BROKEN, requests=2)
    yield _encoded("an encoding that nobody knows", "x-rot13", b"????", may, either=True)
    yield _encoded("a hundred encodings", ", ".join(["gzip"] * 100), _BODY, may, either=True)
    yield Fault(
        claim="gzip in chunks that end early",
        answer=raw(200, b"5\r\n" + packed[:5] + b"\r\n", "Transfer-Encoding: chunked", "Content-Encoding: gzip"),
        errors=(*BROKEN, ResponseFormatError),
        either=True,
    )


def _types() -> Iterator[Fault]:
    """Entra's type is application/json; the body decides, as it does for MSAL and azure-identity."""
    types = (
        "text/html",
        "text/plain; charset=utf-16",
        "application/x-www-form-urlencoded",
        "",
        "/;",
    )
    for kind in types:
        yield Fault(claim=f"a token of type {kind!r}", answer=response(200, _BODY, content_type=kind))
    # Python's parser of header fields misses the boundary, and counts the fields as broken.
    kind = "multipart/form-data"
    yield Fault(
        claim=f"a token of type {kind}", answer=response(200, _BODY, content_type=kind), errors=BROKEN, either=True
    )
    yield Fault(claim="a token of no type", answer=response(200, _BODY, content_type=None))


def faults() -> Iterator[Fault]:
    """Yield the rows."""
    for claim, body in _NO_TOKENS.items():
        yield Fault(claim=claim, answer=response(200, body), errors=(ResponseFormatError,))
    for claim, body in _TOKENS.items():
        yield Fault(claim=claim, answer=response(200, body))
    for claim, (body, error) in _ERRORS.items():
        yield Fault(claim=claim, answer=response(200, body), errors=(error,))
    yield Fault(
        claim="status 200 with temporarily_unavailable",
        answer=response(200, b'{"error":"temporarily_unavailable"}'),
        errors=(TemporarilyUnavailableError,),
        requests=2,
    )
    yield from _encodings()
    yield from _types()
