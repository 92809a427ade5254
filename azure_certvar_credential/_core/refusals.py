"""Reads what the token endpoint answers in the place of a token.

RFC 6749 section 5.2; Entra's additions to the error response as
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow shows them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Any

from azure_certvar_credential._core import hints
from azure_certvar_credential._core.answers import NUMBER, is_later
from azure_certvar_credential._secrecy.redaction import without_secrets
from azure_certvar_credential.exceptions import (
    AuthenticationError,
    CertificateRejectedError,
    InteractionRequiredError,
    ResponseFormatError,
    TemporarilyUnavailableError,
    UserAssertionRejectedError,
)

# A token usually lives an hour; no server may silence a credential for longer.
MAX_RETRY_AFTER = 3600.0
_MAX_DESCRIPTION = 2000
# An HTTP date has 29 characters, its obsolete form 33 (RFC 9110 section 5.6.7).
_MAX_FIELD = 64

# Signed or encrypted; the second part of an encrypted one may be empty.
_JWT = r"eyJ[\w-]{8,}(?:\.[\w-]*){1,4}"


def refusal(
    status: int,
    headers: Mapping[str, str],
    document: dict[str, Any] | None,
    content: str,
    *,
    now: float,
    about: Callable[[], str],
    leg: str,
    for_user: bool,
    server: str,
) -> AuthenticationError:
    """Return the error that an answer means; the parameters after ``content`` are those of :func:`.exchange.read`.

    :param status: the HTTP status code.
    :param headers: the header fields, names in lower case.
    :param document: the JSON object in the body, or None.
    :param content: how long the body is, in words.
    """
    retry_after = read_retry_after(headers.get("retry-after"), now=now)
    if document is not None and isinstance(document.get("error"), str):
        return _oauth_error(status, document, retry_after=retry_after, about=about(), leg=leg, for_user=for_user)
    if leg:
        server = f"{server}, which was asked for {leg},"
    if is_later(status):
        return TemporarilyUnavailableError(
            f"{server} is {'throttling' if status == 429 else 'unavailable'} (HTTP {status})"
            + ("" if retry_after is None else f"; it asks to wait {retry_after:.0f} s"),
            status_code=status,
            retry_after=retry_after,
        )
    content_type = _text(dict(headers), "content-type") or "no content type"
    return ResponseFormatError(
        f"{server} answered HTTP {status} with {content} ({content_type[:80]}) instead of a token "
        "response; check authority, proxy and firewall",
        status_code=status,
    )


def read_retry_after(value: str | None, *, now: float) -> float | None:
    """Return a ``Retry-After`` field (RFC 9110 section 10.2.3) in seconds, at most an hour; None if it is neither form.

    :param value: seconds, or an HTTP date.
    :param now: the time in seconds since the epoch.
    """
    if value is None:
        return None
    text = value.strip()
    if re.fullmatch(NUMBER, text):
        seconds = float(text)
    else:
        date = read_date(text)
        if date is None:
            return None
        seconds = date - now
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)


def read_date(value: str | None) -> float | None:
    """Return an HTTP date (RFC 9110 section 5.6.7) in seconds since the epoch; None for anything else."""
    if value is None or len(value) > _MAX_FIELD or not value.isascii():  # the parser takes other scripts' digits
        return None
    try:
        date = parsedate_to_datetime(value)
        # A date without a zone is UTC: HTTP knows no other.
        return (date if date.tzinfo else date.replace(tzinfo=timezone.utc)).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def _oauth_error(
    status: int, document: dict[str, Any], *, retry_after: float | None, about: str, leg: str, for_user: bool
) -> AuthenticationError:
    codes = _codes(document.get("error_codes"))
    hint = hints.hint_for(codes, for_user=for_user, for_agent=bool(leg))
    kind: type[AuthenticationError] = AuthenticationError
    if not hints.CERTIFICATE_CODES.isdisjoint(codes):
        kind = CertificateRejectedError
    elif _is_transient(status, document, codes):
        kind = TemporarilyUnavailableError
    elif for_user and not hints.USER_ASSERTION_CODES.isdisjoint(codes):
        kind = UserAssertionRejectedError
    elif for_user and document["error"] in hints.USER_ERRORS:
        kind = InteractionRequiredError
    told = _text(document, "error_description") or _text(document, "error") or "The server refused the request"
    if kind is not TemporarilyUnavailableError:
        context = f"The {about}"
    else:
        context = "" if retry_after is None else f"The server asks to wait {retry_after:.0f} s"
    return kind(
        _sentences(told, context, f"What failed is {leg}" if leg else "", hints.in_message(hint, codes)),
        status_code=status,
        error_code=_text(document, "error"),
        error_codes=codes,
        suberror=_text(document, "suberror"),
        claims=_claims(document.get("claims")),
        correlation_id=_text(document, "correlation_id"),
        trace_id=_text(document, "trace_id"),
        timestamp=_text(document, "timestamp"),
        hint=hint,
        retry_after=retry_after,
    )


def _is_transient(status: int, document: dict[str, Any], codes: tuple[int, ...]) -> bool:
    return (
        is_later(status)
        or document.get("error") == "temporarily_unavailable"
        or not hints.TRANSIENT_CODES.isdisjoint(codes)
    )


def _codes(value: object) -> tuple[int, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(code for code in value[:20] if isinstance(code, int) and not isinstance(code, bool))


def _claims(value: object) -> str | None:
    """Return a claims challenge as it came; None if it cannot be sent on, such as half of a surrogate pair."""
    return value if isinstance(value, str) and not any("\ud800" <= c <= "\udfff" for c in value) else None


def _text(document: dict[str, Any], name: str) -> str | None:
    """Return a string of the answer, fit for a message: one bounded line without any token that the server echoes."""
    value = document.get(name)
    if not isinstance(value, str):
        return None
    line = " ".join("".join(c if c.isprintable() else " " for c in value[: 4 * _MAX_DESCRIPTION]).split())
    return without_secrets(re.sub(_JWT, "[JWT removed]", line))[:_MAX_DESCRIPTION]


def _sentences(*parts: str) -> str:
    """Join the parts that are not empty, each with a full stop: servers' descriptions come with and without one."""
    return " ".join(part if part.endswith((".", "!", "?")) else f"{part}." for part in map(str.rstrip, parts) if part)
