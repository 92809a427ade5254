"""Reads the token endpoint's answer, strictly and within bounds.

RFC 6749 section 5; Entra's additions to the error response as
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow shows them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Any

from azure_certvar_credential._core import hints
from azure_certvar_credential._core.answers import LONGEST_LIFE, is_later, json_object
from azure_certvar_credential._secrecy.redaction import without_secrets
from azure_certvar_credential._values import Value, field
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
# A token usually lives an hour; no server may silence a credential for longer.
MAX_RETRY_AFTER = 3600.0
_MAX_DESCRIPTION = 2000
# RFC 6749 appendix A.14 has whole seconds. A shorter life is over before the token is used, so such a token must not
# replace one that still serves.
_SHORTEST_LIFE = 1
# Seconds that a token lives of which the server does not say how long (RFC 6749 section 5.1 only recommends it). Hardly
# any server issues shorter ones, and azure-core's policies count one with less left as due.
DEFAULT_LIFE = 300.0
# An HTTP date has 29 characters, its obsolete form 33 (RFC 9110 section 5.6.7).
_MAX_FIELD = 64

# Signed or encrypted; the second part of an encrypted one may be empty.
_JWT = r"eyJ[\w-]{8,}(?:\.[\w-]*){1,4}"
_NUMBER = r"[0-9]{1,20}(\.[0-9]{1,20})?"
# RFC 6750 section 2.1: b64token.
_B64TOKEN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~+/=-")


class Response(Value):
    """An HTTP response, read to its end or to the bound.

    :ivar status: the HTTP status code.
    :ivar headers: the header fields, names in lower case; not in ``repr``, for cookies and redirects carry secrets.
    :ivar body: the body, cut after :data:`MAX_BODY` + 1 octets: the last one shows that it is too long.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class TokenResponse(Value):
    """A successful answer (RFC 6749 section 5.1).

    :ivar access_token: the token.
    :ivar token_type: such as ``Bearer``.
    :ivar expires_in: its life in seconds, at least one.
    :ivar refresh_in: the seconds after which the server advises a refresh, or None.
    :ivar refresh_token: buys the next token, or None; only users' tokens come with one.
    """

    access_token: str = field(repr=False)
    token_type: str
    expires_in: float
    refresh_in: float | None
    refresh_token: str | None = field(default=None, repr=False)


def read(
    response: Response,
    *,
    now: float,
    about: Callable[[], str],
    leg: str = "",
    for_user: bool = False,
    server: str = "the token endpoint",
) -> TokenResponse:
    """Read a token response.

    :param response: the token endpoint's answer.
    :param now: the time in seconds since the epoch, to read a ``Retry-After`` that is a date.
    :param about: returns the part of a refusal's message that names the certificate. Failures that pass by themselves
        do without.
    :param leg: what the token is, if it takes more than one request to get there.
    :param for_user: the request was on a user's behalf, so the user may be the one to act on a refusal.
    :param server: the server's name in messages; other endpoints refuse in the same form.
    :raises AuthenticationError: the answer is not a token; the subclass says why.
    """
    document = json_object(response.body, limit=MAX_BODY)
    if response.status == 200 and document is not None and "error" not in document:
        return _token(document)
    if document is not None and isinstance(document.get("error"), str):
        raise _oauth_error(response, document, now=now, about=about(), leg=leg, for_user=for_user)
    retry_after = read_retry_after(response.headers.get("retry-after"), now=now)
    if leg:
        server = f"{server}, which was asked for {leg},"
    if is_later(response.status):
        raise TemporarilyUnavailableError(
            f"{server} is {'throttling' if response.status == 429 else 'unavailable'} (HTTP {response.status})"
            + ("" if retry_after is None else f"; it asks to wait {retry_after:.0f} s"),
            status_code=response.status,
            retry_after=retry_after,
        )
    raise ResponseFormatError(
        f"{server} answered HTTP {response.status} with {_describe(response)} instead of a token response; "
        "check authority, proxy and firewall",
        status_code=response.status,
    )


def read_retry_after(value: str | None, *, now: float) -> float | None:
    """Return a ``Retry-After`` field (RFC 9110 section 10.2.3) in seconds, at most an hour; None if it is neither form.

    :param value: seconds, or an HTTP date.
    :param now: the time in seconds since the epoch.
    """
    if value is None:
        return None
    text = value.strip()
    if re.fullmatch(_NUMBER, text):
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


def _token(document: dict[str, Any]) -> TokenResponse:
    access_token, token_type = document.get("access_token"), document.get("token_type")
    expires_in, refresh_in = _seconds(document.get("expires_in")), _seconds(document.get("refresh_in"))
    if not isinstance(access_token, str) or not access_token or not _B64TOKEN.issuperset(access_token):
        raise ResponseFormatError("the token response has no usable access_token", status_code=200)
    if not isinstance(token_type, str) or token_type.lower() != "bearer":
        raise ResponseFormatError("the token response's token_type is not Bearer", status_code=200)
    if "expires_in" not in document:
        # So late an advice that nothing is refreshed in the background: callers wait when the time is up.
        expires_in, refresh_in = DEFAULT_LIFE, DEFAULT_LIFE - 1
    if expires_in is None:
        raise ResponseFormatError(
            "the token response's expires_in is not a number of seconds, one or more", status_code=200
        )
    refresh_token = document.get("refresh_token")
    return TokenResponse(
        access_token,
        token_type,
        expires_in,
        refresh_in,
        refresh_token if isinstance(refresh_token, str) and refresh_token.isprintable() else None,
    )


def _seconds(value: object) -> float | None:
    """Read a number of seconds; some servers send it as a string."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    # Not everything that float() takes: "1_000" and other scripts' digits are no numbers on the wire.
    if isinstance(value, str) and not re.fullmatch(_NUMBER, value):
        return None
    seconds = float(value)
    return seconds if _SHORTEST_LIFE <= seconds <= LONGEST_LIFE else None


def _oauth_error(
    response: Response, document: dict[str, Any], *, now: float, about: str, leg: str, for_user: bool
) -> AuthenticationError:
    codes = _codes(document.get("error_codes"))
    hint = hints.hint_for(codes, for_user=for_user, for_agent=bool(leg))
    retry_after = read_retry_after(response.headers.get("retry-after"), now=now)
    kind: type[AuthenticationError] = AuthenticationError
    if not hints.CERTIFICATE_CODES.isdisjoint(codes):
        kind = CertificateRejectedError
    elif _is_transient(response.status, document, codes):
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


def _describe(response: Response) -> str:
    if len(response.body) > MAX_BODY:
        return f"more than {MAX_BODY} bytes"
    content_type = _text(dict(response.headers), "content-type") or "no content type"
    return f"{len(response.body)} bytes ({content_type[:80]})"
