"""``certvar cache`` shows and empties the file that processes share, and reads no entry."""

from __future__ import annotations

import sys
import time
from datetime import datetime
from pathlib import Path

import pytest

from azure_certvar_credential import SQLiteTokenCache
from tests.cli.commands.kit import certvar


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A cache with two entries that are still good."""
    path = tmp_path / "private" / "tokens.db"
    cache, now = SQLiteTokenCache(path), time.time()
    for number, key in enumerate(("one", "two"), 1):
        cache.set(key, b"sealed", now + 1000 * number)
    cache.close()
    return path


def test_it_prints_the_path_of_the_users_own_cache(tmp_path: Path) -> None:
    ran = certvar("cache", "path", XDG_CACHE_HOME=str(tmp_path))

    assert (ran.code, ran.out.strip()) == (0, str(SQLiteTokenCache().path).replace(*_caches(tmp_path)))
    assert list(tmp_path.iterdir()) == []


def _caches(tmp_path: Path) -> tuple[str, str]:
    folder = str(SQLiteTokenCache().path.parent.parent)
    return folder, str(tmp_path)


def test_it_counts_the_entries(file: Path) -> None:
    ran = certvar("cache", "stats", "--file", str(file), "--json")
    shown = certvar("cache", "stats", "--file", str(file)).out

    assert ran.code == 0
    assert (ran.json["path"], ran.json["entries"]) == (str(file), 2)
    assert ran.json["bytes"] > 0
    span = datetime.fromisoformat(ran.json["last_expiry"]) - datetime.fromisoformat(ran.json["next_expiry"])
    assert round(span.total_seconds()) == 1000
    assert "next expiry" in shown
    assert "sealed" not in shown


def test_it_drops_the_entries(file: Path) -> None:
    ran = certvar("cache", "clear", "--file", str(file))

    assert (ran.code, ran.out.replace("\n", "")) == (0, f"dropped 2 entries of {file}")
    assert certvar("cache", "clear", "--file", str(file), "--json").json == {"path": str(file), "dropped": 0}
    assert SQLiteTokenCache(file).stats().entries == 0


@pytest.mark.parametrize("command", ["stats", "clear"])
def test_a_cache_that_is_not_there_is_empty_and_not_made(command: str, tmp_path: Path) -> None:
    file = tmp_path / "private" / "tokens.db"

    assert certvar("cache", command, "--file", str(file)).code == 0
    assert not file.parent.exists()


def test_a_cache_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    ran = certvar("cache", "stats", "--file", str(tmp_path / "a file" / "tokens.db"))

    assert (ran.code, ran.out) == (1, "")
    assert "cannot use the token cache" in ran.err


def test_the_command_needs_one_of_its_own() -> None:
    assert certvar("cache").code == 2


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the folder comes from other variables")
def test_without_a_home_directory_it_names_the_variable() -> None:
    ran = certvar("cache", "path", HOME="/no/such/home", XDG_CACHE_HOME="")

    assert (ran.code, ran.out) == (1, "")
    assert " ".join(ran.err.split()).endswith("there is no home directory for the token cache: set HOME")
