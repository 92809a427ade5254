"""What a fault is, and how its octets are written."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from azure.core.exceptions import (
    DecodeError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
)

# Tokens that nobody issued. The first is what a credential has before the fault, the second what a fault hands out.
GOOD = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJvbGRlci1hY2Nlc3MtdG9rZW4ifQ.c2lnbmF0dXJlLW9mLXRoZS1vbGRlci10b2tlbg"
TOKEN = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJuZXdlci1hY2Nlc3MtdG9rZW4ifQ.c2lnbmF0dXJlLW9mLXRoZS1uZXdlci10b2tlbg"

Answer = Callable[[socket.socket, threading.Event], None]
Errors = tuple[type[Exception], ...]

# The connection was never made, and the request never left.
UNREACHED: Errors = (ServiceRequestError,)
# The connection broke after the request, or what came is no HTTP.
BROKEN: Errors = (ServiceResponseError, HttpResponseError, IncompleteReadError, DecodeError)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault, and what a credential with one retry makes of it.

    :ivar claim: what happens, in words.
    :ivar answer: the octets that follow a token request, or a function that sends them.
    :ivar errors: what an acquisition raises, one of these exactly; none if it brings :data:`TOKEN`.
    :ivar either: that it brings :data:`TOKEN` is as good, and so is a retry: implementations differ.
    :ivar lasts: that the token is not over at once.
    :ivar requests: how many token requests arrive whole.
    :ivar seconds: within which an acquisition ends.
    :ivar tls: the server's side of TLS, by name.
    :ivar greeting: a function that has the connection in the place of TLS.
    :ivar proxy: what a proxy answers to CONNECT; every connection goes through one then.
    :ivar resolve: takes the place of ``socket.getaddrinfo``.
    :ivar options: of the credential.
    """

    claim: str
    answer: bytes | Answer = b""
    errors: Errors = ()
    either: bool = False
    lasts: bool = True
    requests: int = 1
    seconds: float = 5.0
    tls: str = "good"
    greeting: Answer | None = None
    proxy: bytes | None = None
    resolve: Callable[..., Any] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


def response(
    status: int | str, body: bytes = b"", *fields: str, content_type: str | None = "application/json"
) -> bytes:
    """Return a whole response; ``Content-Length`` and ``Connection: close`` are added."""
    kind = [] if content_type is None else [f"Content-Type: {content_type}"]
    return raw(status, body, *kind, f"Content-Length: {len(body)}", *fields)


def raw(status: int | str, body: bytes, *fields: str) -> bytes:
    """Return a response with these fields alone, and ``Connection: close``."""
    lines = [f"HTTP/1.1 {status}" + (" Reason" if isinstance(status, int) else ""), *fields, "Connection: close"]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def token_body(value: str = TOKEN, expires_in: object = 3600, **more: object) -> bytes:
    """Return the JSON of a token response."""
    return json.dumps({"token_type": "Bearer", "expires_in": expires_in, "access_token": value, **more}).encode()


def token(value: str = TOKEN, expires_in: object = 3600, *fields: str) -> bytes:
    """Return a token response."""
    return response(200, token_body(value, expires_in), *fields)
