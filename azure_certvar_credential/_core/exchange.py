"""The strict, bounded reading of what the token endpoint answers.

RFC 6749 section 5; Entra's additions to the error response as
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow shows them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Any

from azure_certvar_credential._core import hints
from azure_certvar_credential._core.answers import LONGEST_LIFE, is_later, json_object
from azure_certvar_credential._secrecy.redaction import without_secrets
from azure_certvar_credential.exceptions import (
    AuthenticationError,
    CertificateRejectedError,
    InteractionRequiredError,
    ResponseFormatError,
    TemporarilyUnavailableError,
    UserAssertionRejectedError,
)

# A token response is a few kilobytes; x/oauth2 draws the line here too.
MAX_BODY = 1 << 20
# A server may not put a credential to sleep for longer than a token usually lives.
MAX_RETRY_AFTER = 3600.0
_MAX_DESCRIPTION = 2000
# RFC 6749 appendix A.14 has whole seconds. A shorter life is over before the token is used, so such a token must not
# replace one that still serves.
_SHORTEST_LIFE = 1
# An HTTP date has 29 characters, its obsolete form 33 (RFC 9110 section 5.6.7).
_MAX_FIELD = 64

# Signed or encrypted; of an encrypted one the second part may be empty.
_JWT = re.compile(r"eyJ[\w-]{8,}(?:\.[\w-]*){1,4}")
_NUMBER = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")
_B64TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]+")  # RFC 6750 section 2.1


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response, read.

    :ivar status: the HTTP status code.
    :ivar headers: the header fields, names in lower case; not in ``repr``, for cookies and redirects carry secrets.
    :ivar body: the body; at most :data:`MAX_BODY` + 1 octets, one more than may be.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """A successful answer (RFC 6749 section 5.1).

    :ivar access_token: the token.
    :ivar token_type: such as ``Bearer``.
    :ivar expires_in: its life in seconds, at least one.
    :ivar refresh_in: after how many seconds the server advises a refresh, or None.
    :ivar refresh_token: what the next token can be had for, or None; only tokens of users come with one.
    """

    access_token: str = field(repr=False)
    token_type: str
    expires_in: float
    refresh_in: float | None
    refresh_token: str | None = field(default=None, repr=False)


def read(
    response: Response, *, now: float, about: str, for_user: bool = False, server: str = "the token endpoint"
) -> TokenResponse:
    """Read a token response.

    :param response: the answer of the token endpoint.
    :param now: the time in seconds since the epoch, to read a ``Retry-After`` that is a date.
    :param about: what the message of a refusal says of the request: which certificate was used. Not that of a failure
        which will pass by itself.
    :param for_user: the token was asked for on a user's behalf, so a refusal may be for the user to mend.
    :param server: who answered, for messages; whoever is asked for something else refuses in the same form.
    :raises AuthenticationError: of the subclass that fits, when the answer is not a token.
    """
    document = json_object(response.body, limit=MAX_BODY)
    if response.status == 200 and document is not None and "error" not in document:
        return _token(document)
    if document is not None and isinstance(document.get("error"), str):
        raise _oauth_error(response, document, now=now, about=about, for_user=for_user)
    retry_after = read_retry_after(response.headers.get("retry-after"), now=now)
    if is_later(response.status):
        raise TemporarilyUnavailableError(
            f"{server} is {'throttling' if response.status == 429 else 'out of order'} "
            f"(HTTP {response.status}){_advice(retry_after)}",
            status_code=response.status,
            retry_after=retry_after,
        )
    raise ResponseFormatError(
        f"{server} answered HTTP {response.status} with {_describe(response)} instead of a token response; "
        "check authority, proxy and firewall",
        status_code=response.status,
    )


def read_retry_after(value: str | None, *, now: float) -> float | None:
    """Return a ``Retry-After`` field (RFC 9110 section 10.2.3) in seconds, at most an hour; None if there is none.

    :param value: seconds, or an HTTP date.
    :param now: the time in seconds since the epoch.
    """
    if value is None:
        return None
    text = value.strip()
    if _NUMBER.fullmatch(text):
        seconds = float(text)
    else:
        date = read_date(text)
        if date is None:
            return None
        seconds = date - now
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)


def read_date(value: str | None) -> float | None:
    """Return an HTTP date (RFC 9110 section 5.6.7) in seconds since the epoch; None if it is none."""
    if value is None or len(value) > _MAX_FIELD or not value.isascii():  # the parser takes other scripts' digits
        return None
    try:
        date = parsedate_to_datetime(value)
        # A date without a zone is UTC: HTTP knows no other.
        return (date if date.tzinfo else date.replace(tzinfo=timezone.utc)).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def _token(document: dict[str, Any]) -> TokenResponse:
    access_token, token_type = document.get("access_token"), document.get("token_type")
    expires_in = _seconds(document.get("expires_in"))
    if not isinstance(access_token, str) or not _B64TOKEN.fullmatch(access_token):
        raise ResponseFormatError("the token response has no usable access_token", status_code=200)
    if not isinstance(token_type, str) or token_type.lower() != "bearer":
        raise ResponseFormatError("the token response's token_type is not Bearer", status_code=200)
    if expires_in is None:
        raise ResponseFormatError(
            "the token response's expires_in is not a number of seconds, one or more", status_code=200
        )
    refresh_token = document.get("refresh_token")
    return TokenResponse(
        access_token,
        token_type,
        expires_in,
        _seconds(document.get("refresh_in")),
        refresh_token if isinstance(refresh_token, str) and refresh_token.isprintable() else None,
    )


def _seconds(value: object) -> float | None:
    """Read a number of seconds; some servers send it as a string."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    # Not everything that float() takes: "1_000" and other scripts' digits are no numbers on the wire.
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        return None
    seconds = float(value)
    return seconds if _SHORTEST_LIFE <= seconds <= LONGEST_LIFE else None


def _oauth_error(
    response: Response, document: dict[str, Any], *, now: float, about: str, for_user: bool
) -> AuthenticationError:
    codes = _codes(document.get("error_codes"))
    hint = hints.hint_for(codes, for_user=for_user)
    retry_after = read_retry_after(response.headers.get("retry-after"), now=now)
    message = _text(document, "error_description") or _text(document, "error") or "refused"
    kind: type[AuthenticationError] = AuthenticationError
    if not hints.CERTIFICATE_CODES.isdisjoint(codes):
        kind = CertificateRejectedError
    elif _is_transient(response.status, document, codes):
        kind = TemporarilyUnavailableError
    elif for_user and not hints.USER_ASSERTION_CODES.isdisjoint(codes):
        kind = UserAssertionRejectedError
    elif for_user and document["error"] in hints.USER_ERRORS:
        kind = InteractionRequiredError
    message += _advice(retry_after) if kind is TemporarilyUnavailableError else f" The {about}."
    return kind(
        f"{message} Hint: {hint}" if hint else message,
        status_code=response.status,
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
    """Return a claims challenge as it came; None of what cannot be sent on, such as half of a surrogate pair."""
    return value if isinstance(value, str) and not any("\ud800" <= c <= "\udfff" for c in value) else None


def _text(document: dict[str, Any], name: str) -> str | None:
    """Return a string of the answer fit for a message: one line, bounded, and with no token a server echoed back."""
    value = document.get(name)
    if not isinstance(value, str):
        return None
    line = " ".join("".join(c if c.isprintable() else " " for c in value[: 4 * _MAX_DESCRIPTION]).split())
    return without_secrets(_JWT.sub("[JWT removed]", line))[:_MAX_DESCRIPTION]


def _advice(retry_after: float | None) -> str:
    return "" if retry_after is None else f"; it asks to wait {retry_after:.0f} s"


def _describe(response: Response) -> str:
    if len(response.body) > MAX_BODY:
        return f"more than {MAX_BODY} bytes"
    content_type = _text(dict(response.headers), "content-type") or "no content type"
    return f"{len(response.body)} bytes ({content_type[:80]})"
