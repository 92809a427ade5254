"""The interface between a credential and a cache that several processes share.

A cache stores opaque bytes: the credential seals each entry before it hands it over, and checks it when it comes back
(:mod:`.sealed`). A cache may raise whatever it likes; the credential takes a failure for a miss, logs it, and goes
around the cache for a while.
"""

from __future__ import annotations

from typing import Protocol


class TokenCache(Protocol):
    """A cache shared by threads and processes, for ``token_cache=`` of a credential.

    Keys are hexadecimal digests, and show nothing of what they stand for. Every method may be called from any thread.

    The smallest one, for the threads of one process:

    >>> class OwnTokenCache:
    ...     def __init__(self):
    ...         self.values, self.mutex = {}, threading.Lock()
    ...     def get(self, key):
    ...         value, expires_on = self.values.get(key, (None, 0))
    ...         return value if expires_on > time.time() else None
    ...     def set(self, key, value, expires_on):
    ...         self.values[key] = value, expires_on
    ...     def delete(self, key):
    ...         self.values.pop(key, None)
    ...     def lock(self, key, seconds):
    ...         with self.mutex:
    ...             if self.get(f"{key} lock") is None:
    ...                 self.set(f"{key} lock", holder := secrets.token_hex(), time.time() + seconds)
    ...                 return holder
    ...     def unlock(self, key, holder):
    ...         if self.get(f"{key} lock") == holder:
    ...             self.delete(f"{key} lock")
    >>> credential = CertVarCredential(tenant_id, client_id, pem, token_cache=OwnTokenCache())
    """

    def get(self, key: str) -> bytes | None:
        """Return the value of a key, or None if there is none or it has expired.

        >>> token_cache.get("5f1d") is None
        True
        """
        ...

    def set(self, key: str, value: bytes, expires_on: float) -> None:
        """Keep a value in place of the previous one.

        >>> token_cache.set("5f1d", b"sealed", time.time() + 3600)

        :param expires_on: when the value may be dropped, in seconds since the epoch (UTC).
        """
        ...

    def delete(self, key: str) -> None:
        """Drop the value of a key, if there is one.

        >>> token_cache.delete("5f1d")
        """
        ...

    def lock(self, key: str, seconds: float) -> str | None:
        """Take a key's lock, without waiting for it.

        The lock is advisory: it keeps nobody from :meth:`set`. It ends by itself, so that a process that dies with it
        delays the others no longer than that.

        >>> holder = token_cache.lock("5f1d", 10)
        >>> token_cache.lock("5f1d", 10) is None
        True

        :param seconds: after how many seconds the lock ends.
        :returns: a text that proves who holds the lock, for :meth:`unlock`; None if somebody else holds it.
        """
        ...

    def unlock(self, key: str, holder: str) -> None:
        """Release a key's lock, unless it has ended and somebody else holds it now.

        >>> if (holder := token_cache.lock("5f1d", 10)) is not None:
        ...     token_cache.unlock("5f1d", holder)

        :param holder: what :meth:`lock` returned.
        """
        ...


class AsyncTokenCache(Protocol):
    """:class:`.TokenCache` with coroutines, for the credentials of ``azure_certvar_credential.aio``.

    The smallest one hands the calls to a synchronous cache:

    >>> class OwnTokenCache:
    ...     async def get(self, key):
    ...         return await asyncio.to_thread(sqlite_cache.get, key)
    ...     async def set(self, key, value, expires_on):
    ...         await asyncio.to_thread(sqlite_cache.set, key, value, expires_on)
    ...     async def delete(self, key):
    ...         await asyncio.to_thread(sqlite_cache.delete, key)
    ...     async def lock(self, key, seconds):
    ...         return await asyncio.to_thread(sqlite_cache.lock, key, seconds)
    ...     async def unlock(self, key, holder):
    ...         await asyncio.to_thread(sqlite_cache.unlock, key, holder)
    >>> credential = aio.CertVarCredential(tenant_id, client_id, pem, token_cache=OwnTokenCache())
    """

    async def get(self, key: str) -> bytes | None:
        """Return the value of a key, or None if there is none or it has expired.

        >>> await token_cache.get("5f1d") is None
        True
        """
        ...

    async def set(self, key: str, value: bytes, expires_on: float) -> None:
        """Keep a value in place of the previous one.

        >>> await token_cache.set("5f1d", b"sealed", time.time() + 3600)

        :param expires_on: when the value may be dropped, in seconds since the epoch (UTC).
        """
        ...

    async def delete(self, key: str) -> None:
        """Drop the value of a key, if there is one.

        >>> await token_cache.delete("5f1d")
        """
        ...

    async def lock(self, key: str, seconds: float) -> str | None:
        """Take a key's lock for a number of seconds, without waiting for it; None if somebody else holds it.

        >>> holder = await token_cache.lock("5f1d", 10)
        >>> await token_cache.lock("5f1d", 10) is None
        True
        """
        ...

    async def unlock(self, key: str, holder: str) -> None:
        """Release a key's lock, unless it has ended and somebody else holds it now.

        >>> if (holder := await token_cache.lock("5f1d", 10)) is not None:
        ...     await token_cache.unlock("5f1d", holder)
        """
        ...
