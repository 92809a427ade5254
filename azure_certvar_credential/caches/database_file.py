"""The file of :class:`.sqlite.SQLiteTokenCache`: made private, recognised, and set aside if it is something else.

Any number of processes may open it at the same moment, and each may be killed at any moment:

* Whatever must not happen twice (making the tables, setting a file aside) happens under a lock on the directory, which
  the operating system releases when its holder dies.
* The tables are made in one transaction; a file without them is unfinished, and the next process finishes it.
* A file is only set aside if it still is the one that was found unusable.
"""

from __future__ import annotations

import logging
import os
import secrets
import sqlite3
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

if sys.platform != "win32":
    import fcntl

_LOGGER = logging.getLogger("azure_certvar_credential")

SCHEMA_VERSION = 1
# "CvTC"; SQLite reserves the field for the application whose file it is (https://sqlite.org/pragma.html).
_APPLICATION_ID = 0x43765443
_TABLES = (
    "CREATE TABLE entries (key TEXT PRIMARY KEY, value BLOB NOT NULL, expires_on REAL NOT NULL)",
    "CREATE TABLE locks (key TEXT PRIMARY KEY, holder TEXT NOT NULL, taken_on REAL NOT NULL, ends_on REAL NOT NULL)",
    "CREATE INDEX entries_by_expiry ON entries (expires_on)",
)
SIDECARS = ("-wal", "-shm")
_PRIVATE_FILE = 0o600
_LOCK_PAUSE = 0.01

# Device and inode: which file it is, whatever its name.
Identity: TypeAlias = tuple[int, int]

_READY = "ready"
_MISSING = "missing"
_UNFINISHED = "unfinished"


def identity(path: Path) -> Identity | None:
    """Return which file a path names; None if there is none.

    :raises OSError: it is a directory, a symbolic link or a device, or belongs to somebody else.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        kind = "a symbolic link" if stat.S_ISLNK(found.st_mode) else "not a regular file"
        raise OSError(f"the token cache {os.fspath(path)!r} is {kind}: give the path of a file, or of none yet")
    if sys.platform != "win32" and os.geteuid() not in {0, found.st_uid}:
        raise PermissionError(f"the token cache {os.fspath(path)!r} belongs to another user: give another path")
    return found.st_dev, found.st_ino


def open_database(
    path: Path, timeout: float, damaged: Identity | None = None
) -> tuple[sqlite3.Connection, Identity | None]:
    """Open the database, after making it or setting aside what stands in its place.

    :param path: an absolute path in an existing directory.
    :param timeout: for how many seconds to wait for other processes.
    :param damaged: a file in which damage was found; it is set aside if it still has this path.
    :returns: a connection in autocommit mode, usable from any thread, and the file that it has open.
    :raises OSError: the file cannot be made, opened or renamed.
    :raises sqlite3.OperationalError: it is locked for too long, or cannot be read or written.
    """
    connection, found, finding = _look(path, timeout)
    if connection is not None and finding == _READY and found != damaged:
        return connection, found
    if connection is not None:
        connection.close()
    with _alone(path.parent, timeout):
        # Another process may have acted since.
        connection, found, finding = _look(path, timeout)
        if connection is not None and (finding not in {_READY, _UNFINISHED} or found == damaged):
            connection.close()
            _set_aside(path, "it is damaged" if found == damaged else finding)
            connection, finding = None, _MISSING
        if connection is None:
            _make(path)
            connection, found, finding = _look(path, timeout)
        if connection is None:
            raise OSError(f"the token cache {os.fspath(path)!r} disappears as soon as it is made")
        try:
            if finding != _READY:
                _make_tables(connection, timeout)
        except BaseException:
            connection.close()
            raise
    return connection, found


def _look(path: Path, timeout: float) -> tuple[sqlite3.Connection | None, Identity | None, str]:
    """Open a file and return one of three findings, or why it cannot be used."""
    found = identity(path)
    if found is None:
        return None, None, _MISSING
    try:
        if sys.platform != "win32" and stat.S_IMODE(path.stat().st_mode) & ~_PRIVATE_FILE:
            path.chmod(_PRIVATE_FILE)
        # Without mode=rw, SQLite would make a file, with other rights, in place of one that has just been set aside.
        connection = sqlite3.connect(
            f"{path.as_uri()}?mode=rw", uri=True, timeout=timeout, isolation_level=None, check_same_thread=False
        )
    except (FileNotFoundError, sqlite3.OperationalError):
        if identity(path) is None:
            return None, None, _MISSING
        raise
    try:
        return connection, found, _finding(connection)
    except BaseException:
        connection.close()
        raise


def _finding(connection: sqlite3.Connection) -> str:
    try:
        [application] = connection.execute("PRAGMA application_id").fetchone()
        [version] = connection.execute("PRAGMA user_version").fetchone()
        tables = {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")}
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        return "it is damaged, or no database"
    if (application, version, tables) == (_APPLICATION_ID, SCHEMA_VERSION, set(_TABLES)):
        return _READY
    if (application, version, tables) == (0, 0, set()):
        return _UNFINISHED
    if application == _APPLICATION_ID and version > SCHEMA_VERSION:
        return f"a newer version of this package made it (schema {version}, here {SCHEMA_VERSION})"
    return "another application made it"


def is_damage(error: sqlite3.Error) -> bool:
    """Return whether SQLite found damage (SQLITE_CORRUPT or SQLITE_NOTADB) and not an obstacle.

    Python 3.10 has no error codes; but there, as later, obstacles have classes of their own below DatabaseError.
    """
    return type(error) is sqlite3.DatabaseError


def _make(path: Path) -> None:
    """Make an empty file that only its owner can read; SQLite gives its own files the same rights."""
    for suffix in SIDECARS:
        # They belong to a file that is gone, and would be taken for the new one's.
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0), _PRIVATE_FILE)
    os.close(descriptor)


def _make_tables(connection: sqlite3.Connection, timeout: float) -> None:
    # Where the file system has no shared memory, the journal stays what it was: slower, and as safe.
    ends = time.monotonic() + timeout
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:
            # SQLite does not wait here for those who look at the file at this moment.
            if "locked" not in str(error) or time.monotonic() >= ends:
                raise
        time.sleep(_LOCK_PAUSE)
    with transaction(connection):
        if _finding(connection) != _UNFINISHED:
            return
        for table in _TABLES:
            connection.execute(table)
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write in one transaction, which waits for other writers at its beginning and never in its middle."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # A full disk or a damaged file may have ended it already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _set_aside(path: Path, reason: str) -> None:
    aside = path.with_name(
        f"{path.name}.set-aside-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(4)}"
    )
    for suffix in ("", *SIDECARS):
        with suppress(FileNotFoundError):
            Path(f"{path}{suffix}").rename(f"{aside}{suffix}")
    _LOGGER.warning(
        "The token cache %s could not be used: %s. It was renamed to %s, and a new one made.",
        path,
        reason,
        aside.name,
        extra={"certvar.event": "cache_set_aside"},
    )


@contextmanager
def _alone(directory: Path, timeout: float) -> Iterator[None]:
    """Hold the directory's lock, which ends with its holder.

    Windows has none for directories and needs none: there, a file that anybody has open cannot be renamed, and the
    transaction in :func:`_make_tables` looks again.
    """
    if sys.platform == "win32":
        yield
        return
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        ends = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= ends:
                    raise TimeoutError(
                        f"the directory {os.fspath(directory)!r} of the token cache was locked for {timeout:g} s"
                    ) from None
            except OSError as error:
                raise OSError(
                    error.errno,
                    f"{error.strerror}: the file system of the token cache refuses locks (a network file system?)",
                    os.fspath(directory),
                ) from None
            time.sleep(_LOCK_PAUSE)
        yield
    finally:
        os.close(descriptor)
