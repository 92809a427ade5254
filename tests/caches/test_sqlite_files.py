"""What stands in the place of the token cache's file, is set aside or refused; never deleted."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from azure_certvar_credential import SQLiteTokenCache
from tests.caches.sqlite_scene import LATER, refusal, set_aside

LOGGER = "azure_certvar_credential"


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[SQLiteTokenCache]:
    cache = SQLiteTokenCache(tmp_path / "tokens.db", timeout=0.1)
    yield cache
    cache.close()


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
