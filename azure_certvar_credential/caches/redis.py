"""A token cache in Redis or Valkey, for the members of a fleet. Needs the extra ``redis``."""

from __future__ import annotations

from typing import Any

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
    """A :class:`~azure_certvar_credential.TokenCache` in Redis 6 or later, or Valkey, for the members of a fleet.

    Each entry is a key of its own, ``certvar:{DIGEST}``, that expires with its token; a lock is
    ``certvar:{DIGEST}:lock``. The user needs GET, SET, DEL and EVAL, and SELECT for a database other than 0::

        ACL SETUSER fleet on >… resetkeys ~certvar:* -@all +get +set +del +eval

    Methods raise redis-py's errors, within ``timeout`` seconds for a connection and again for an answer. A command on a
    connection that the server has closed is sent once more.

    >>> credential = CertVarCredential(tenant_id, client_id, pem, token_cache=RedisTokenCache("rediss://cache:6380/0"))

    Azure Managed Redis takes Entra's tokens in place of passwords
    (https://learn.microsoft.com/azure/redis/entra-for-authentication), and redis-entraid brings them to a client. The
    credential that signs in to Redis is another one than those that keep their tokens there:

    >>> scope = "https://redis.azure.com/.default"
    >>> config = TokenManagerConfig(0.7, 0, 10_000, RetryPolicy(3, 100))
    >>> provider = EntraIdCredentialsProvider(
    ...     DefaultAzureCredentialProvider(CertVarCredential(tenant_id, client_id, pem), (scope,)), config
    ... )
    >>> client = redis.Redis(host="app.region.redis.azure.net", port=10000, ssl=True, credential_provider=provider,
    ...                      socket_timeout=0.25, socket_connect_timeout=0.25)
    >>> credential = CertVarCredential(tenant_id, client_id, pem, token_cache=RedisTokenCache(client))

    :param url_or_client: a URL, or a client of redis-py without ``decode_responses``. A client brings its own TLS
        settings, credential provider, timeouts and retries, and may be one of Sentinel (``Sentinel(…).master_for(…)``)
        or a ``RedisCluster``. The caller closes it.
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
        self._source = Source.of(url_or_client, timeout, asynchronous=False)
        self._client = self._source.make()

    def get(self, key: str) -> bytes | None:
        """Return the value of a key; see :meth:`.TokenCache.get`."""
        value: bytes | None = self._execute(self._commands.get(key))
        return value

    def set(self, key: str, value: bytes, expires_on: float) -> None:
        """Keep a value; see :meth:`.TokenCache.set`."""
        self._execute(self._commands.set(key, value, expires_on))

    def delete(self, key: str) -> None:
        """Drop the value of a key; see :meth:`.TokenCache.delete`."""
        self._execute(self._commands.delete(key))

    def lock(self, key: str, seconds: float) -> str | None:
        """Take a key's lock; see :meth:`.TokenCache.lock`."""
        holder, command = self._commands.lock(key, seconds)
        return holder if self._execute(command) else None

    def unlock(self, key: str, holder: str) -> None:
        """Release a key's lock; see :meth:`.TokenCache.unlock`."""
        self._execute(self._commands.unlock(key, holder))

    def close(self) -> None:
        """Close the connections, unless the client is the caller's; the next use opens them again.

        >>> token_cache = RedisTokenCache("rediss://cache:6380/0")
        >>> token_cache.close()
        """
        if self._source.url is not None:
            self._client.close()

    def __repr__(self) -> str:
        if not hasattr(self, "_client"):
            return f"<{type(self).__name__}, not initialised>"
        return f"<{type(self).__name__} {described(self._client)}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return pickled(type(self), self._source, self._commands.prefix, self._timeout)

    def _execute(self, command: Command) -> Any:
        try:
            return self._client.execute_command(*command)
        except Exception as error:  # noqa: BLE001 - raised again below, without redis-py's frames: they hold the password
            failure = error
        raise cleared(failure)
