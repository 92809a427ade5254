"""Refusals of the token endpoint: the exception, and the answer that Entra sends."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from azure_certvar_credential.testing.aadsts import AADSTS
from azure_certvar_credential.testing.http import Conditions, Request, Response, respond_json

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class RefusalError(Exception):
    """The token endpoint refuses a request.

    :ivar code: the AADSTS code, a number.
    :ivar text: the description, without the code and the ids.
    :ivar suberror: Entra's ``suberror``, or None.
    :ivar claims: the claims challenge, a JSON string, or None.
    """

    def __init__(self, code: int, text: str, *, suberror: str | None = None, claims: str | None = None) -> None:
        super().__init__(f"AADSTS{code}: {text}")
        self.code = code
        self.text = text
        self.suberror = suberror
        self.claims = claims


class _Fields(dict[str, object]):
    """The fields of a description. A missing one becomes a placeholder: a forced error has no cause to describe."""

    def __missing__(self, name: str) -> str:
        return f"<{name}>"


def refuse(code: int, *, suberror: str | None = None, claims: str | None = None, **fields: object) -> RefusalError:
    """Make a refusal with the description that the table gives for ``code``.

    :param code: a key of :data:`AADSTS`.
    :param suberror: Entra's ``suberror``.
    :param claims: a claims challenge, a JSON string.
    :param fields: the fields of the description.
    """
    return RefusalError(code, AADSTS[code].text.format_map(_Fields(fields)), suberror=suberror, claims=claims)


def error_response(
    refusal: RefusalError, request: Request, conditions: Conditions, *, status: int | None = None
) -> Response:
    """Build Entra's answer to a refused request.

    :param refusal: the refusal.
    :param request: supplies the host of ``error_uri``.
    :param conditions: supply the time and the ids.
    :param status: the HTTP status; None for the usual one of the code.
    """
    row = AADSTS[refusal.code]
    moment = datetime.fromtimestamp(conditions.now, timezone.utc)
    timestamp = f"{moment:%Y-%m-%d %H:%M:%S}Z"
    body: dict[str, object] = {
        "error": row.error,
        "error_description": (
            f"AADSTS{refusal.code}: {refusal.text.strip()} Trace ID: {conditions.trace_id} "
            f"Correlation ID: {conditions.correlation_id} Timestamp: {timestamp}"
        ),
        "error_codes": [refusal.code],
        "timestamp": timestamp,
        "trace_id": conditions.trace_id,
        "correlation_id": conditions.correlation_id,
        "error_uri": f"{request.base}/error?code={refusal.code}",
    }
    if refusal.suberror is not None:
        body["suberror"] = refusal.suberror
    if refusal.claims is not None:
        body["claims"] = refusal.claims
    headers = {"Allow": "POST"} if row.status == 405 else {}
    return respond_json(conditions, status or row.status, body, headers=headers)


def utc_text(seconds: float) -> str:
    """Format a time as in Entra's descriptions.

    :param seconds: since the epoch; a time before year 1 or after 9999 becomes the first day of that year.
    """
    try:
        moment = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        moment = datetime(9999 if seconds > 0 else 1, 1, 1, tzinfo=timezone.utc)
    # strftime does not pad the year on every platform.
    return f"{moment.year:04}{moment:-%m-%dT%H:%M:%S.%f}0Z"
