"""What is in the way of the token cache's file is named in one line, and does no harm once it is gone."""

from __future__ import annotations

import fcntl
import os
import resource
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from azure_certvar_credential import SQLiteTokenCache
from tests.caches.sqlite_scene import LATER, refusal, set_aside

NOBODY = 65534


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[SQLiteTokenCache]:
    cache = SQLiteTokenCache(tmp_path / "tokens.db", timeout=0.1)
    yield cache
    cache.close()


@pytest.mark.parametrize("home", ["missing", "unknown"])
def test_a_missing_home_directory_is_named_and_not_made(
    home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    if home == "missing":
        monkeypatch.setenv("HOME", str(tmp_path / "nonexistent"))
    else:
        monkeypatch.delenv("HOME")
        # As the user 54321 of a container, whom no passwd(5) knows.
        monkeypatch.setattr(os, "getuid", lambda: 54321)
    cache = SQLiteTokenCache()
    for use in (lambda: cache.get("key"), lambda: cache.path, cache.stats, cache.clear):
        with pytest.raises(OSError, match="there is no home directory for the token cache: set HOME, or give"):
            use()
    assert list(tmp_path.iterdir()) == []


@contextmanager
def as_nobody() -> Iterator[Path]:
    """A user without rights, and a directory that is theirs; as somebody else, a directory is enough."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        if os.geteuid() != 0:
            yield directory
            return
        os.chown(directory, NOBODY, NOBODY)
        os.seteuid(NOBODY)
        try:
            yield directory
        finally:
            os.seteuid(0)


def test_a_directory_that_cannot_be_written_is_named() -> None:
    with as_nobody() as directory:
        cache = SQLiteTokenCache(directory / "tokens.db")
        directory.chmod(0o500)
        assert refusal(cache) == f"[Errno 13] Permission denied: '{directory}/tokens.db'"
        deeper = SQLiteTokenCache(directory / "deeper" / "tokens.db")
        assert refusal(deeper) == f"[Errno 13] Permission denied: '{directory}/deeper'"
        directory.chmod(0o700)
        cache.set("key", b"value", LATER)
        cache.close()


def test_a_file_that_cannot_be_written_any_more_is_read_or_named() -> None:
    with as_nobody() as directory:
        cache = SQLiteTokenCache(directory / "tokens.db")
        cache.set("key", b"value", LATER)
        cache.close()
        cache.path.chmod(0o400)
        directory.chmod(0o500)
        text = refusal(cache)
        assert text.startswith(f"the token cache '{cache.path}': ")
        assert text.endswith((": give a path that can be written", ": check that its directory can be written"))
        directory.chmod(0o700)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_another_users_file_is_refused() -> None:
    with as_nobody() as directory:
        cache = SQLiteTokenCache(directory / "tokens.db")
        cache.set("key", b"value", LATER)
        cache.close()
        os.seteuid(0)
        os.chown(cache.path, NOBODY - 1, NOBODY - 1)
        cache.path.chmod(0o666)
        os.seteuid(NOBODY)
        assert refusal(cache) == f"the token cache '{cache.path}' belongs to another user: give another path"


def test_a_full_disk_is_named_and_nothing_is_lost(cache: SQLiteTokenCache) -> None:
    cache.set("kept", b"value", LATER)
    connection = cache._connection
    assert connection is not None
    connection.execute("PRAGMA max_page_count = 20")
    with pytest.raises(OSError, match="database or disk is full: make room, or give another path") as caught:
        fill(cache)
    assert str(caught.value).startswith(f"the token cache '{cache.path}': ")
    assert cache.get("kept") == b"value"
    assert set_aside(cache) == []


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file of this process may grow beyond a size (setrlimit(2)); writes beyond it fail as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_that_may_not_grow_is_named_and_works_again_later(cache: SQLiteTokenCache) -> None:
    cache.set("kept", b"value", LATER)
    with largest_file(100_000):
        with pytest.raises(OSError, match=r"disk I/O error: check the disk|disk is full"):
            fill(cache)
        assert cache.get("kept") == b"value"
    cache.set("later", b"value", LATER)
    assert (cache.get("kept"), cache.get("later")) == (b"value", b"value")
    assert set_aside(cache) == []


@pytest.mark.parametrize("size", [0, 1000, 5000, 9000, 33_000])
def test_a_disk_that_was_full_from_the_start_leaves_a_file_that_works_later(cache: SQLiteTokenCache, size: int) -> None:
    with largest_file(size), suppress(OSError):
        cache.set("key", b"value", LATER)
    cache.set("key", b"value", LATER)
    assert cache.get("key") == b"value"
    assert set_aside(cache) == []


def test_a_file_that_stays_locked_is_named_after_the_timeout(cache: SQLiteTokenCache) -> None:
    cache.set("key", b"value", LATER)
    other = sqlite3.connect(cache.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    begun = time.monotonic()
    with pytest.raises(OSError, match="database is locked: another process held it for too long, or the file system"):
        cache.set("key", b"new", LATER)
    assert 0.05 < time.monotonic() - begun < 1.0
    assert cache.get("key") == b"value", "readers do not wait for a writer"
    other.close()
    cache.set("key", b"new", LATER)


def test_a_directory_that_stays_locked_is_named_after_the_timeout(cache: SQLiteTokenCache) -> None:
    descriptor = os.open(cache.path.parent, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    begun = time.monotonic()
    text = refusal(cache)
    os.close(descriptor)
    assert text == f"the directory '{cache.path.parent}' of the token cache was locked for 0.1 s"
    assert 0.05 < time.monotonic() - begun < 1.0


def fill(cache: SQLiteTokenCache) -> None:
    for number in range(100):
        cache.set(f"{number}", bytes(3000), LATER)
