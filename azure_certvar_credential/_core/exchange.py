"""Reads the token endpoint's answer, strictly and within bounds.

RFC 6749 section 5; Entra's additions to the error response as
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow shows them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from azure_certvar_credential._core.answers import LONGEST_LIFE, NUMBER, json_object
from azure_certvar_credential._values import Value, field
from azure_certvar_credential.exceptions import ResponseFormatError

# A token response is a few kilobytes; x/oauth2 draws the line here too.
MAX_BODY = 1 << 20
# RFC 6749 appendix A.14 has whole seconds. A shorter life is over before the token is used, so such a token must not
# replace one that still serves.
_SHORTEST_LIFE = 1
# Seconds that a token lives of which the server does not say how long (RFC 6749 section 5.1 only recommends it). Hardly
# any server issues shorter ones, and azure-core's policies count one with less left as due.
DEFAULT_LIFE = 300.0

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
    # For failures alone.
    from azure_certvar_credential._core.refusals import refusal

    content = f"more than {MAX_BODY} bytes" if len(response.body) > MAX_BODY else f"{len(response.body)} bytes"
    raise refusal(
        response.status,
        response.headers,
        document,
        content,
        now=now,
        about=about,
        leg=leg,
        for_user=for_user,
        server=server,
    )


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
    if isinstance(value, str) and not re.fullmatch(NUMBER, value):
        return None
    seconds = float(value)
    return seconds if _SHORTEST_LIFE <= seconds <= LONGEST_LIFE else None
