"""What stands in the place of the token cache's file, or in its way, is set aside, refused or named; never deleted."""

from __future__ import annotations

import fcntl
import os
import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from azure_certvar_credential import SQLiteTokenCache

LATER = 4e9
NOBODY = 65534
LOGGER = "azure_certvar_credential"


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[SQLiteTokenCache]:
    cache = SQLiteTokenCache(tmp_path / "tokens.db", timeout=0.1)
    yield cache
    cache.close()


def set_aside(cache: SQLiteTokenCache) -> list[Path]:
    """What was renamed, without SQLite's own files beside it."""
    found = cache.path.parent.glob(f"{cache.path.name}.set-aside-*")
    return sorted(file for file in found if not file.name.endswith(("-wal", "-shm")))


def execute(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    try:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    finally:
        connection.close()


def make_garbage(path: Path) -> None:
    path.write_bytes(b"\x00\xffno database" * 1000)


def make_text(path: Path) -> None:
    path.write_text("{}")


def make_other_application(path: Path) -> None:
    execute(path, "CREATE TABLE orders (id)", "INSERT INTO orders VALUES (1)")


def make_marked_by_other_application(path: Path) -> None:
    execute(path, "PRAGMA application_id = 77")


def make_damaged_header(path: Path) -> None:
    cache = SQLiteTokenCache(path)
    cache.set("key", b"value", LATER)
    cache.close()
    with path.open("r+b") as file:
        file.write(b"SQLite format 4\x00")


def make_newer(path: Path) -> None:
    cache = SQLiteTokenCache(path)
    cache.set("key", b"value", LATER)
    cache.close()
    execute(path, "PRAGMA user_version = 2", "ALTER TABLE entries ADD COLUMN epoch")


def make_changed(path: Path) -> None:
    cache = SQLiteTokenCache(path)
    cache.set("key", b"value", LATER)
    cache.close()
    execute(path, "CREATE TRIGGER spy AFTER INSERT ON entries BEGIN DELETE FROM locks; END")


UNUSABLE = {
    make_garbage: "it is damaged, or no database",
    make_text: "it is damaged, or no database",
    make_damaged_header: "it is damaged, or no database",
    make_other_application: "another application made it",
    make_marked_by_other_application: "another application made it",
    make_changed: "another application made it",
    make_newer: "a newer version of this package made it (schema 2, here 1)",
}


@pytest.mark.parametrize(("make", "reason"), UNUSABLE.items(), ids=lambda case: getattr(case, "__name__", ""))
def test_an_unusable_file_is_set_aside(
    make: Callable[[Path], None], reason: str, cache: SQLiteTokenCache, caplog: pytest.LogCaptureFixture
) -> None:
    make(cache.path)
    before = cache.path.read_bytes()

    assert cache.get("key") is None
    cache.set("key", b"new", LATER)

    assert cache.get("key") == b"new"
    [aside] = set_aside(cache)
    assert aside.read_bytes() == before
    [record] = [record for record in caplog.records if record.name == LOGGER]
    assert record.levelname == "WARNING"
    assert record.getMessage() == (
        f"The token cache {cache.path} could not be used: {reason}. It was renamed to {aside.name}, and a new one made."
    )


def test_damage_that_shows_later_sets_the_file_aside(cache: SQLiteTokenCache, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(100):
        cache.set(f"{number}", bytes(3000), LATER)
    cache.close()
    with cache.path.open("r+b") as file:
        # Everything but the first page, which has the schema.
        file.seek(4096)
        file.write(b"\xa5" * (cache.path.stat().st_size - 4096))

    assert cache.get("7") is None
    cache.set("7", b"new", LATER)

    assert cache.get("7") == b"new"
    assert len(set_aside(cache)) == 1
    assert [record.levelname for record in caplog.records if record.name == LOGGER] == ["WARNING"]


def test_an_empty_file_is_taken_over(cache: SQLiteTokenCache) -> None:
    cache.path.touch(mode=0o644)
    cache.set("key", b"value", LATER)
    assert cache.get("key") == b"value"
    assert set_aside(cache) == []


def test_what_sqlite_left_beside_a_removed_file_harms_nobody(cache: SQLiteTokenCache) -> None:
    for suffix in ("-wal", "-shm"):
        Path(f"{cache.path}{suffix}").write_bytes(b"\xa5" * 40_000)
    cache.set("key", b"value", LATER)
    assert cache.get("key") == b"value"
    assert set_aside(cache) == []


@pytest.mark.parametrize("sidecars", [True, False])
def test_a_file_that_was_removed_while_open_is_made_again(cache: SQLiteTokenCache, sidecars: bool) -> None:
    other = SQLiteTokenCache(cache.path)
    cache.set("key", b"value", LATER)
    assert other.get("key") == b"value"
    for suffix in ("", "-wal", "-shm") if sidecars else ("",):
        Path(f"{cache.path}{suffix}").unlink()

    cache.set("key", b"new", LATER)

    assert other.get("key") == b"new", "both use the new file"
    other.set("other", b"value", LATER)
    other.close()
    assert cache.get("other") == b"value"


def test_a_directory_in_its_place_is_named(cache: SQLiteTokenCache) -> None:
    cache.path.mkdir()
    assert refusal(cache) == (
        f"the token cache '{cache.path}' is not a regular file: give the path of a file, or of none yet"
    )
    assert cache.path.is_dir()


def test_a_device_or_pipe_is_not_opened(cache: SQLiteTokenCache) -> None:
    os.mkfifo(cache.path)  # whose opening would wait for a reader
    assert "is not a regular file" in refusal(cache)


@pytest.mark.parametrize("target", ["missing", "there"])
def test_a_symbolic_link_is_not_followed(cache: SQLiteTokenCache, target: str) -> None:
    other = cache.path.with_name(target)
    if target == "there":
        other.write_text("somebody's")
    cache.path.symlink_to(other)
    assert "is a symbolic link" in refusal(cache)
    assert other.exists() == (target == "there")
    assert set_aside(cache) == []


def test_a_symbolic_link_to_the_directory_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    cache = SQLiteTokenCache(tmp_path / "link" / "tokens.db")
    cache.set("key", b"value", LATER)
    cache.close()
    assert (tmp_path / "real" / "tokens.db").exists()


def test_a_file_in_place_of_its_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "Not a directory" in refusal(SQLiteTokenCache(tmp_path / "file" / "tokens.db"))


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


def refusal(cache: SQLiteTokenCache) -> str:
    """The one line of an error that two uses raise alike."""
    texts = []
    uses: list[Callable[[], object]] = [lambda: cache.set("key", b"value", LATER), lambda: cache.lock("key", 10)]
    for use in uses:
        with pytest.raises(OSError) as caught:  # noqa: PT011 - the caller compares the text
            use()
        texts.append(str(caught.value))
    assert texts[0] == texts[1]
    assert "\n" not in texts[0]
    return texts[0]
