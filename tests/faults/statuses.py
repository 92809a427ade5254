"""Statuses from 200 to 599, each with every kind of body."""

from __future__ import annotations

from collections.abc import Iterator

from azure_certvar_credential.exceptions import AuthenticationError, ResponseFormatError, TemporarilyUnavailableError
from tests.faults.fault import Fault, response, token_body

_REFUSAL = b'{"error":"invalid_request","error_description":"AADSTS90014: no","error_codes":[90014]}'

# Body, type, and whether it says what is wrong in OAuth's words (RFC 6749 section 5.2).
_BODIES = {
    "an error in JSON": (_REFUSAL, "application/json", True),
    "an error in JSON called text": (_REFUSAL, "text/plain", True),
    "a page of HTML": (b"<!DOCTYPE html><html><body>Oops</body></html>", "text/html; charset=utf-8", False),
    "nothing": (b"", None, False),
    "half of an error": (_REFUSAL[:40], "application/json", False),
    "XML": (b"<?xml version='1.0'?><error/>", "application/xml", False),
    "octets": (bytes(range(256)), "application/octet-stream", False),
    "a list": (b'["error"]', "application/json", False),
    "an error that is a number": (b'{"error":5}', "application/json", False),
}

# 204 and 304 have no body (RFC 9110 sections 15.3.5 and 15.4.5): HTTP's rules, not these tables, are asked about them.
_STATUSES = (
    200, 201, 202, 203, 206, 208, 226, 299,
    300, 305, 306, 310, 399,
    400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418, 421, 422, 423, 425,
    426, 428, 429, 431, 444, 451, 495, 499,
    500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511, 520, 522, 525, 529, 598, 599,
)  # fmt: skip

# All bodies with these; the others take turns.
_COMMON = (200, 400, 401, 404, 407, 429, 500, 503)


def _is_later(status: int) -> bool:
    return status in (408, 429) or status >= 500


def _fault(status: int, kind: str) -> Fault:
    body, content_type, speaks_oauth = _BODIES[kind]
    error = AuthenticationError if speaks_oauth else ResponseFormatError
    return Fault(
        claim=f"HTTP {status} with {kind}",
        answer=response(status, body, content_type=content_type),
        errors=(TemporarilyUnavailableError if _is_later(status) else error,),
        requests=2 if _is_later(status) else 1,
    )


def faults() -> Iterator[Fault]:
    """Yield the rows."""
    for place, status in enumerate(_STATUSES):
        for turn, kind in enumerate(_BODIES):
            if status in _COMMON or place % len(_BODIES) == turn:
                yield _fault(status, kind)
    for status in (201, 206, 302, 400, 404, 503):
        yield Fault(
            claim=f"HTTP {status} with a token",
            answer=response(status, token_body()),
            errors=(TemporarilyUnavailableError if _is_later(status) else ResponseFormatError,),
            requests=2 if _is_later(status) else 1,
        )
    for status in (204, 304):
        yield Fault(claim=f"HTTP {status}, which has no body", answer=response(status), errors=(ResponseFormatError,))
