"""Sixteen processes of one machine with 25 threads, or 200 tasks, each: one token request; no fault fails a caller."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from azure_certvar_credential import SQLiteTokenCache
from azure_certvar_credential.testing import Fault
from tests.fleet.fleet import Fleet

pytestmark = pytest.mark.real

MEMBERS = 16
GRAPH = "https://graph.microsoft.com/.default"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "private" / "tokens.db"


def test_processes_that_start_cold_send_one_request(fleet: Fleet, path: Path) -> None:
    fleet.make("sqlite", str(path))
    # Long enough for all of them to come while the first waits; one that comes later reads the entry.
    fleet.entra.inject(Fault.latency(1.0))

    assert fleet.get().token
    assert fleet.requests == 1


def overwritten(path: Path) -> None:
    path.write_bytes(b"no database at all" * 1000)


GONE: dict[str, Callable[[Path], object]] = {"removed": Path.unlink, "overwritten": overwritten}


@pytest.mark.parametrize("fault", GONE)
def test_a_file_that_goes_costs_one_request_for_all_new_processes(fleet: Fleet, path: Path, fault: str) -> None:
    fleet.make("sqlite", str(path))
    fleet.get([0])
    fleet.make("sqlite", str(path))
    GONE[fault](path)
    fleet.entra.inject(Fault.latency(1.0))

    assert fleet.get().token
    assert fleet.requests == 1 + 1


def test_a_file_that_stays_locked_costs_a_request_each(fleet: Fleet, path: Path) -> None:
    fleet.make("sqlite", str(path))
    fleet.get([0], GRAPH)
    lock = sqlite3.connect(path, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    outcome = fleet.get()
    lock.close()

    assert outcome.failures == ()
    assert fleet.requests == 1 + MEMBERS
    # One line from each member, and another one if it tries again after a second.
    assert MEMBERS <= len(outcome.log) <= 2 * MEMBERS


TAMPERED: dict[str, str] = {
    "a changed octet": "UPDATE entries SET value = CAST(substr(value, 1, length(value) - 1) || x'00' AS BLOB)",
    "swapped": "UPDATE entries SET value = (SELECT e.value FROM entries AS e WHERE e.key != entries.key)",
    "truncated": "UPDATE entries SET value = substr(value, 1, 20)",
    "of a newer version": "UPDATE entries SET value = CAST(x'02' || substr(value, 2) AS BLOB)",
}


@pytest.mark.parametrize("how", TAMPERED)
def test_an_entry_that_was_tampered_with_costs_one_request(fleet: Fleet, path: Path, how: str) -> None:
    fleet.make("sqlite", str(path))
    old = fleet.get([0]).token
    fleet.get([0], GRAPH)
    with sqlite3.connect(path) as connection:
        connection.execute(TAMPERED[how])
    connection.close()
    fleet.make("sqlite", str(path))
    fleet.entra.inject(Fault.latency(1.0))

    assert fleet.get().token != old
    assert fleet.requests == 2 + 1
    assert SQLiteTokenCache(path).stats().entries == 2
