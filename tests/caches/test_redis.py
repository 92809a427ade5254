"""The token cache in Redis over real servers, synchronous and asynchronous from one text."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest
import redis
import redis.asyncio
import redis.asyncio.sentinel
import redis.sentinel

from azure_certvar_credential import RedisTokenCache, aio
from tests.caches.redis_kinds import KEY, Kind, done, failing
from tests.caches.servers import SENTINEL_NAME, RedisServer, cluster, sentinel_fleet
from tests.real.servers.tls import TlsFiles
from tests.reporters import assert_reports_none_of

ROOT = Path(__file__).parents[2]
PASSWORD = "p@ss:w/rd #1%"  # each of these characters has a meaning in URLs
# All that a cache needs of the server, for the database 0.
COMMANDS = ("+get", "+set", "+del", "+eval")


async def test_an_entry_is_one_key_that_expires_by_itself(new: Kind, redis_server: RedisServer) -> None:
    cache = new(redis_server.url(database=3))
    with redis_server.client(database=3) as client:
        client.flushdb()
        await done(cache.set(KEY, b"\0sealed", time.time() + 60))
        holder = await done(cache.lock(KEY, 7))

        assert sorted(client.keys()) == [f"certvar:{{{KEY}}}".encode(), f"certvar:{{{KEY}}}:lock".encode()]
        assert client.get(f"certvar:{{{KEY}}}") == b"\0sealed"
        assert 58_000 < client.pttl(f"certvar:{{{KEY}}}") <= 60_000
        assert client.get(f"certvar:{{{KEY}}}:lock") == holder.encode()
        assert 5_000 < client.pttl(f"certvar:{{{KEY}}}:lock") <= 7_000

        await done(cache.unlock(KEY, holder))
        await done(cache.set(KEY, b"late", time.time() - 1))
        assert client.keys() == []


async def test_the_prefix_is_the_callers(new: Kind, redis_server: RedisServer) -> None:
    cache = new(redis_server.url(database=4), prefix="app:tokens:")
    with redis_server.client(database=4) as client:
        client.flushdb()
        await done(cache.set(KEY, b"value", time.time() + 60))
        assert client.keys() == [f"app:tokens:{{{KEY}}}".encode()]


async def test_a_user_needs_four_commands_on_one_prefix(new: Kind, redis_executable: str, tmp_path: Path) -> None:
    with RedisServer(redis_executable, tmp_path) as server, server.client() as client:
        client.execute_command(
            "ACL", "SETUSER", "fleet", "on", f">{PASSWORD}", "resetkeys", "~certvar:*", "-@all", *COMMANDS
        )
        url = server.url("fleet", PASSWORD)
        cache = new(url)
        await done(cache.set(KEY, b"value", time.time() + 60))
        assert await done(cache.get(KEY)) == b"value"
        holder = await done(cache.lock(KEY, 10))
        await done(cache.unlock(KEY, holder))
        assert await done(cache.lock(KEY, 10)) is not None
        await done(cache.delete(KEY))

        error, _ = await failing(lambda: new(url, prefix="other:").get(KEY), redis.exceptions.NoPermissionError)
        assert_reports_none_of(error, [PASSWORD, quote(PASSWORD, safe="")])


@pytest.mark.parametrize("password", ["wrong-Passw0rd", PASSWORD])
async def test_no_error_shows_the_password(new: Kind, password: str, redis_server: RedisServer) -> None:
    # A server without such a user; one that is not there; one that speaks no TLS.
    urls = [
        (redis_server.url("fleet", password), redis.AuthenticationError),
        (f"redis://fleet:{quote(password, safe='')}@127.0.0.1:1/0", redis.ConnectionError),
        (redis_server.url("fleet", password).replace("redis://", "rediss://"), redis.RedisError),
    ]
    for url, kind in urls:
        cache = new(url)
        assert password not in repr(cache)
        for operation in (cache.get, cache.delete):
            error, _ = await failing(partial(operation, KEY), kind)
            assert_reports_none_of(error, [password, quote(password, safe="")])


async def test_tls_verifies_the_server(new: Kind, redis_tls_server: RedisServer, tmp_path: Path) -> None:
    cache = new(redis_tls_server.url())
    await done(cache.set(KEY, b"value", time.time() + 60))
    assert await done(cache.get(KEY)) == b"value"
    assert repr(cache) == f"<RedisTokenCache rediss://localhost:{redis_tls_server.port}/0>"

    strangers = TlsFiles.issue(tmp_path)
    stranger = new(f"rediss://localhost:{redis_tls_server.port}/0?ssl_ca_certs={strangers.ca}")
    error, _ = await failing(lambda: stranger.get(KEY), redis.ConnectionError)
    assert "CERTIFICATE_VERIFY_FAILED" in str(error)


async def test_a_socket_in_the_file_system(new: Kind, redis_executable: str, tmp_path: Path) -> None:
    path = tmp_path / "redis.sock"
    with RedisServer(redis_executable, tmp_path, unixsocket=path):
        cache = new(f"unix://{path}?db=2")
        await done(cache.set(KEY, b"value", time.time() + 60))
        assert await done(cache.get(KEY)) == b"value"
        assert repr(cache) == f"<RedisTokenCache unix://{path}?db=2>"


async def test_a_client_of_the_caller_stays_open(new: Kind, redis_server: RedisServer) -> None:
    client = new.client(redis_server.url())
    cache = new(client)
    await done(cache.set(KEY, b"value", time.time() + 60))
    await done(cache.close())
    assert client.connection_pool._available_connections or client.connection_pool._in_use_connections
    assert await done(cache.get(KEY)) == b"value"
    assert repr(cache) == f"<RedisTokenCache redis://127.0.0.1:{redis_server.port}/0>"


async def test_a_closed_cache_opens_again(new: Kind, redis_server: RedisServer) -> None:
    cache = new(redis_server.url())
    await done(cache.set(KEY, b"value", time.time() + 60))
    await done(cache.close())
    await done(cache.close())
    assert await done(cache.get(KEY)) == b"value"


async def test_sync_and_async_share_entries_and_locks(redis_server: RedisServer) -> None:
    one, other = RedisTokenCache(redis_server.url()), aio.RedisTokenCache(redis_server.url())
    one.set(KEY, b"value", time.time() + 60)
    assert await other.get(KEY) == b"value"
    holder = await other.lock("shared", 10)
    assert holder is not None
    assert one.lock("shared", 10) is None
    one.unlock("shared", holder)
    assert one.lock("shared", 10) is not None
    one.close()
    await other.close()


async def test_a_cluster_keeps_a_key_and_its_lock_on_one_node(new: Kind, redis_executable: str, tmp_path: Path) -> None:
    with cluster(redis_executable, tmp_path) as nodes:
        client = new.library.RedisCluster(host="127.0.0.1", port=nodes[0].port)
        new.made.append(client)
        cache = new(client)
        for number in range(30):
            key = f"{number:064x}"
            await done(cache.set(key, key.encode(), time.time() + 60))
            holder = await done(cache.lock(key, 10))
            assert await done(cache.lock(key, 10)) is None
            await done(cache.unlock(key, holder))
            assert await done(cache.lock(key, 10)) is not None
            assert await done(cache.get(key)) == key.encode()
        places = []
        for node in nodes:
            with node.client() as direct:
                places.append({name.decode() for name in direct.scan_iter()})
        assert all(places), "the entries are on all nodes"
        for place in places:
            assert {f"{name}:lock" for name in place if not name.endswith(":lock")} <= place
        assert repr(cache) == "<RedisTokenCache RedisCluster>"


async def test_a_sentinel_leads_to_the_next_primary(new: Kind, redis_executable: str, tmp_path: Path) -> None:
    with sentinel_fleet(redis_executable, tmp_path) as fleet:
        sentinel = new.library.sentinel.Sentinel([fleet.sentinel_address], socket_timeout=0.25)
        client = sentinel.master_for(SENTINEL_NAME)
        new.made += [client, *sentinel.sentinels]
        cache = new(client)
        await done(cache.set(KEY, b"value", time.time() + 60))
        fleet.wait_for_replica()
        fleet.primary.kill()
        # The loop goes on meanwhile, and sees that the old primary has closed the connection.
        await asyncio.to_thread(fleet.wait_for_failover)
        assert await done(cache.get(KEY)) == b"value"


def test_a_cache_of_a_url_serves_several_event_loops(redis_server: RedisServer) -> None:
    cache = aio.RedisTokenCache(redis_server.url(), timeout=20.0)
    failures: list[BaseException] = []

    async def use(key: str) -> None:
        await asyncio.gather(*(cache.set(f"{key}-{number}", b"value", time.time() + 60) for number in range(20)))
        assert await cache.get(f"{key}-7") == b"value"
        await cache.close()

    def run(key: str) -> None:
        try:
            asyncio.run(use(key))
        except BaseException as error:  # noqa: BLE001 - raised in the test's own thread
            failures.append(error)

    for _ in range(2):
        threads = [threading.Thread(target=run, args=(str(number),)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []


def test_a_cache_goes_on_after_fork(redis_server: RedisServer) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.caches.redis_fork", redis_server.url()],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert json.loads(done.stdout) == {"child": 200, "parent": 200, "status": 0}
