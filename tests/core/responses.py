"""Answers of a token endpoint, as Entra writes them."""

from __future__ import annotations

import json
from typing import Any

from azure_certvar_credential._core.exchange import Response

TRACE = "aaaaaaaa-0000-0000-0000-000000000001"
CORRELATION = "bbbbbbbb-0000-0000-0000-000000000002"
TIMESTAMP = "2027-01-15 08:00:00Z"


def token(**changed: Any) -> Response:
    """Return a successful answer; a value of None leaves the field out."""
    document = {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": "a.b.c", **changed}
    return answer({name: value for name, value in document.items() if value is not None})


def aadsts(code: int, error: str, gist: str = "What happened.", *, status: int = 400, **fields: Any) -> Response:
    """Return a refusal with an AADSTS code."""
    headers = fields.pop("headers", {})
    document = {
        "error": error,
        "error_description": f"AADSTS{code}: {gist} Trace ID: {TRACE} Correlation ID: {CORRELATION} "
        f"Timestamp: {TIMESTAMP}",
        "error_codes": [code],
        "timestamp": TIMESTAMP,
        "trace_id": TRACE,
        "correlation_id": CORRELATION,
        "error_uri": f"https://login.microsoftonline.com/error?code={code}",
        **fields,
    }
    return answer(document, status=status, headers=headers)


def answer(document: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return an answer in JSON."""
    given = {"content-type": "application/json; charset=utf-8", **(headers or {})}
    return Response(status, given, json.dumps(document).encode())


def plain(status: int, body: bytes, content_type: str = "text/plain", **headers: str) -> Response:
    """Return an answer that is not JSON; underscores in header names become hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, {"content-type": content_type, **named}, body)
