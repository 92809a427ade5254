"""Checks the arguments of a credential that shares its tokens."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING

from azure_certvar_credential._core.checks import check_flags
from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential._values import Value
from azure_certvar_credential.exceptions import ConfigurationError

if TYPE_CHECKING:
    from azure_certvar_credential.certificates import ClientCertificate

_METHODS = ("get", "set", "delete", "lock", "unlock")
KEY_SIZE = 32
_LONGEST_INVALIDATION = 3600.0


class Sharing(Value):
    """The settings of a shared cache.

    :ivar has_keys: whether the user gave the keys that seal the entries; otherwise the certificate's signature does.
    :ivar user_tokens: whether users' tokens are shared, too.
    :ivar invalidation_seconds: after how many seconds at most a member stops using a token that another has replaced.
    """

    has_keys: bool = False
    user_tokens: bool = False
    invalidation_seconds: float = 5.0


def sharing(cache: object, encryption_key: object, share_user_tokens: object, invalidation_seconds: object) -> Sharing:
    """Return the settings of a shared cache, given the arguments of a credential.

    :raises ConfigurationError: an argument cannot work; the message names it and says what to write instead.
    """
    if cache is None:
        raise ConfigurationError(
            "encryption_key, share_user_tokens and invalidation_seconds are for a shared cache: pass token_cache too, "
            "such as SQLiteTokenCache()"
        )
    missing = [name for name in _METHODS if not callable(getattr(cache, name, None))]
    if isinstance(cache, type) or missing:
        raise ConfigurationError(
            "token_cache must be a cache such as SQLiteTokenCache() or RedisTokenCache(url), or another object with "
            f"the methods of TokenCache, not {redact_value(cache)}"
            + (f": it has no {', '.join(missing)}" if missing and not isinstance(cache, type) else "")
        )
    check_flags(share_user_tokens=share_user_tokens)
    seconds = Sharing().invalidation_seconds if invalidation_seconds is None else invalidation_seconds
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not isfinite(seconds):
        raise ConfigurationError(f"invalidation_seconds must be a number of seconds, not {redact_value(seconds)}")
    if not 0 < seconds <= _LONGEST_INVALIDATION:
        raise ConfigurationError(
            f"invalidation_seconds must be more than 0 and no more than {_LONGEST_INVALIDATION:.0f}, not {seconds:g}"
        )
    return Sharing(bool(encryption_keys(encryption_key)), bool(share_user_tokens), float(seconds))


def encryption_keys(given: object) -> tuple[bytes, ...]:
    """Return the user's sealing keys, the one that seals first; none for the certificate's.

    :raises ConfigurationError: a key is not 32 octets long.
    """
    keys = () if given is None else (given,) if isinstance(given, (bytes, bytearray)) else given
    if not isinstance(keys, Sequence) or isinstance(keys, str) or (given is not None and not keys):
        raise ConfigurationError(
            f"encryption_key must be {KEY_SIZE} bytes, such as os.urandom({KEY_SIZE}) once kept in a secret store, or "
            f"a list of such keys, not a value of type {type(given).__name__}"
        )
    for key in keys:
        if not isinstance(key, (bytes, bytearray)) or len(key) != KEY_SIZE:
            size = f"{len(key)} bytes" if isinstance(key, (bytes, bytearray)) else f"of type {type(key).__name__}"
            raise ConfigurationError(f"encryption_key must be {KEY_SIZE} bytes, and a key is {size}")
    return tuple(map(bytes, keys))


def check_sealing(sharing: Sharing, algorithm: str | None, certificate: ClientCertificate | None) -> None:
    """Check that something seals the entries: the user's key, or an RSA certificate.

    :param algorithm: the JWS ``alg`` of its assertions; None if it signs none.
    :param certificate: the credential's, if it is known yet; one of a source is looked at when it has been read.
    :raises ConfigurationError: nothing does.
    """
    if sharing.has_keys:
        return
    if algorithm is None:
        reason = "this credential has no certificate"
    elif certificate is not None and certificate.key_type != "RSA":
        reason = f"the certificate's key is {certificate.key_type}-{certificate.key_size}, not RSA"
    else:
        return
    raise ConfigurationError(
        f"token_cache needs encryption_key here, {KEY_SIZE} bytes that all processes have: {reason}, so no key can "
        "be derived from its signature"
    )
