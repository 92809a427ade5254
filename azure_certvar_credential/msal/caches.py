"""MSAL's token caches: which value is one, and whether the installed MSAL can read what is in it."""

from __future__ import annotations

import threading
from typing import Any

from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential.exceptions import ConfigurationError

# The last second of the year 9999 (UTC), after which there are no dates.
_LATEST = 253_402_300_799
NO_TIME = "a time that is none"
_UNREADABLE = (
    "token_cache cannot be read by the installed msal {version} ({kind}): a newer version of MSAL has written it, "
    "or it is damaged. Upgrade msal, or give this process a cache of its own"
)


def check_cache(cache: object, client_id: str) -> None:
    """Check what was given as ``token_cache``.

    :param client_id: whose tokens are looked for.
    :raises ConfigurationError: it is no cache of MSAL's, or its content is not what the installed MSAL reads. The
        message holds nothing of the content.
    """
    import msal

    if not isinstance(cache, msal.TokenCache):
        raise ConfigurationError(
            "token_cache must be an msal.TokenCache, such as msal.SerializableTokenCache() or msal-extensions' "
            f"PersistedTokenCache(...), made and not a class, not {redact_value(cache)}"
        )
    error = unreadable(cache, client_id)
    if error is not None:
        # Not raised where the other error is handled: that of json holds the whole cache.
        raise error


def unreadable(cache: Any, client_id: str) -> ConfigurationError | None:
    """Return what to raise if the installed MSAL cannot read a cache; None if it can."""
    kind = _what_is_wrong(cache, client_id)
    return None if kind is None else unreadable_for(kind)


def unreadable_for(kind: str) -> ConfigurationError:
    """Return what to raise for a cache with something in it that cannot be read.

    :param kind: what that is, in a few words and without its content.
    """
    import msal

    return ConfigurationError(_UNREADABLE.format(version=msal.__version__, kind=kind))


def is_time(value: object) -> bool:
    """Return whether a number, or its text, is a time in seconds since the epoch that a date can be made of.

    :raises ValueError, TypeError, OverflowError: it is no number.
    """
    return 0 <= int(value) <= _LATEST  # type: ignore[call-overload,no-any-return]


def _what_is_wrong(cache: Any, client_id: str) -> str | None:
    import msal

    try:
        kinds = (msal.TokenCache.CredentialType.ACCESS_TOKEN, msal.TokenCache.CredentialType.REFRESH_TOKEN)
        found = [entry for kind in kinds for entry in cache.search(kind, query={"client_id": client_id})]
        for entry in found:
            # What acquire_token_for_client takes from an entry.
            if entry.get("credential_type") == kinds[0]:
                if not (is_time(entry["expires_on"]) and is_time(entry.get("refresh_on", 0))):
                    return NO_TIME
                if not isinstance(entry["secret"], str):
                    return "a token that is no text"
            if "ext_cache_key" in entry and not knows_fmi_path():
                # It would take the token of a federated managed identity for one of the application itself.
                return "entries of a newer schema"
    except Exception as error:  # noqa: BLE001 - what is in a cache may break MSAL in any way
        return type(error).__name__
    return None


def knows_fmi_path() -> bool:
    """Return whether the installed MSAL keeps the tokens of federated managed identities apart; from 1.36 on."""
    import msal

    return hasattr(msal.TokenCache.CredentialType, "ACCESS_TOKEN_EXTENDED")


def unlock(cache: Any) -> None:
    """Give a cache a lock of its own in a child process: the thread that may hold the other one is not there."""
    if hasattr(cache, "_lock"):
        cache._lock = threading.RLock()  # noqa: SLF001 - MSAL has no way to do so
