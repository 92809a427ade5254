"""A token cache in a file, for the processes of one machine."""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakSet

from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential.caches.database_file import (
    SIDECARS,
    Identity,
    identity,
    is_damage,
    open_database,
    transaction,
)
from azure_certvar_credential.caches.database_path import (
    PRIVATE_DIRECTORY,
    absolute_path,
    default_path,
    make_private_directory,
)
from azure_certvar_credential.exceptions import ConfigurationError

_T = TypeVar("_T")

_MAX_ENTRIES = 10_000
_TIMEOUT = 1.0
# The clock may be set back a little while a lock is held; if it was set back by more, the lock's times mean nothing.
_CLOCK_STEP = 1.0

_READ = "SELECT CAST(value AS BLOB) FROM entries WHERE key = ? AND expires_on > ?"
_WRITE = "INSERT OR REPLACE INTO entries (key, value, expires_on) VALUES (?, ?, ?)"
_DROP_EXPIRED = "DELETE FROM entries WHERE expires_on <= ?"
_DROP_SURPLUS = (
    "DELETE FROM entries WHERE key IN (SELECT key FROM entries WHERE key != ? ORDER BY expires_on "
    "LIMIT max(0, (SELECT count(*) FROM entries) - ?))"
)
_DROP_ENDED_LOCKS = "DELETE FROM locks WHERE ends_on <= ? OR taken_on > ?"
_LOCK = "INSERT OR IGNORE INTO locks (key, holder, taken_on, ends_on) VALUES (?, ?, ?, ?)"
_UNLOCK = "DELETE FROM locks WHERE key = ? AND holder = ?"
_COUNT = "SELECT count(*), min(expires_on), max(expires_on) FROM entries WHERE expires_on > ?"


@dataclass(frozen=True, slots=True)
class CacheStatistics:
    """What is in a :class:`SQLiteTokenCache`.

    :ivar entries: the number of entries that have not expired.
    :ivar bytes: the size of its files on disk.
    :ivar next_expiry: when the first of the entries expires, in seconds since the epoch (UTC); None without entries.
    :ivar last_expiry: when the last of them expires.
    """

    entries: int
    bytes: int
    next_expiry: float | None
    last_expiry: float | None


class SQLiteTokenCache:
    """A :class:`~azure_certvar_credential.TokenCache` in an SQLite database, for the processes of one machine.

    Threads and processes share it, and each may be killed at any moment. Only the owner may read the file (mode 0600,
    in a directory with mode 0700). A file that is damaged, another application's, or a newer version's is renamed,
    never deleted, and logged; a new one takes its place. Nothing touches the disk before the first use.

    Put the file on a local disk: file systems over a network often lack the locks and the shared memory that SQLite
    needs (https://sqlite.org/wal.html). Every method except the constructor raises :class:`OSError` if the disk is full
    or read-only, if there is no home directory, or if the file stays locked.

    >>> credential = CertVarCredential(tenant_id, client_id, pem, token_cache=SQLiteTokenCache())

    :param path: the path of the file; None for one in the user's cache directory, such as
        ``~/.cache/azure-certvar-credential/``. Missing directories are made.
    :param max_entries: the largest number of entries; beyond it those that expire first are dropped. An entry takes
        about three kilobytes.
    :param timeout: for how many seconds to wait while another process writes.
    :raises ConfigurationError: an argument has the wrong type or value.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        max_entries: int = _MAX_ENTRIES,
        timeout: float = _TIMEOUT,
    ) -> None:
        self._given = absolute_path(path)
        if type(max_entries) is not int or max_entries < 1:
            raise ConfigurationError(f"max_entries must be a positive int, not {redact_value(max_entries)}")
        if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not 0 <= timeout < float("inf"):
            raise ConfigurationError(f"timeout must be a number of seconds, not {redact_value(timeout)}")
        self._max_entries = max_entries
        self._timeout = timeout
        self._connection: sqlite3.Connection | None = None
        self._open_file: Identity | None = None
        # A signal handler may ask while the thread that it interrupts asks.
        self._lock = threading.RLock()
        self._clock = time.time
        _living.add(self)

    @property
    def path(self) -> Path:
        """The path of the file, which need not exist yet.

        :raises OSError: no path was given, and there is no home directory.
        """
        return self._given or default_path()

    def get(self, key: str) -> bytes | None:
        """Return the value of a key; see :meth:`.TokenCache.get`."""
        found = self._do(lambda connection: connection.execute(_READ, (key, self._clock())).fetchone())
        return found[0] if found is not None and isinstance(found[0], bytes) else None

    def set(self, key: str, value: bytes, expires_on: float) -> None:
        """Keep a value, and drop what has expired; see :meth:`.TokenCache.set`."""

        def write(connection: sqlite3.Connection) -> None:
            now = self._clock()
            with transaction(connection):
                # First, so that a full disk has room again.
                connection.execute(_DROP_EXPIRED, (now,))
                connection.execute(_WRITE, (key, value, expires_on))
                connection.execute(_DROP_SURPLUS, (key, self._max_entries))

        self._do(write)

    def delete(self, key: str) -> None:
        """Drop the value of a key; see :meth:`.TokenCache.delete`."""
        self._write("DELETE FROM entries WHERE key = ?", (key,))

    def lock(self, key: str, seconds: float) -> str | None:
        """Take a key's lock; see :meth:`.TokenCache.lock`."""
        holder = secrets.token_hex(16)

        def take(connection: sqlite3.Connection) -> str | None:
            with transaction(connection):
                now = self._clock()
                connection.execute(_DROP_ENDED_LOCKS, (now, now + _CLOCK_STEP))
                taken = connection.execute(_LOCK, (key, holder, now, now + seconds))
                return holder if taken.rowcount else None

        return self._do(take)

    def unlock(self, key: str, holder: str) -> None:
        """Release a key's lock; see :meth:`.TokenCache.unlock`."""
        self._write(_UNLOCK, (key, holder))

    def clear(self) -> None:
        """Drop every entry and every lock, and shrink the file.

        >>> token_cache.clear()
        """

        def empty(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                connection.execute("DELETE FROM entries")
                connection.execute("DELETE FROM locks")
            # The entries leave the file too, not just its tables.
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

        if self._exists():
            self._do(empty)

    def stats(self) -> CacheStatistics:
        """Return how much is in the cache, without making the file if there is none.

        >>> token_cache.stats().entries
        0
        """
        if not self._exists():
            return CacheStatistics(0, 0, None, None)
        entries, first, last = self._do(lambda connection: connection.execute(_COUNT, (self._clock(),)).fetchone())
        files = (Path(f"{self.path}{suffix}") for suffix in ("", *SIDECARS))
        return CacheStatistics(entries, sum(map(_size, files)), first, last)

    def close(self) -> None:
        """Close the file; the next use opens it again. May be called more than once.

        >>> token_cache.close()
        """
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    def __del__(self) -> None:
        if hasattr(self, "_lock"):  # the constructor did not raise
            self.close()

    def __repr__(self) -> str:
        path = "" if self._given is None else repr(os.fspath(self._given))
        return f"{type(self).__name__}({path})"

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), self._given, max_entries=self._max_entries, timeout=self._timeout), ()

    def _exists(self) -> bool:
        with self._reported():
            return identity(self.path) is not None

    def _write(self, statement: str, parameters: tuple[object, ...]) -> None:
        def write(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                connection.execute(statement, parameters)

        self._do(write)

    def _do(self, action: Callable[[sqlite3.Connection], _T]) -> _T:
        """Perform an action; if that finds damage, set the file aside and perform it with a new one."""
        with self._lock, self._reported():
            try:
                return action(self._opened())
            except sqlite3.DatabaseError as error:
                self.close()
                if not is_damage(error):
                    raise
            return action(self._opened(self._open_file))

    def _opened(self, damaged: Identity | None = None) -> sqlite3.Connection:
        path = self.path
        if self._connection is not None and identity(path) != self._open_file:
            # Somebody removed or replaced the file, and nobody else would see what this connection writes.
            self.close()
        if self._connection is None:
            make_private_directory(path.parent)
            if self._given is None:
                path.parent.chmod(PRIVATE_DIRECTORY)
            self._connection, self._open_file = open_database(path, self._timeout, damaged)
            # A crash of the machine may lose the last entries, which are only asked for again, and damages nothing
            # (https://sqlite.org/pragma.html#pragma_synchronous).
            self._connection.execute("PRAGMA synchronous = NORMAL")
        return self._connection

    @contextmanager
    def _reported(self) -> Iterator[None]:
        """Raise SQLite's errors as OSError that names the file and the likely cause."""
        try:
            yield
        except sqlite3.Error as error:
            text = str(error)
            hint = next((hint for part, hint in _HINTS.items() if part in text), "")
        else:
            return
        raise OSError(f"the token cache {os.fspath(self.path)!r}: {text}{hint}")


_HINTS = {
    "locked": ": another process held it for too long, or the file system refuses locks (a network file system?)",
    "locking protocol": ": the file system refuses locks (a network file system?)",
    "full": ": make room, or give another path",
    "readonly": ": give a path that can be written",
    "disk I/O": ": check the disk, and its limits for this user",
    "unable to open": ": check that its directory can be written",
}


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


# A connection must not cross a fork (https://sqlite.org/howtocorrupt.html section 2.6): each is closed before, and
# opened again in either process when it is next used.
_living: WeakSet[SQLiteTokenCache] = WeakSet()
_forking: list[SQLiteTokenCache] = []


def _before_fork() -> None:
    for cache in list(_living):
        cache._lock.acquire()  # noqa: SLF001 - this module's own class
        cache.close()
        _forking.append(cache)


def _after_fork() -> None:
    while _forking:
        _forking.pop()._lock.release()  # noqa: SLF001


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
