"""What a credential relies on in a token cache, as checks that any implementation can run.

Each check takes a function that returns a cache; two caches that it returns share one store, as two processes do. Keys
are drawn at random, so that the store need not be empty.
"""

from __future__ import annotations

import asyncio
import inspect
import secrets
import time
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, TypeAlias

# Of a TokenCache or an AsyncTokenCache; this room imports neither, as it imports nothing of what it checks.
NewCache: TypeAlias = Callable[[], object]
Check: TypeAlias = Callable[[NewCache], None]

# Some stores count in seconds, and drop what has expired at the next full one.
_SECOND = 1.0
_PATIENCE = 5.0
_LONG = 60.0
_MANY = 8


class _Member:
    """A cache of either kind, called alike: as coroutines, those of a synchronous cache in a thread."""

    def __init__(self, cache: object) -> None:
        self._cache: Any = cache

    async def _call(self, name: str, *args: object) -> Any:
        method = getattr(self._cache, name)
        if inspect.iscoroutinefunction(method):
            return await method(*args)
        answer = await asyncio.to_thread(method, *args)
        return await answer if inspect.isawaitable(answer) else answer

    async def get(self, key: str) -> bytes | None:
        value: bytes | None = await self._call("get", key)
        _holds(value is None or type(value) is bytes, f"get() returned {type(value).__name__}, not bytes or None")
        return value

    async def set(self, key: str, value: bytes, *, seconds: float = _LONG) -> None:
        await self._call("set", key, value, time.time() + seconds)

    async def delete(self, key: str) -> None:
        await self._call("delete", key)

    async def lock(self, key: str, seconds: float = _LONG) -> str | None:
        holder: str | None = await self._call("lock", key, seconds)
        _holds(holder is None or (isinstance(holder, str) and holder != ""), "lock() returned neither a text nor None")
        return holder

    async def unlock(self, key: str, holder: str) -> None:
        await self._call("unlock", key, holder)

    async def close(self) -> None:
        if hasattr(self._cache, "close"):
            await self._call("close")


def _check(scene: Callable[[_Member, _Member], Awaitable[None]]) -> Check:
    """Return a check that plays a scene with two members; its name and docstring are the scene's."""

    @wraps(scene)
    def check(new_cache: NewCache) -> None:
        async def play() -> None:
            # Made within the loop, to which a client of an asynchronous cache may belong.
            members = [_Member(new_cache()), _Member(new_cache())]
            try:
                await scene(*members)
            finally:
                for member in members:
                    await member.close()

        asyncio.run(play())

    # What wraps() leaves for introspection would show the scene's parameters.
    del check.__wrapped__
    return check


def _holds(condition: bool, otherwise: str) -> None:  # noqa: FBT001 - as in an assertion
    if not condition:
        raise AssertionError(otherwise)


def _key() -> str:
    return secrets.token_hex(32)


@_check
async def values_come_back_as_they_were_stored(one: _Member, other: _Member) -> None:
    """Every octet, of an empty value and of 64 KiB, read by the member that stored it and by another."""
    for value in (bytes(range(256)), b"", secrets.token_bytes(65_536), b"\xff\xfe text \r\n\0"):
        key = _key()
        await one.set(key, value)
        for member in (one, other):
            _holds(await member.get(key) == value, f"a value of {len(value)} bytes came back as another one")


@_check
async def what_is_not_there_is_none(one: _Member, other: _Member) -> None:
    """A key that nobody stored; deleting it is no error, nor is releasing its lock."""
    key = _key()
    _holds(await one.get(key) is None, "a key that nobody stored has a value")
    await one.delete(key)
    await one.unlock(key, secrets.token_hex(16))
    _holds(await other.get(key) is None, "deleting a missing key made a value")


@_check
async def the_last_value_replaces_the_others(one: _Member, other: _Member) -> None:
    """They go at once, whatever stored them and until whenever; other keys keep theirs."""
    key, beside = _key(), _key()
    await one.set(beside, b"beside")
    for member, value in ((one, b"first"), (other, b"second, and longer"), (one, b"3rd")):
        await member.set(key, value)
        _holds(await one.get(key) == value == await other.get(key), "a value was not replaced for every member")
    _holds(await other.get(beside) == b"beside", "storing one key changed another")


@_check
async def what_is_deleted_is_gone(one: _Member, other: _Member) -> None:
    """For every member; the key can be stored again."""
    key = _key()
    await one.set(key, b"value")
    await other.delete(key)
    _holds(await one.get(key) is None, "a deleted value came back")
    await one.set(key, b"again")
    _holds(await other.get(key) == b"again", "a deleted key cannot be stored again")


@_check
async def what_has_expired_is_gone(one: _Member, other: _Member) -> None:
    """At its time, and no more than a moment later; a value that is stored too late replaces the previous one."""
    key, late = _key(), _key()
    await one.set(late, b"in time")
    await one.set(late, b"too late", seconds=-_SECOND)
    _holds(await other.get(late) is None, "a value came back that had expired when it was stored, or its predecessor")
    begun = time.monotonic()
    await one.set(key, b"value", seconds=2 * _SECOND)
    there = await other.get(key)
    _holds(there == b"value" or time.monotonic() - begun > _SECOND, "a value expired before its time")
    await _until(lambda: other.get(key), None, "a value came back long after its time")
    await one.set(key, b"again")
    _holds(await other.get(key) == b"again", "an expired key cannot be stored again")


@_check
async def one_member_holds_a_lock(one: _Member, other: _Member) -> None:
    """Others get None at once, until the holder releases it; each time the holder's text is another one."""
    key = _key()
    first = await one.lock(key)
    _holds(first is not None, "a free lock was not given")
    _holds(await one.lock(key) is None, "a lock was given twice to one member")
    _holds(await other.lock(key) is None, "a lock was given to two members")
    await one.unlock(key, first or "")
    second = await other.lock(key)
    _holds(second is not None, "a released lock was not given")
    _holds(second != first, "two holders have the same text, so that one could release the other's lock")
    await other.unlock(key, second or "")


@_check
async def locks_keep_nobody_from_values(one: _Member, other: _Member) -> None:
    """A lock is advisory, and of one key; storing and deleting the value does not release it."""
    key, beside = _key(), _key()
    holder = await one.lock(key)
    _holds(await other.get(key) is None, "a lock is read as a value")
    await other.set(key, b"value")
    _holds(await one.get(key) == b"value", "a locked key cannot be stored")
    _holds(await other.lock(key) is None, "storing a value released the lock")
    await other.delete(key)
    _holds(await other.lock(key) is None, "deleting a value released the lock")
    elsewhere = await other.lock(beside)
    _holds(elsewhere is not None, "the lock of one key locks another")
    await one.set(key, b"value")
    await one.unlock(key, holder or "")
    await other.unlock(beside, elsewhere or "")
    _holds(await other.get(key) == b"value", "releasing a lock dropped the value")


@_check
async def a_lock_ends_by_itself(one: _Member, other: _Member) -> None:
    """After its time, and not before; its late holder does not release the next one's."""
    key = _key()
    begun = time.monotonic()
    late = await one.lock(key, 2 * _SECOND)
    _holds(late is not None, "a free lock was not given")
    taken = await other.lock(key)
    _holds(taken is None or time.monotonic() - begun > _SECOND, "a lock ended before its time")
    if taken is None:
        taken = await _until(lambda: other.lock(key), ..., "a lock went on long after its time")
    await one.unlock(key, late or "")
    _holds(await one.lock(key) is None, "a holder whose time was over released somebody else's lock")
    await other.unlock(key, taken or "")
    _holds(await one.lock(key, _SECOND) is not None, "a released lock was not given")


@_check
async def one_of_many_gets_the_lock(one: _Member, other: _Member) -> None:
    """All at the same moment, ten times; some of them share a member."""
    for _ in range(10):
        key = _key()
        holders = await asyncio.gather(*((one, other)[number % 2].lock(key) for number in range(_MANY)))
        given = [holder for holder in holders if holder is not None]
        _holds(len(given) == 1, f"{len(given)} of {_MANY} got the same lock")
        await one.unlock(key, given[0])


@_check
async def many_may_use_it_at_once(one: _Member, other: _Member) -> None:
    """Threads for a synchronous cache, tasks for an asynchronous one; a value is never a mixture of two."""
    shared = _key()
    whole = [bytes([number]) * 5_000 for number in range(_MANY)]

    async def work(number: int) -> None:
        member, own = (one, other)[number % 2], _key()
        for _ in range(10):
            await member.set(own, whole[number])
            await member.set(shared, whole[number])
            _holds(await member.get(own) == whole[number], "a value was lost, or another key's")
            _holds(await member.get(shared) in whole, "a value is a mixture of two")

    await asyncio.gather(*map(work, range(_MANY)))


async def _until(ask: Callable[[], Awaitable[Any]], wanted: Any, otherwise: str) -> Any:
    """Ask until the answer is the wanted one, or for ``...`` anything but None."""
    ends = time.monotonic() + 2 * _SECOND + _PATIENCE
    while time.monotonic() < ends:
        answer = await ask()
        if (answer is not None) if wanted is ... else answer == wanted:
            return answer
        await asyncio.sleep(0.05)
    raise AssertionError(otherwise)


TOKEN_CACHE_CONTRACT: tuple[Check, ...] = (
    values_come_back_as_they_were_stored,
    what_is_not_there_is_none,
    the_last_value_replaces_the_others,
    what_is_deleted_is_gone,
    what_has_expired_is_gone,
    one_member_holds_a_lock,
    locks_keep_nobody_from_values,
    a_lock_ends_by_itself,
    one_of_many_gets_the_lock,
    many_may_use_it_at_once,
)
"""Checks of a :class:`~azure_certvar_credential.TokenCache` or ``AsyncTokenCache``; those take two seconds that wait.

Each takes a function without parameters that returns a cache: two that it returns share one store. Caches that have a
``close`` are closed. A check raises :class:`AssertionError` that says what does not hold::

    @pytest.mark.parametrize("check", TOKEN_CACHE_CONTRACT)
    def test_own_cache(check):
        check(lambda: OwnTokenCache("cache.example"))
"""
