"""The token cache in a file: what it keeps and for how long, where it is, and who may read it."""

from __future__ import annotations

import copy
import os
import pickle
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from azure_certvar_credential import SQLiteTokenCache
from azure_certvar_credential.exceptions import ConfigurationError

NOW = 1_800_000_000.0


class Clock:
    """A time of day that the test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(tmp_path: Path, clock: Clock) -> Iterator[SQLiteTokenCache]:
    cache = SQLiteTokenCache(tmp_path / "tokens.db", max_entries=10)
    cache._clock = clock
    yield cache
    cache.close()


@pytest.fixture
def umask() -> Iterator[None]:
    """A process that leaves every right to everybody."""
    before = os.umask(0)
    yield
    os.umask(before)


def rows(cache: SQLiteTokenCache, table: str = "entries") -> list[str]:
    """The keys in a table, seen by somebody else."""
    connection = sqlite3.connect(cache.path)
    try:
        return [key for (key,) in connection.execute(f"SELECT key FROM {table} ORDER BY key")]  # noqa: S608
    finally:
        connection.close()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_expired_rows_leave_with_the_next_entry(cache: SQLiteTokenCache, clock: Clock) -> None:
    for number in range(5):
        cache.set(f"{number}", b"value", NOW + 10 * number + 5)
    clock.now += 30
    cache.set("new", b"value", NOW + 100)
    assert rows(cache) == ["3", "4", "new"]


def test_ended_locks_leave_with_the_next_lock(cache: SQLiteTokenCache, clock: Clock) -> None:
    for number in range(5):
        cache.lock(f"{number}", 10)
    clock.now += 11
    cache.lock("new", 10)
    assert rows(cache, "locks") == ["new"]


def test_beyond_its_bound_the_entries_go_that_expire_first(cache: SQLiteTokenCache) -> None:
    for number in range(15):
        cache.set(f"{number:02}", b"value", NOW + 1000 - number)
    assert rows(cache) == ["00", "01", "02", "03", "04", "05", "06", "07", "08", "14"], "the last one always stays"


@pytest.mark.parametrize("value", ["'text'", "7", "CAST(x'ff' AS TEXT)"])
def test_a_value_of_another_type_is_read_as_octets(cache: SQLiteTokenCache, value: str) -> None:
    """Somebody who can write to the file may put anything there; an error would show what it is."""
    cache.set("key", b"value", NOW + 60)
    with closing(sqlite3.connect(cache.path)) as other, other:
        other.execute(f"UPDATE entries SET value = {value}")  # noqa: S608 - the cases above

    assert isinstance(cache.get("key"), bytes)


def test_a_lock_whose_clock_was_set_back_ends(cache: SQLiteTokenCache, clock: Clock) -> None:
    cache.lock("key", 10)
    clock.now -= 0.5
    assert cache.lock("key", 10) is None
    clock.now -= 3600
    assert cache.lock("key", 10) is not None


def test_statistics_count_what_has_not_expired(cache: SQLiteTokenCache, clock: Clock) -> None:
    before = cache.stats()
    assert (before.entries, before.bytes, before.next_expiry, before.last_expiry) == (0, 0, None, None)
    assert not cache.path.exists(), "counting makes no file"
    for number in range(5):
        cache.set(f"{number}", b"value" * 1000, NOW + 10 * number + 5)
    clock.now += 10
    after = cache.stats()
    assert (after.entries, after.next_expiry, after.last_expiry) == (4, NOW + 15, NOW + 45)
    assert after.bytes >= 25_000


def test_clear_leaves_nothing_in_the_files(cache: SQLiteTokenCache, tmp_path: Path) -> None:
    cache.clear()
    assert list(tmp_path.iterdir()) == [], "clearing makes no file"
    secret = b"sealed, but not to stay" * 100
    cache.set("key", secret, NOW + 10)
    assert any(secret in file.read_bytes() for file in tmp_path.iterdir())
    cache.lock("key", 10)
    cache.clear()
    assert cache.get("key") is None
    assert cache.lock("key", 10) is not None
    assert not any(secret[:23] in file.read_bytes() for file in tmp_path.iterdir())


@pytest.mark.usefixtures("umask")
def test_only_the_owner_may_read_the_files(tmp_path: Path) -> None:
    cache = SQLiteTokenCache(tmp_path / "new" / "deep" / "tokens.db")
    cache.set("key", b"value", 4e9)
    files = sorted(cache.path.parent.iterdir())
    assert [file.name for file in files] == ["tokens.db", "tokens.db-shm", "tokens.db-wal"]
    assert [mode(file) for file in files] == [0o600] * 3
    assert [mode(one) for one in (tmp_path / "new", tmp_path / "new" / "deep")] == [0o700] * 2
    cache.close()


@pytest.mark.usefixtures("umask")
def test_rights_that_are_too_wide_are_taken_back(tmp_path: Path) -> None:
    cache = SQLiteTokenCache(tmp_path / "tokens.db")
    cache.set("key", b"value", 4e9)
    cache.close()
    cache.path.chmod(0o644)
    assert cache.get("key") == b"value"
    assert mode(cache.path) == 0o600
    cache.close()


@pytest.mark.usefixtures("umask")
def test_by_default_the_file_is_in_the_users_cache_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    directory = tmp_path / ".cache" / "azure-certvar-credential"
    directory.mkdir(parents=True, mode=0o755)
    cache = SQLiteTokenCache()
    assert cache.path == directory / "tokens-v1.db"
    cache.set("key", b"value", 4e9)
    assert (mode(directory), mode(cache.path)) == (0o700, 0o600)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    assert cache.path == tmp_path / "elsewhere" / "azure-certvar-credential" / "tokens-v1.db"
    assert cache.get("key") is None
    cache.close()


def test_a_directory_of_the_caller_keeps_its_rights(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    cache = SQLiteTokenCache(tmp_path / "tokens.db")
    cache.set("key", b"value", 4e9)
    assert mode(tmp_path) == 0o755
    cache.close()


def test_a_relative_path_is_the_one_of_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cache = SQLiteTokenCache("tokens.db")
    monkeypatch.chdir("/")
    assert cache.path == tmp_path / "tokens.db"


def test_a_closed_cache_opens_again(cache: SQLiteTokenCache) -> None:
    cache.set("key", b"value", NOW + 10)
    cache.close()
    cache.close()
    assert not Path(f"{cache.path}-wal").exists()
    assert cache.get("key") == b"value"


def test_a_pickle_and_a_copy_have_the_path_and_no_connection(cache: SQLiteTokenCache) -> None:
    cache.set("key", b"value", 4e9)
    for other in (pickle.loads(pickle.dumps(cache)), copy.deepcopy(cache)):  # noqa: S301
        assert (other.path, other._max_entries, other._connection) == (cache.path, 10, None)
        assert other.get("key") == b"value"
        other.close()


def test_its_text_is_the_call_that_makes_it(tmp_path: Path) -> None:
    assert repr(SQLiteTokenCache()) == "SQLiteTokenCache()"
    assert repr(SQLiteTokenCache(tmp_path / "t")) == f"SQLiteTokenCache('{tmp_path}/t')"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"path": b"tokens.db"}, "path must be a str or a path of a file, not a value of type bytes"),
        ({"path": 7}, "path must be a str or a path of a file, not 7"),
        ({"path": ""}, "path must name a file, not ''"),
        ({"path": ":memory:"}, "path must name a file, not ':memory:'. Without token_cache"),
        ({"path": "a\0b"}, "path must name a file"),
        ({"max_entries": 0}, "max_entries must be a positive int, not 0"),
        ({"max_entries": True}, "max_entries must be a positive int, not True"),
        ({"max_entries": "10"}, "max_entries must be a positive int, not '10'"),
        ({"timeout": -1}, "timeout must be a number of seconds, not -1"),
        ({"timeout": float("nan")}, "timeout must be a number of seconds, not nan"),
        ({"timeout": float("inf")}, "timeout must be a number of seconds, not inf"),
        ({"timeout": "1"}, "timeout must be a number of seconds, not '1'"),
        ({"timeout": True}, "timeout must be a number of seconds, not True"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        SQLiteTokenCache(**arguments)
    assert str(caught.value).startswith(message)


def test_neither_the_package_nor_a_credential_loads_sqlite() -> None:
    code = (
        "import sys; from azure_certvar_credential import CertVarCredential; assert 'sqlite3' not in sys.modules; "
        "from azure_certvar_credential import SQLiteTokenCache as Cache; Cache(); print('platformdirs' in sys.modules)"
    )
    # Measured by coverage, it would load sqlite3 for that.
    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60, env=unmeasured
    )
    assert done.stdout.strip() == "False"
