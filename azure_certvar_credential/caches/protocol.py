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
    """

    def get(self, key: str) -> bytes | None:
        """Return the value of a key, or None if there is none or it has expired."""
        ...

    def set(self, key: str, value: bytes, expires_on: float) -> None:
        """Keep a value in place of the previous one.

        :param expires_on: when the value may be dropped, in seconds since the epoch (UTC).
        """
        ...

    def delete(self, key: str) -> None:
        """Drop the value of a key, if there is one."""
        ...

    def lock(self, key: str, seconds: float) -> str | None:
        """Take a key's lock, without waiting for it.

        The lock is advisory: it keeps nobody from :meth:`set`. It ends by itself, so that a process that dies with it
        delays the others no longer than that.

        :param seconds: after how many seconds the lock ends.
        :returns: a text that proves who holds the lock, for :meth:`unlock`; None if somebody else holds it.
        """
        ...

    def unlock(self, key: str, holder: str) -> None:
        """Release a key's lock, unless it has ended and somebody else holds it now.

        :param holder: what :meth:`lock` returned.
        """
        ...


class AsyncTokenCache(Protocol):
    """:class:`.TokenCache` with coroutines, for the credentials of ``azure_certvar_credential.aio``."""

    async def get(self, key: str) -> bytes | None:
        """Return the value of a key, or None if there is none or it has expired."""
        ...

    async def set(self, key: str, value: bytes, expires_on: float) -> None:
        """Keep a value in place of the previous one.

        :param expires_on: when the value may be dropped, in seconds since the epoch (UTC).
        """
        ...

    async def delete(self, key: str) -> None:
        """Drop the value of a key, if there is one."""
        ...

    async def lock(self, key: str, seconds: float) -> str | None:
        """Take a key's lock for a number of seconds, without waiting for it; None if somebody else holds it."""
        ...

    async def unlock(self, key: str, holder: str) -> None:
        """Release a key's lock, unless it has ended and somebody else holds it now."""
        ...
