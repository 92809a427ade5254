"""What the synchronous and the asynchronous :class:`RedisTokenCache` share: everything but the waiting."""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, Protocol, TypeAlias

from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential._secrecy.tracebacks import clears_frames
from azure_certvar_credential.exceptions import ConfigurationError

PREFIX = "certvar:"
# Within a data centre Redis answers in less than a millisecond; a token request takes a few hundred.
TIMEOUT = 0.25

_SCHEMES = ("redis://", "rediss://", "unix://")
# Compare and delete at once (https://redis.io/docs/latest/commands/set/, "Patterns"): between two commands the lock may
# end, and somebody else take it.
_UNLOCK = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"

Command: TypeAlias = tuple[str | bytes | int, ...]


class RedisClient(Protocol):
    """What a cache needs of a client of redis-py, or of ``redis.asyncio``."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send a command, and return the answer or a coroutine of it."""
        ...

    def get_encoder(self) -> Any:
        """Return what says whether the client decodes responses."""
        ...


@dataclass(frozen=True, slots=True)
class Commands:
    """The commands for each operation.

    The digest is the hash tag of both of its keys, so that a cluster keeps them on one node.

    :ivar prefix: begins every key, for an ACL such as ``~certvar:*``.
    """

    prefix: str

    def __post_init__(self) -> None:
        if not isinstance(self.prefix, str) or "{" in self.prefix or "}" in self.prefix:
            raise ConfigurationError(
                f"prefix must be a str without braces, which mark the hash tag, not {redact_value(self.prefix)}"
            )

    def get(self, key: str) -> Command:
        """Return the command that reads an entry."""
        return ("GET", self._entry(key))

    def set(self, key: str, value: bytes, expires_on: float) -> Command:
        """Return the command that writes an entry, or drops it if it has expired."""
        # A span, and no time of day: the server's clock may differ.
        milliseconds = math.floor((expires_on - time.time()) * 1000)
        if milliseconds <= 0:
            return self.delete(key)
        return ("SET", self._entry(key), value, "PX", milliseconds)

    def delete(self, key: str) -> Command:
        """Return the command that drops an entry."""
        return ("DEL", self._entry(key))

    def lock(self, key: str, seconds: float) -> tuple[str, Command]:
        """Return the text that proves who holds the lock, and the command that takes it."""
        holder = secrets.token_hex(16)
        return holder, ("SET", self._lock(key), holder, "NX", "PX", max(1, math.ceil(seconds * 1000)))

    def unlock(self, key: str, holder: str) -> Command:
        """Return the command that releases a lock, unless it is somebody else's."""
        return ("EVAL", _UNLOCK, 1, self._lock(key), holder)

    def _entry(self, key: str) -> str:
        return f"{self.prefix}{{{key}}}"

    def _lock(self, key: str) -> str:
        return f"{self.prefix}{{{key}}}:lock"


@dataclass(frozen=True, slots=True)
class Source:
    """Where the clients of a cache come from: a URL, of which each event loop makes its own, or the caller's client.

    :ivar url: the URL, which may hold a password; None for a client.
    :ivar make: returns a client.
    """

    url: str | None = field(repr=False)
    make: Callable[[], Any] = field(repr=False)

    @classmethod
    def of(cls, given: object, timeout: float | None, *, asynchronous: bool) -> Source:
        """Check what a constructor was given.

        :param given: the URL or the client.
        :param timeout: in seconds, for a connection and for an answer each; None for the default.
        :raises ImportError: the extra ``redis`` is not installed.
        :raises ConfigurationError: the URL or the client cannot work; the message shows no part of the URL.
        """
        if isinstance(given, str):
            source = cls(given, _maker(given, timeout, asynchronous=asynchronous))
        elif timeout is not None:
            raise ConfigurationError("timeout is for a URL: give a client its own socket_timeout")
        else:
            source = cls(None, lambda: given)
        _check(source.make(), asynchronous=asynchronous)
        return source


def _maker(url: str, timeout: float | None, *, asynchronous: bool) -> Callable[[], Any]:
    if timeout is None:
        timeout = TIMEOUT
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not 0 < timeout < float("inf"):
        raise ConfigurationError(f"timeout must be a positive number of seconds, not {redact_value(timeout)}")
    try:
        import redis.asyncio.retry
        from redis.backoff import NoBackoff
    except ImportError as error:
        raise ImportError(
            "RedisTokenCache needs redis-py: pip install 'azure-certvar-credential[redis]'", name="redis"
        ) from error
    library: Any = redis.asyncio if asynchronous else redis

    def make() -> Any:
        return library.Redis.from_url(
            url,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            # Once more at once over a new connection: a server that was restarted has closed the idle ones. Before
            # version 6, asyncio's client retries only what both options name.
            retry=library.retry.Retry(NoBackoff(), 1, (redis.ConnectionError,)),
            retry_on_error=[redis.ConnectionError],
            # RESP2: with RESP3, redis-py 7 and later may wait for ten seconds while the server announces maintenance.
            protocol=2,
        )

    try:
        pool = make().connection_pool
        pool.connection_class(**pool.connection_kwargs)  # connects nothing, and refuses unknown options
    except Exception:  # noqa: BLE001 - whatever redis-py finds wrong, its message may quote the password
        pool = None
    if pool is None or not url.startswith(_SCHEMES):
        raise ConfigurationError(
            "url_or_client is not a URL that redis-py can read. It must be redis://HOST:PORT/DB, rediss://… for TLS, "
            "or unix://PATH, with redis-py's option names after a '?', and with special characters of user name and "
            "password percent-encoded (urllib.parse.quote(password, safe=''))"
        )
    return make


def _check(client: Any, *, asynchronous: bool) -> None:
    execute = getattr(client, "execute_command", None)
    if not callable(execute) or not callable(getattr(client, "get_encoder", None)):
        raise ConfigurationError(
            f"url_or_client must be a Redis URL (a str) or a client of redis-py, not {redact_value(client)}"
        )
    if iscoroutinefunction(execute) is not asynchronous:
        kind, module = (
            ("synchronous", "azure_certvar_credential")
            if asynchronous
            else ("asynchronous", "azure_certvar_credential.aio")
        )
        raise ConfigurationError(f"the Redis client is {kind}: give it to {module}.RedisTokenCache")
    if client.get_encoder().decode_responses:
        raise ConfigurationError(
            "the Redis client has decode_responses=True, and the entries of a token cache are bytes: make a client "
            "without it"
        )


def described(client: Any) -> str:
    """Return where a client connects to, without user name and password."""
    pool = getattr(client, "connection_pool", None)
    options = getattr(pool, "connection_kwargs", {})
    if options.get("path"):
        return f"unix://{options['path']}?db={options.get('db') or 0}"
    if pool is None or hasattr(pool, "service_name"):
        return type(client).__name__  # a cluster, or servers that a Sentinel names
    scheme = "rediss" if "SSL" in pool.connection_class.__name__ else "redis"
    return f"{scheme}://{options.get('host') or 'localhost'}:{options.get('port') or 6379}/{options.get('db') or 0}"


@clears_frames  # redis-py's options hold the password
def pickled(kind: type, source: Source, prefix: str, timeout: float | None) -> tuple[Any, ...]:
    """Return what ``__reduce__`` returns.

    :raises TypeError: the pickle would carry a password, or a client.
    """
    if source.url is None:
        raise TypeError(
            f"a {kind.__name__} over a client is not pickled: its connections belong to this process, and the client "
            "may hold a password. Make it anew in the other process, or give it a URL without one"
        )
    options = source.make().connection_pool.connection_kwargs
    if "@" in source.url or any("password" in name and value for name, value in options.items()):
        raise TypeError(f"a {kind.__name__} with a password in its URL is not pickled: the pickle would carry it")
    return partial(kind, source.url, prefix=prefix, timeout=timeout), ()
