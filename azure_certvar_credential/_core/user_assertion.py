"""A user's access token, as the user's client presented it; only its expiry is read."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

from azure_certvar_credential._core.answers import LONGEST_LIFE, json_object
from azure_certvar_credential._values import Value, field
from azure_certvar_credential.exceptions import ConfigurationError, UserAssertionRejectedError

# A JWT in compact form (RFC 7519 section 3), signed or encrypted.
_COMPACT = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*){2,4}")
# HTTP servers take header fields of 8 to 64 KiB.
_MAX_LENGTH = 1 << 16
# Entra tolerates this difference between clocks (seconds).
CLOCK_SKEW = 300.0


class UserAssertion(Value):
    """The access token that a user's client presented to this application, to be exchanged on the user's behalf.

    :ivar value: the token.
    :ivar digest: its SHA-256, base64url, which replaces it in cache keys.
    :ivar cacheable: whether it claims to be valid. Only then does the cache or a refresh token serve it. The server is
        asked about any other each time: a token that was exchanged while it was valid must not open the next API
        for somebody who presents it after its end.
    """

    value: str = field(repr=False, compare=False)
    digest: str
    cacheable: bool = field(default=True, compare=False)


def user_assertion(value: object, *, now: float) -> UserAssertion:
    """Check the argument of ``on_behalf_of``.

    The server decides whether it has expired or was issued for somebody else: it has the clock and the keys.

    :param value: the token as it came in the ``Authorization`` field, without the scheme.
    :param now: seconds since the epoch (UTC).
    :raises ConfigurationError: it is not a ``str``.
    :raises UserAssertionRejectedError: it is not a JWT in compact form, or too long; the message does not repeat it.
    """
    if not isinstance(value, str):
        raise ConfigurationError(
            f"user_assertion must be the user's access token as a str, or a callable that returns it, "
            f"not {type(value).__name__}"
        )
    if value[:7].lower() == "bearer ":
        raise UserAssertionRejectedError(
            "user_assertion must be the token alone: leave out the scheme 'Bearer' before it"
        )
    if len(value) > _MAX_LENGTH:
        raise UserAssertionRejectedError(
            f"user_assertion has {len(value)} characters, and an access token has {_MAX_LENGTH} at most: check what "
            "the client sent"
        )
    if not _COMPACT.fullmatch(value):
        raise UserAssertionRejectedError(
            "user_assertion is not a JWT: it must be the access token that the user's client sent to this "
            "application, three parts of base64url joined by full stops"
        )
    digest = urlsafe_b64encode(sha256(value.encode("ascii")).digest()).decode("ascii")
    return UserAssertion(value, digest, _is_valid(value, now))


def _is_valid(token: str, now: float) -> bool:
    """Return whether the ``exp`` of a signed JWT (RFC 7519 section 4.1.4) is readable, plausible and yet to come."""
    parts = token.split(".")
    if len(parts) != 3:
        return False
    try:
        payload = urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
    except ValueError:
        return False
    expires_on = (json_object(payload, limit=_MAX_LENGTH) or {}).get("exp")
    if isinstance(expires_on, bool) or not isinstance(expires_on, (int, float)):
        return False
    return now < expires_on + CLOCK_SKEW < now + LONGEST_LIFE
