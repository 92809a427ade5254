"""What a caller asks for, checked, and the key under which the answer is cached."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Hashable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential.exceptions import ConfigurationError, UserAssertionRejectedError

# Scopes, tenant and CAE capability; after them what else tells tokens apart: the path of a federated managed identity,
# or the user on whose behalf. Tokens that differ in any of these never share an entry.
CacheKey = tuple[Hashable, ...]

# https://learn.microsoft.com/entra/identity-platform/app-resilience-continuous-access-evaluation
_CAE_CLAIMS: dict[str, Any] = {"access_token": {"xms_cc": {"values": ["CP1"]}}}

# A JWT in compact form (RFC 7519 section 3), signed or encrypted.
_COMPACT = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*){2,4}")
# Entra lets clocks differ by as much (seconds).
CLOCK_SKEW = 300.0
# A claims challenge has a dozen objects; what nests deeper than the interpreter likes has many more.
_MAX_OBJECTS = 500
# The longest path of a federated managed identity that is taken; no limit is documented.
_MAX_PATH = 1024


@dataclass(frozen=True, slots=True)
class UserAssertion:
    """The access token that a user's client presented to this application, to be exchanged on the user's behalf.

    :ivar value: the token.
    :ivar digest: its SHA-256, base64url: what stands for it in cache keys.
    :ivar cacheable: whether it says that it is valid. Only then is a token for it taken from the cache or got for a
        refresh token; of any other the server is asked each time, for a token that was exchanged while it was valid
        must not open the next API for whoever presents it afterwards.
    """

    value: str = field(repr=False, compare=False)
    digest: str
    cacheable: bool = field(default=True, compare=False)


def user_assertion(value: object, *, now: float) -> UserAssertion:
    """Check what a caller of ``on_behalf_of`` gave.

    Whether it is expired, or issued for somebody else, is for the server to say: its clock and its keys decide.

    :param value: the token as it came in the ``Authorization`` field, without the scheme.
    :param now: seconds since the epoch (UTC).
    :raises ConfigurationError: it is not a ``str``.
    :raises UserAssertionRejectedError: it is not a JWT in compact form; the message does not repeat it.
    """
    if not isinstance(value, str):
        raise ConfigurationError(
            f"user_assertion must be the user's access token as a str, or a callable that returns it, "
            f"not {type(value).__name__}"
        )
    if value[:7].lower() == "bearer ":
        raise UserAssertionRejectedError("user_assertion is the token alone: leave out the scheme 'Bearer' before it")
    if not _COMPACT.fullmatch(value):
        raise UserAssertionRejectedError(
            "user_assertion is not a JWT: it must be the access token that the user's client sent to this "
            "application, three parts of base64url joined by full stops"
        )
    digest = urlsafe_b64encode(sha256(value.encode("ascii")).digest()).decode("ascii")
    return UserAssertion(value, digest, _is_valid(value, now))


def _is_valid(token: str, now: float) -> bool:
    """Say whether the ``exp`` of a signed JWT (RFC 7519 section 4.1.4) has not passed; no, if it cannot be read."""
    parts = token.split(".")
    if len(parts) != 3:
        return False
    try:
        claims = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return False
    expires_on = claims.get("exp") if isinstance(claims, dict) else None
    if isinstance(expires_on, bool) or not isinstance(expires_on, (int, float)):
        return False
    return now < expires_on + CLOCK_SKEW


def plain_key(scopes: tuple[str, ...], tenant_id: str, *, enable_cae: bool) -> CacheKey:
    """Return the key of a token that an application asks for itself."""
    return (scopes, tenant_id, enable_cae)


def user_key(scopes: tuple[str, ...], tenant_id: str, user: UserAssertion, *, enable_cae: bool) -> CacheKey:
    """Return the key of a token that is asked for on a user's behalf.

    Whoever may not be served from the cache has a key of his own, under which nothing is ever kept: so he does not
    share a flight either, which may be one for a refresh token.
    """
    return (scopes, tenant_id, enable_cae, "user" if user.cacheable else "user to be verified", user.digest)


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A checked request for a token.

    :ivar scopes: what the token is for, usually one ``{resource}/.default``.
    :ivar tenant_id: the tenant that is asked, lower case.
    :ivar enable_cae: whether the client understands Continuous Access Evaluation.
    :ivar claims: a claims challenge as a JSON string, or None. Not part of the key: the answer to a challenge replaces
        the cached token.
    :ivar fmi_path: the path of a federated managed identity below this application, or None.
    :ivar user: on whose behalf, or None for the application itself.
    :ivar key: the cache key.
    """

    scopes: tuple[str, ...]
    tenant_id: str
    enable_cae: bool = False
    claims: str | None = None
    fmi_path: str | None = None
    user: UserAssertion | None = None
    key: CacheKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        key = plain_key(self.scopes, self.tenant_id, enable_cae=self.enable_cae)
        if self.user is not None:
            key = user_key(self.scopes, self.tenant_id, self.user, enable_cae=self.enable_cae)
        elif self.fmi_path is not None:
            key = (*key, "fmi_path", self.fmi_path)
        object.__setattr__(self, "key", key)

    @property
    def claims_parameter(self) -> str | None:
        """The value of the ``claims`` form field: the challenge, with CAE's capability merged in; None for neither.

        :raises ConfigurationError: the challenge is not a JSON object.
        """
        if self.claims is None:
            return json.dumps(_CAE_CLAIMS, separators=(",", ":")) if self.enable_cae else None
        challenge = parse_claims(self.claims)
        if not self.enable_cae:
            return self.claims
        return json.dumps(_merged(challenge, _CAE_CLAIMS), separators=(",", ":"))


def token_request(
    scopes: tuple[str, ...],
    *,
    tenant_id: str,
    enable_cae: bool,
    claims: str | None,
    fmi_path: str | None = None,
    user: UserAssertion | None = None,
) -> TokenRequest:
    """Check what a caller of ``get_token`` gave.

    :param scopes: the positional arguments of ``get_token``.
    :param tenant_id: the resolved tenant.
    :param enable_cae: ask for a token that may be revoked early, and lives longer.
    :param claims: a claims challenge as JSON text; an empty string is none.
    :param fmi_path: the path of a federated managed identity, or None.
    :param user: on whose behalf, or None.
    :raises ConfigurationError: no scope, a scope that is no string or has white space, claims that are no JSON object,
        an ``enable_cae`` that is no bool, an ``fmi_path`` that is empty, too long or not text, or one together with a
        user.
    """
    if not scopes:
        raise ConfigurationError("get_token needs at least one scope, such as 'https://storage.azure.com/.default'")
    for scope in scopes:
        if not isinstance(scope, str) or not scope or any(c.isspace() or not c.isprintable() for c in scope):
            raise ConfigurationError(
                f"a scope must be a string without white space, such as 'https://graph.microsoft.com/.default', "
                f"not {redact_value(scope)}; several scopes are several arguments"
            )
    if not isinstance(enable_cae, (bool, type(None))):
        raise ConfigurationError(f"enable_cae must be True or False, not {redact_value(enable_cae)}")
    if claims:
        parse_claims(claims)
    if fmi_path is not None:
        _check_path(fmi_path, user)
    return TokenRequest(scopes, tenant_id, bool(enable_cae), claims or None, fmi_path, user)


def _check_path(fmi_path: object, user: UserAssertion | None) -> None:
    if user is not None:
        raise ConfigurationError("fmi_path goes with a token of the application itself, not with one of a user")
    if not isinstance(fmi_path, str) or not 0 < len(fmi_path) <= _MAX_PATH or not fmi_path.isprintable():
        raise ConfigurationError(
            f"fmi_path must be the path of a federated managed identity, such as 'SomeFmiPath/FmiCredential', "
            f"not {redact_value(fmi_path)}"
        )


def parse_claims(claims: str) -> dict[str, Any]:
    """Read a claims challenge.

    :raises ConfigurationError: it is not the text of a JSON object.
    """
    if isinstance(claims, str) and claims.count("{") + claims.count("[") > _MAX_OBJECTS:
        raise ConfigurationError(
            f"claims have more than {_MAX_OBJECTS} objects and arrays: this is no claims challenge"
        )
    try:
        value = json.loads(claims) if isinstance(claims, str) else None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ConfigurationError(
            "claims must be the text of a JSON object, as a claims challenge carries it after its base64 is decoded"
        )
    return value


def _merged(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    """Merge two JSON objects in depth; where both have a value that is no object, the right one stands."""
    merged = dict(left)
    for name, value in right.items():
        mine = merged.get(name)
        merged[name] = _merged(mine, value) if isinstance(mine, dict) and isinstance(value, dict) else value
    return merged
