"""Many processes share one token cache, and may be killed at any moment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.caches.sqlite_programs import KILLS, PROCESSES

ROOT = Path(__file__).parents[2]


def run(program: str, directory: Path) -> tuple[Any, str]:
    """Run one of the programs; return what it saw, and what it logged."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.caches.sqlite_programs", program, str(directory / "tokens.db")],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=100,
        # coverage writes an SQLite file of its own, which a program without locks cannot.
        env={name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def asides(directory: Path) -> list[str]:
    return [file.name for file in directory.iterdir() if "set-aside" in file.name]


@pytest.mark.parametrize(("program", "expected"), [("cold", 0), ("setting_aside", 1)])
def test_sixteen_processes_begin_at_once(program: str, expected: int, tmp_path: Path) -> None:
    found, log = run(program, tmp_path)

    assert found["exits"] == [0] * PROCESSES
    assert sum(got_the_lock for got_the_lock, _ in found["seen"]) == 1
    assert {read for _, read in found["seen"]} == {PROCESSES * 50}, "each reads what each has written"
    assert len(asides(tmp_path)) == log.count("could not be used") == expected


def test_two_hundred_kills_leave_a_cache_that_works(tmp_path: Path) -> None:
    found, log = run("killing", tmp_path)

    assert found["failures"] == 0
    assert found["read"] > KILLS, "there was something to read"
    # Every other file was damaged from the start, and was set aside once.
    assert len(asides(tmp_path)) == KILLS // 20
    assert log.count("it is damaged") == log.count("could not be used")


def test_a_fork_leaves_parent_and_child_a_connection_each(tmp_path: Path) -> None:
    found, log = run("fork", tmp_path)

    assert found == {"child": [False, "parent"], "status": 0, "after": "child"}
    assert log == ""


@pytest.mark.skipif(sys.platform != "linux" or os.uname().machine not in {"x86_64", "aarch64"}, reason="needs seccomp")
def test_a_file_system_that_refuses_locks_is_named(tmp_path: Path) -> None:
    (there, new), log = run("without_locks", tmp_path)

    assert there[0] == (
        f"the token cache '{tmp_path}/tokens.db': database is locked: another process held it for too long, or the "
        "file system refuses locks (a network file system?)"
    )
    assert new[0] == (
        "[Errno 37] No locks available: the file system of the token cache refuses locks (a network file system?): "
        f"'{tmp_path}'"
    )
    assert max(there[1], new[1]) < 2.0
    assert log == ""
