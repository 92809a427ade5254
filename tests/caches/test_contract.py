"""Every token cache keeps the contract; and the contract finds what a cache does wrong."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from azure_certvar_credential import RedisTokenCache, SQLiteTokenCache, aio
from azure_certvar_credential.testing import TOKEN_CACHE_CONTRACT
from tests.caches.servers import RedisServer

each_check = pytest.mark.parametrize("check", TOKEN_CACHE_CONTRACT, ids=lambda check: check.__name__)
Check = Callable[[Callable[[], object]], None]


@each_check
def test_sqlite(check: Check, tmp_path: Path) -> None:
    check(lambda: SQLiteTokenCache(tmp_path / "tokens.db", timeout=20.0))


@each_check
def test_redis(check: Check, redis_server: RedisServer) -> None:
    check(lambda: RedisTokenCache(redis_server.url(), timeout=20.0))


@each_check
def test_redis_with_asyncio(check: Check, redis_server: RedisServer) -> None:
    check(lambda: aio.RedisTokenCache(redis_server.url(), timeout=20.0))


class Store:
    """What the caches of one test share."""

    def __init__(self) -> None:
        self.values: dict[str, tuple[bytes, float]] = {}
        self.locks: dict[str, tuple[str, float]] = {}
        self.mutex = threading.Lock()


class InMemory:
    """A cache that keeps the contract, and the place for each mistake."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def get(self, key: str) -> bytes | None:
        value, ends = self.store.values.get(key, (None, 0.0))
        return value if ends > time.time() else None

    def set(self, key: str, value: bytes, expires_on: float) -> None:
        self.store.values[key] = value, expires_on

    def delete(self, key: str) -> None:
        self.store.values.pop(key, None)

    def lock(self, key: str, seconds: float) -> str | None:
        with self.store.mutex:
            if self.store.locks.get(key, ("", 0.0))[1] > time.time():
                return None
            holder = secrets.token_hex(8)
            self.store.locks[key] = holder, time.time() + seconds
            return holder

    def unlock(self, key: str, holder: str) -> None:
        with self.store.mutex:
            if self.store.locks.get(key, ("", 0.0))[0] == holder:
                del self.store.locks[key]


class ReturnsText(InMemory):
    def get(self, key: str) -> Any:
        value = super().get(key)
        return None if value is None else value.decode("latin-1")


class DropsLastOctet(InMemory):
    def get(self, key: str) -> bytes | None:
        value = super().get(key)
        return value and value.rstrip(b"\0\xff")


class IsItsOwn(InMemory):
    def __init__(self, store: Store) -> None:
        super().__init__(Store())


class EmptyForMissing(InMemory):
    def get(self, key: str) -> bytes | None:
        return super().get(key) or b""


class RaisesForMissing(InMemory):
    def delete(self, key: str) -> None:
        del self.store.values[key]


class KeepsTheFirst(InMemory):
    def set(self, key: str, value: bytes, expires_on: float) -> None:
        self.store.values.setdefault(key, (value, expires_on))


class OneForAll(InMemory):
    def set(self, key: str, value: bytes, expires_on: float) -> None:
        super().set("", value, expires_on)

    def get(self, key: str) -> bytes | None:
        return super().get("")


class DeletesNothing(InMemory):
    def delete(self, key: str) -> None:
        pass


class ForeverThere(InMemory):
    def get(self, key: str) -> bytes | None:
        return self.store.values.get(key, (None, 0.0))[0]


class ExpiresAtOnce(InMemory):
    def set(self, key: str, value: bytes, expires_on: float) -> None:
        super().set(key, value, expires_on - 10.0)


class IgnoresTheLate(InMemory):
    def set(self, key: str, value: bytes, expires_on: float) -> None:
        if expires_on > time.time():
            super().set(key, value, expires_on)


class LocksForAll(InMemory):
    def lock(self, key: str, seconds: float) -> str | None:
        return secrets.token_hex(8)


class LocksNobody(InMemory):
    def lock(self, key: str, seconds: float) -> str | None:
        return None


class SameHolder(InMemory):
    def lock(self, key: str, seconds: float) -> str | None:
        if super().lock(key, seconds) is None:
            return None
        self.store.locks[key] = "locked", time.time() + seconds
        return "locked"


class UnlocksNothing(InMemory):
    def unlock(self, key: str, holder: str) -> None:
        pass


class UnlocksForAll(InMemory):
    def unlock(self, key: str, holder: str) -> None:
        self.store.locks.pop(key, None)


class LockIsAValue(InMemory):
    def lock(self, key: str, seconds: float) -> str | None:
        holder = super().lock(key, seconds)
        if holder is not None:
            self.set(key, holder.encode(), time.time() + seconds)
        return holder


class SetReleases(InMemory):
    def set(self, key: str, value: bytes, expires_on: float) -> None:
        super().set(key, value, expires_on)
        self.store.locks.pop(key, None)


class OneLock(InMemory):
    def lock(self, key: str, seconds: float) -> str | None:
        return super().lock("", seconds)

    def unlock(self, key: str, holder: str) -> None:
        super().unlock("", holder)


class LocksForever(InMemory):
    def lock(self, key: str, seconds: float) -> str | None:
        return super().lock(key, 10_000.0)


class LocksForAMoment(InMemory):
    def lock(self, key: str, seconds: float) -> str | None:
        return super().lock(key, 0.0)


class LooksThenLocks(InMemory):
    def lock(self, key: str, seconds: float) -> str | None:
        if self.store.locks.get(key, ("", 0.0))[1] > time.time():
            return None
        time.sleep(0.01)
        holder = secrets.token_hex(8)
        self.store.locks[key] = holder, time.time() + seconds
        return holder


class WritesInPieces(InMemory):
    buffers: ClassVar[dict[str, bytearray]] = {}

    def set(self, key: str, value: bytes, expires_on: float) -> None:
        buffer = self.buffers.setdefault(key, bytearray(len(value)))
        buffer[: len(value) // 2] = value[: len(value) // 2]
        time.sleep(0.001)
        buffer[len(value) // 2 :] = value[len(value) // 2 :]
        self.store.values[key] = bytes(buffer), expires_on

    def get(self, key: str) -> bytes | None:
        return bytes(self.buffers[key]) if key in self.buffers else None


BROKEN = {
    ReturnsText: "values_come_back_as_they_were_stored",
    DropsLastOctet: "values_come_back_as_they_were_stored",
    IsItsOwn: "values_come_back_as_they_were_stored",
    EmptyForMissing: "what_is_not_there_is_none",
    RaisesForMissing: "what_is_not_there_is_none",
    KeepsTheFirst: "the_last_value_replaces_the_others",
    OneForAll: "the_last_value_replaces_the_others",
    DeletesNothing: "what_is_deleted_is_gone",
    ForeverThere: "what_has_expired_is_gone",
    ExpiresAtOnce: "what_has_expired_is_gone",
    IgnoresTheLate: "what_has_expired_is_gone",
    LocksForAll: "one_member_holds_a_lock",
    LocksNobody: "one_member_holds_a_lock",
    SameHolder: "one_member_holds_a_lock",
    UnlocksNothing: "one_member_holds_a_lock",
    LockIsAValue: "locks_keep_nobody_from_values",
    SetReleases: "locks_keep_nobody_from_values",
    OneLock: "locks_keep_nobody_from_values",
    UnlocksForAll: "a_lock_ends_by_itself",
    LocksForever: "a_lock_ends_by_itself",
    LocksForAMoment: "a_lock_ends_by_itself",
    LooksThenLocks: "one_of_many_gets_the_lock",
    WritesInPieces: "many_may_use_it_at_once",
}


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache in memory counts in less than seconds."""
    monkeypatch.setattr("azure_certvar_credential.testing.token_cache._SECOND", 0.1)
    monkeypatch.setattr("azure_certvar_credential.testing.token_cache._PATIENCE", 0.3)


@pytest.mark.usefixtures("hurry")
@each_check
def test_a_cache_in_memory(check: Check) -> None:
    store = Store()
    check(lambda: InMemory(store))


@pytest.mark.usefixtures("hurry")
@pytest.mark.parametrize(("broken", "name"), BROKEN.items(), ids=lambda case: getattr(case, "__name__", ""))
def test_a_mistake_is_found(broken: type[InMemory], name: str) -> None:
    [check] = [check for check in TOKEN_CACHE_CONTRACT if check.__name__ == name]
    store = Store()
    with pytest.raises((AssertionError, KeyError)):
        check(lambda: broken(store))


def test_every_check_finds_a_mistake() -> None:
    assert set(BROKEN.values()) == {check.__name__ for check in TOKEN_CACHE_CONTRACT}
