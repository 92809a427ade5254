"""Whatever is asked of a cache and in whatever order, it answers as a dictionary does that drops what has expired."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from azure_certvar_credential import RedisTokenCache, SQLiteTokenCache
from tests.caches.servers import RedisServer

NOW = 1_800_000_000.0
MOST = 5
keys = st.sampled_from([f"{number:064x}" for number in range(8)])
values = st.binary(max_size=100)
members = st.integers(0, 1)


class Model(RuleBasedStateMachine):
    """Two members over one store, and beside them what the store ought to hold."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, tuple[bytes, float]] = {}
        self.locks: dict[str, tuple[str, float]] = {}
        self.released: list[tuple[str, str]] = []
        self.now = NOW
        self.members: list[Any] = []

    def living(self, key: str) -> bytes | None:
        value, ends = self.values.get(key, (None, 0.0))
        return value if ends > self.now else None

    @rule(member=members, key=keys)
    def get(self, member: int, key: str) -> None:
        assert self.members[member].get(key) == self.living(key)

    @rule(member=members, key=keys)
    def delete(self, member: int, key: str) -> None:
        self.members[member].delete(key)
        self.values.pop(key, None)

    @rule(member=members, key=keys)
    def lock(self, member: int, key: str) -> None:
        holder = self.members[member].lock(key, 1000.0)
        if self.locks.get(key, ("", 0.0))[1] > self.now:
            assert holder is None
        else:
            assert isinstance(holder, str)
            self.locks[key] = holder, self.now + 1000.0

    @precondition(lambda self: self.locks)
    @rule(member=members, data=st.data())
    def unlock(self, member: int, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.locks)))
        holder, _ = self.locks.pop(key)
        self.members[member].unlock(key, holder)
        self.released.append((key, holder))

    @precondition(lambda self: self.released)
    @rule(member=members, data=st.data())
    def unlock_late(self, member: int, data: st.DataObject) -> None:
        self.members[member].unlock(*data.draw(st.sampled_from(self.released)))

    @rule(member=members)
    def close(self, member: int) -> None:
        self.members[member].close()

    def teardown(self) -> None:
        for member in self.members:
            member.close()


class SQLiteModel(Model):
    """With a clock, and a bound of entries."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        for _ in range(2):
            cache = SQLiteTokenCache(Path(self.directory.name) / "tokens.db", max_entries=MOST)
            cache._clock = lambda: self.now
            self.members.append(cache)
        self.stored = 0

    @rule(member=members, key=keys, value=values, seconds=st.integers(-5, 3000))
    def set(self, member: int, key: str, value: bytes, seconds: int) -> None:
        # No two entries expire at the same moment, so that it is known which leaves first.
        self.stored += 1
        ends = self.now + seconds + self.stored / 1000
        self.members[member].set(key, value, ends)
        self.values[key] = value, ends
        others = sorted((ends, other) for other, (_, ends) in self.values.items() if ends > self.now and other != key)
        for _, other in others[: max(0, len(others) + 1 - MOST)]:
            del self.values[other]

    @rule(seconds=st.integers(1, 2000))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @rule(member=members)
    def clear(self, member: int) -> None:
        self.members[member].clear()
        self.values.clear()
        self.released += [(key, holder) for key, (holder, _) in self.locks.items()]
        self.locks.clear()

    @rule(member=members)
    def count(self, member: int) -> None:
        ends = [ends for _, ends in self.values.values() if ends > self.now]
        found = self.members[member].stats()
        expected = (len(ends), min(ends, default=None), max(ends, default=None))
        assert (found.entries, found.next_expiry, found.last_expiry) == expected

    def teardown(self) -> None:
        super().teardown()
        self.directory.cleanup()


class RedisModel(Model):
    """With the server's clock, which nobody moves: entries and locks outlive the test."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.members = [RedisTokenCache(self.url, timeout=20.0) for _ in range(2)]
        self.members[0]._client.flushdb()

    @rule(member=members, key=keys, value=values, expired=st.booleans())
    def set(self, member: int, key: str, value: bytes, expired: bool) -> None:
        self.members[member].set(key, value, 1.0 if expired else 4e9)
        self.values[key] = value, 0.0 if expired else 4e9


FEW = settings(max_examples=40, stateful_step_count=30)


def test_sqlite() -> None:
    run_state_machine_as_test(SQLiteModel, settings=FEW)


def test_redis(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RedisModel, "url", redis_server.url(database=9))
    run_state_machine_as_test(RedisModel, settings=FEW)
