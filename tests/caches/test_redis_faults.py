"""Servers that do not answer, are down or full: what it costs, and that the cache comes back."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import redis

from tests.caches.redis_kinds import KEY, Kind, done, failing
from tests.caches.servers import RedisServer


async def test_a_server_that_does_not_answer_costs_the_timeout(
    new: Kind, redis_executable: str, tmp_path: Path
) -> None:
    with RedisServer(redis_executable, tmp_path) as server:
        cache, fresh, patient = new(server.url()), new(server.url()), new(server.url(), timeout=0.6)
        for one in (cache, patient):
            await done(one.set(KEY, b"value", time.time() + 60))
        server.freeze()

        # The second has no connection yet: it is accepted, and its first command not answered.
        for one, least, most in ((cache, 0.24, 0.45), (fresh, 0.24, 0.7), (patient, 0.59, 0.8)):
            _, seconds = await failing(partial(one.get, KEY), redis.TimeoutError)
            assert least <= seconds < most

        server.thaw()
        for one in (cache, fresh, patient):
            assert await done(one.get(KEY)) == b"value", "no late answer is taken for another question's"


async def test_a_pause_of_the_server_costs_the_timeout(new: Kind, redis_executable: str, tmp_path: Path) -> None:
    with RedisServer(redis_executable, tmp_path) as server, server.client() as client:
        cache = new(server.url())
        await done(cache.set(KEY, b"value", time.time() + 60))
        client.execute_command("CLIENT", "PAUSE", 60_000, "WRITE")

        assert await done(cache.get(KEY)) == b"value", "reading goes on"
        _, seconds = await failing(lambda: cache.set(KEY, b"new", time.time() + 60), redis.TimeoutError)
        assert 0.24 <= seconds < 0.45

        client.execute_command("CLIENT", "UNPAUSE")
        await done(cache.set(KEY, b"newer", time.time() + 60))
        assert await done(cache.get(KEY)) == b"newer"


async def test_a_server_that_is_down_costs_nothing_and_comes_back_empty(
    new: Kind, redis_executable: str, tmp_path: Path
) -> None:
    with RedisServer(redis_executable, tmp_path) as server:
        cache = new(server.url())
        await done(cache.set(KEY, b"value", time.time() + 60))
        server.kill()
        for _ in range(3):
            _, seconds = await failing(lambda: cache.get(KEY), redis.ConnectionError)
            assert seconds < 0.2
        server.start()
        assert await done(cache.get(KEY)) is None
        await done(cache.set(KEY, b"value", time.time() + 60))

        server.restart()  # while nobody asks: the cache's connection is dead, and it does not know
        assert await done(cache.get(KEY)) is None


async def test_a_full_server_refuses_entries_and_returns_those_it_has(
    new: Kind, redis_executable: str, tmp_path: Path
) -> None:
    with RedisServer(redis_executable, tmp_path, maxmemory_policy="noeviction") as server, server.client() as client:
        cache = new(server.url())
        await done(cache.set(KEY, b"value", time.time() + 60))
        client.config_set("maxmemory", "100kb")

        await failing(lambda: cache.set("other", b"value" * 1000, time.time() + 60), redis.OutOfMemoryError)
        await failing(lambda: cache.lock("other", 10), redis.OutOfMemoryError)
        assert await done(cache.get(KEY)) == b"value"

        client.config_set("maxmemory", "0")
        await done(cache.set("other", b"value", time.time() + 60))
