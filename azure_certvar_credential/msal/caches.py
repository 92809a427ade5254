"""MSAL's token caches: checks of a cache and its content, and the exact comparison of scopes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential.exceptions import ConfigurationError

# The last second of the year 9999 (UTC), the latest that a datetime can hold.
_LATEST = 253_402_300_799
NO_TIME = "an invalid time"
_UNREADABLE = (
    "msal {version} cannot read token_cache ({kind}): a newer version of MSAL wrote it, or it is damaged. Upgrade "
    "msal, or pass another cache"
)


def check_cache(cache: object, client_id: str) -> None:
    """Check the value of ``token_cache``.

    :param cache: the value.
    :param client_id: the application whose tokens are searched for.
    :raises ConfigurationError: it is not a cache of MSAL's, or the installed MSAL cannot read it. The message contains
        none of the content.
    """
    import msal

    if not isinstance(cache, msal.TokenCache):
        raise ConfigurationError(
            "token_cache must be an msal.TokenCache, such as msal.SerializableTokenCache() or msal-extensions' "
            f"PersistedTokenCache(...), not {redact_value(cache)}"
            + ("; that cache is for CertVarCredential" if callable(getattr(cache, "lock", None)) else "")
        )
    error = unreadable(cache, client_id)
    if error is not None:
        # Raised here, outside the handler: a JSONDecodeError holds the whole cache.
        raise error


def unreadable(cache: Any, client_id: str) -> ConfigurationError | None:
    """Return the error to raise if the installed MSAL cannot read a cache; None if it can."""
    kind = _what_is_wrong(cache, client_id)
    return None if kind is None else unreadable_for(kind)


def unreadable_for(kind: str) -> ConfigurationError:
    """Return the error to raise for a cache with an entry that MSAL cannot read.

    :param kind: what is wrong with the entry, in a few words and without its content.
    """
    import msal

    return ConfigurationError(_UNREADABLE.format(version=msal.__version__, kind=kind))


def is_time(value: object) -> bool:
    """Return whether a value is a time in seconds since the epoch, as a number or text, that a datetime can hold.

    :raises ValueError, TypeError, OverflowError: it is not a number.
    """
    return 0 <= int(value) <= _LATEST  # type: ignore[call-overload,no-any-return]


def _what_is_wrong(cache: Any, client_id: str) -> str | None:
    import msal

    try:
        kinds = (msal.TokenCache.CredentialType.ACCESS_TOKEN, msal.TokenCache.CredentialType.REFRESH_TOKEN)
        found = [entry for kind in kinds for entry in cache.search(kind, query={"client_id": client_id})]
        for entry in found:
            # The fields that acquire_token_for_client reads.
            if entry.get("credential_type") == kinds[0]:
                if not (is_time(entry["expires_on"]) and is_time(entry.get("refresh_on", 0))):
                    return NO_TIME
                if not isinstance(entry["secret"], str):
                    return "a token that is not a string"
                if not isinstance(entry.get("target", ""), str):
                    return "scopes that are not a string"
            if "ext_cache_key" in entry and not knows_fmi_path():
                # This MSAL would return the token of a federated managed identity as the application's own.
                return "entries of a newer schema"
    except Exception as error:  # noqa: BLE001 - foreign content can make MSAL raise anything
        return type(error).__name__
    return None


def knows_fmi_path() -> bool:
    """Return whether the installed MSAL caches the tokens of federated managed identities apart (1.36 and later)."""
    import msal

    return hasattr(msal.TokenCache.CredentialType, "ACCESS_TOKEN_EXTENDED")


def knows_client_claims() -> bool:
    """Return whether the installed MSAL caches tokens by the client's own claims (1.38 and later)."""
    from inspect import signature

    import msal

    method = msal.ConfidentialClientApplication.acquire_token_for_client
    return "forwarded_client_claims" in signature(method).parameters


def unlock(cache: Any) -> None:
    """Replace a cache's lock in a child process: the thread that may hold it does not exist there."""
    if hasattr(cache, "_lock"):
        cache._lock = threading.RLock()  # noqa: SLF001 - MSAL offers no other way


class ExactScopes:
    """A token cache in which MSAL finds access tokens for exactly the requested scopes.

    MSAL's own search also returns tokens for more scopes than were requested, and ignores their case. A caller that
    passes such a token on would hand out more rights than it asked for. Scopes are case-sensitive (RFC 6749 section
    3.3).

    :param cache: the cache that holds the tokens; everything but the search is its own.
    """

    def __init__(self, cache: Any) -> None:
        self._cache = cache

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cache, name)

    def search(self, credential_type: str, target: Any = None, **query: Any) -> Iterator[Any]:
        """Yield the entries that MSAL's search finds, without those whose scopes differ from the requested ones.

        :param credential_type: one of MSAL's ``CredentialType``.
        :param target: the requested scopes; None for any.
        :param query: MSAL's further arguments.
        """
        scopes = None if target is None else set(target)
        for entry in self._cache.search(credential_type, target=target, **query):
            if scopes is None or set(entry.get("target", "").split()) == scopes:
                yield entry
