"""Members of a fleet share tokens through a cache: one requests, all use it, and no failure of the cache is theirs."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import pytest

from azure_certvar_credential._runtime import shared_tokens
from azure_certvar_credential.testing import Fault
from tests.credential.shared_caches import MemoryCache, member, token_of
from tests.credential.test_claims import CHALLENGE
from tests.credential.world import GRAPH, STORAGE, World

HOUR = 3600


@pytest.fixture(autouse=True)
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scenario's cache is asked again as soon as it works."""
    monkeypatch.setattr(shared_tokens, "FIRST_REST", 0.0)


async def test_a_second_member_uses_the_token_of_the_first(world: World, cache: MemoryCache) -> None:
    first, second = member(world, cache), member(world, cache)

    assert await token_of(first) == await token_of(second)
    assert world.requests == 1


async def test_members_that_start_together_send_one_request(world: World, cache: MemoryCache) -> None:
    world.entra.inject(Fault.hang(20))
    members = [member(world, cache) for _ in range(8)]

    callers = [asyncio.create_task(token_of(one)) for one in members for _ in range(10)]
    await world.hanging()
    await asyncio.gather(*(one.joined(10) for one in members[:1]))
    world.entra.release()

    assert len(set(await asyncio.gather(*callers))) == 1
    assert world.requests == 1


async def test_scopes_tenants_and_cae_do_not_share_an_entry(world: World, cache: MemoryCache) -> None:
    first, second = member(world, cache), member(world, cache)
    storage, graph = await token_of(first), await token_of(first, GRAPH)
    cae = await token_of(first, enable_cae=True)

    assert len({storage, graph, cae}) == 3
    assert [await token_of(second), await token_of(second, GRAPH)] == [storage, graph]
    assert await token_of(second, enable_cae=True) == cae
    assert world.requests == 3


async def test_an_ordinary_call_does_not_ask_the_cache(world: World, cache: MemoryCache) -> None:
    driver = member(world, cache)
    await token_of(driver)
    cache.calls.clear()

    for _ in range(100):
        await token_of(driver)
    world.clock.advance(2)
    await token_of(driver)

    assert cache.calls == []


async def test_one_member_refreshes_for_all(world: World, cache: MemoryCache) -> None:
    members = [member(world, cache) for _ in range(5)]
    old = {await token_of(one) for one in members}

    # A member that read the token from the cache takes it for five minutes older, and refreshes first.
    world.clock.advance(HOUR - 640)
    for one in members:
        await token_of(one)
        await one.settle()
    world.clock.advance(6)

    new = {await token_of(one) for one in members}
    assert (len(old), len(new), world.requests) == (1, 1, 2)
    assert old.isdisjoint(new)


async def test_a_challenge_replaces_the_token_of_every_member_within_seconds(world: World, cache: MemoryCache) -> None:
    first, second = member(world, cache), member(world, cache)
    old = await token_of(second)
    assert await token_of(first) == old

    new = await token_of(first, claims=CHALLENGE)
    assert new != old
    # In the first half of the five seconds the hot path serves; in the second, a look begins in the background.
    world.clock.advance(3)
    assert await token_of(second) == old
    await second.settle()
    assert await token_of(second) == new
    assert world.requests == 2


async def test_a_member_that_slept_longer_looks_before_it_serves(world: World, cache: MemoryCache) -> None:
    first, second = member(world, cache), member(world, cache)
    await token_of(second)
    new = await token_of(first, claims=CHALLENGE)

    world.clock.advance(6)
    assert await token_of(second) == new
    assert world.requests == 2


async def test_a_challenge_answered_after_the_cache_was_emptied_replaces_the_token_of_every_member(
    world: World, cache: MemoryCache
) -> None:
    first, second = member(world, cache), member(world, cache)
    await token_of(first, claims=CHALLENGE)
    before = await token_of(first, claims=CHALLENGE)
    assert await token_of(second) == before
    cache.values.clear()

    new = await token_of(first, claims=CHALLENGE)
    world.clock.advance(6)

    assert await token_of(second) == new != before
    assert await token_of(first) == new


async def test_a_longer_time_of_invalidation_means_fewer_looks(world: World, cache: MemoryCache) -> None:
    driver = member(world, cache, invalidation_seconds=600)
    await token_of(driver)
    cache.calls.clear()

    world.clock.advance(299)
    await token_of(driver)

    assert cache.calls == []


@pytest.mark.parametrize("failure", [OSError("no route"), RuntimeError("full")], ids=str)
async def test_a_cache_that_fails_is_a_miss_and_a_line_in_the_log(
    world: World, cache: MemoryCache, failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    cache.failure = failure
    first, second = member(world, cache), member(world, cache)

    with caplog.at_level(logging.WARNING):
        assert await token_of(first) != await token_of(second)

    assert world.requests == 2
    assert "shared token cache" in caplog.text
    assert str(failure) in caplog.text


async def test_a_cache_that_failed_is_left_alone_for_a_while(
    world: World, cache: MemoryCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_tokens, "FIRST_REST", 60.0)
    cache.failure = OSError("no route")
    driver = member(world, cache)
    for scope in (STORAGE, GRAPH):
        await token_of(driver, scope)

    assert cache.calls == ["get"]


async def test_a_cache_that_hangs_is_a_miss(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_tokens, "LONGEST_CALL", 0.05)
    hang = threading.Event()

    class Hanging(MemoryCache):
        def get(self, key: str) -> Any:
            self.calls.append("get")
            hang.wait(20)

    cache = Hanging(world.clock)
    driver = member(world, cache)
    assert await token_of(driver)
    # While the call hangs there is no other one, so no second thread.
    assert await token_of(driver, GRAPH)
    hang.set()
    assert cache.calls == ["get"]
    assert world.requests == 2


async def test_a_failed_request_lets_the_lock_go(world: World, cache: MemoryCache) -> None:
    world.entra.inject(Fault.server_error(), times=1)
    first, second = member(world, cache, retry_total=0), member(world, cache)
    with pytest.raises(Exception, match="Server Error"):
        await token_of(first)

    assert cache.locks == {}
    assert await token_of(second)


async def test_a_holder_that_died_delays_the_others_no_longer_than_its_lock(world: World, cache: MemoryCache) -> None:
    cache.locks["every key"] = ("dead", world.clock.now + 10)
    real, waits = MemoryCache.lock, []

    def lock(key: str, seconds: float) -> Any:
        waits.append(world.clock.now)
        world.clock.advance(1)  # time passes while a member waits
        return real(cache, "every key", seconds)

    async def async_lock(key: str, seconds: float) -> Any:
        return lock(key, seconds)

    cache.lock = lock if world.kind == "sync" else async_lock  # type: ignore[method-assign]
    assert await token_of(member(world, cache))
    assert waits[-1] - waits[0] <= 10


async def test_a_member_waits_half_of_its_own_time_at_most(world: World, cache: MemoryCache) -> None:
    await token_of(member(world, cache))
    key = next(iter(cache.values))
    cache.values.clear()
    cache.locks[key] = ("frozen", world.clock.now + HOUR)
    driver = member(world, cache)

    began = world.clock.now
    assert await token_of(driver, timeout=1)
    assert world.clock.now - began <= 1


async def test_a_late_holder_overwrites_nothing_newer(world: World, cache: MemoryCache) -> None:
    first, second = member(world, cache), member(world, cache)
    world.entra.inject(Fault.hang(20), times=1)
    late = asyncio.create_task(token_of(first))
    await world.hanging()
    cache.locks.clear()  # its lock has ended
    new = await token_of(second)
    newer = await token_of(second, claims=CHALLENGE)
    world.entra.release()
    await late

    assert new != newer
    assert await token_of(member(world, cache)) == newer


@pytest.mark.parametrize("ahead", [-240, -60, 60, 240], ids=lambda seconds: f"{seconds} s")
async def test_clocks_that_differ_by_minutes_do_no_harm(world: World, cache: MemoryCache, ahead: int) -> None:
    first = member(world, cache)
    second = member(world, cache, _clock=lambda: world.clock.now + ahead)
    token = await first.get_token(STORAGE)
    shared = await second.get_token(STORAGE)

    assert shared.token == token.token
    # By the second's own clock the token ends no later than it does in truth.
    assert shared.expires_on <= token.expires_on + ahead
    assert world.requests == 1


async def test_a_clock_that_is_far_behind_shares_nothing(world: World, cache: MemoryCache) -> None:
    first, second = member(world, cache), member(world, cache, _clock=lambda: world.clock.now - HOUR)

    assert await token_of(first) != await token_of(second)
