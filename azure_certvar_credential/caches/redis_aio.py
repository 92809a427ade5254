"""The token cache in Redis for asyncio; public as ``azure_certvar_credential.aio.RedisTokenCache``."""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import WeakKeyDictionary

from azure_certvar_credential._secrecy.tracebacks import cleared, clears_frames
from azure_certvar_credential.caches.redis_commands import (
    PREFIX,
    Command,
    Commands,
    RedisClient,
    Source,
    described,
    pickled,
)


class RedisTokenCache:
    """:class:`azure_certvar_credential.RedisTokenCache` for asyncio, with the same keys and entries.

    Made of a URL, it serves any number of event loops, each with connections of its own. A client of the caller belongs
    to the loop that uses it first. redis-py does not run under trio.

    >>> token_cache = RedisTokenCache(redis.asyncio.Redis(host="cache"))
    >>> credential = CertVarCredential(tenant_id, client_id, pem, token_cache=token_cache)

    :param url_or_client: a URL, or a client of ``redis.asyncio`` without ``decode_responses``, which the caller closes.
    :param prefix: begins every key.
    :param timeout: for how many seconds to wait for a connection and for an answer; None for 0.25. For a URL only.
    :raises ImportError: the extra ``redis`` is not installed.
    :raises ConfigurationError: an argument cannot work; the message shows no part of the URL.
    """

    @clears_frames
    def __init__(
        self,
        url_or_client: str | RedisClient,
        *,
        prefix: str = PREFIX,
        timeout: float | None = None,
    ) -> None:
        self._commands = Commands(prefix)
        self._timeout = timeout
        self._source = Source.of(url_or_client, timeout, asynchronous=True)
        self._shown = described(self._source.make())
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Any] = WeakKeyDictionary()

    async def get(self, key: str) -> bytes | None:
        """Return the value of a key; see :meth:`.TokenCache.get`."""
        value: bytes | None = await self._execute(self._commands.get(key))
        return value

    async def set(self, key: str, value: bytes, expires_on: float) -> None:
        """Keep a value; see :meth:`.TokenCache.set`."""
        await self._execute(self._commands.set(key, value, expires_on))

    async def delete(self, key: str) -> None:
        """Drop the value of a key; see :meth:`.TokenCache.delete`."""
        await self._execute(self._commands.delete(key))

    async def lock(self, key: str, seconds: float) -> str | None:
        """Take a key's lock; see :meth:`.TokenCache.lock`."""
        holder, command = self._commands.lock(key, seconds)
        return holder if await self._execute(command) else None

    async def unlock(self, key: str, holder: str) -> None:
        """Release a key's lock; see :meth:`.TokenCache.unlock`."""
        await self._execute(self._commands.unlock(key, holder))

    async def close(self) -> None:
        """Close the running loop's connections, unless the client is the caller's; the next use opens them again.

        >>> token_cache = RedisTokenCache("rediss://cache:6380/0")
        >>> await token_cache.close()
        """
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None and self._source.url is not None:
            await client.aclose()

    def __repr__(self) -> str:
        if not hasattr(self, "_shown"):
            return f"<{type(self).__name__}, not initialised>"
        return f"<{type(self).__name__} {self._shown}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return pickled(type(self), self._source, self._commands.prefix, self._timeout)

    async def _execute(self, command: Command) -> Any:
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            client = self._clients[loop] = self._source.make()
        try:
            return await client.execute_command(*command)
        except Exception as error:  # noqa: BLE001 - raised again below, without redis-py's frames: they hold the password
            failure = error
        raise cleared(failure)
