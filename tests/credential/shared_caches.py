"""A cache in memory that several credentials share, as members of a fleet do, and that can be made to fail."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.credential.world import STORAGE, Driver, World


@dataclass
class MemoryCache:
    """A ``TokenCache``, or an ``AsyncTokenCache`` in its subclass.

    :ivar clock: the time of its own machine.
    :ivar calls: the methods that were called.
    :ivar failure: raised by every call.
    """

    clock: Callable[[], float]
    values: dict[str, tuple[bytes, float]] = field(default_factory=dict)
    locks: dict[str, tuple[str, float]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    failure: Exception | None = None

    def get(self, key: str) -> Any:
        self._called("get")
        value, expires_on = self.values.get(key, (None, 0.0))
        return value if self.clock() < expires_on else None

    def set(self, key: str, value: bytes, expires_on: float) -> Any:
        self._called("set")
        self.values[key] = (value, expires_on)

    def delete(self, key: str) -> Any:
        self._called("delete")
        self.values.pop(key, None)

    def lock(self, key: str, seconds: float) -> Any:
        self._called("lock")
        if self.locks.get(key, ("", 0.0))[1] > self.clock():
            return None
        holder = secrets.token_hex(8)
        self.locks[key] = (holder, self.clock() + seconds)
        return holder

    def unlock(self, key: str, holder: str) -> Any:
        self._called("unlock")
        if self.locks.get(key, ("", 0.0))[0] == holder:
            del self.locks[key]

    def _called(self, method: str) -> None:
        self.calls.append(method)
        if self.failure is not None:
            raise self.failure


class AsyncMemoryCache(MemoryCache):
    """The same with coroutine functions."""

    async def get(self, key: str) -> Any:
        return super().get(key)

    async def set(self, key: str, value: bytes, expires_on: float) -> Any:
        super().set(key, value, expires_on)

    async def delete(self, key: str) -> Any:
        super().delete(key)

    async def lock(self, key: str, seconds: float) -> Any:
        return super().lock(key, seconds)

    async def unlock(self, key: str, holder: str) -> Any:
        super().unlock(key, holder)


def member(world: World, cache: object, **options: Any) -> Driver:
    return world.driver(token_cache=cache, **options)


async def token_of(driver: Driver, scope: str = STORAGE, **options: Any) -> str:
    return (await driver.get_token(scope, **options)).token
