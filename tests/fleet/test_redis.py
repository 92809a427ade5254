"""Eight processes with 25 threads, or 200 tasks, each: one token request; and no fault of Redis fails a caller.

Each test says how many requests its fault costs. A member that cannot reach the cache asks for its own token: one each,
however many callers it has.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from azure_certvar_credential.testing import Fault
from tests.caches.servers import RedisServer, sentinel_fleet, until
from tests.fleet.fleet import Fleet
from tests.fleet.slow import late

pytestmark = pytest.mark.real

MEMBERS = 8
GRAPH = "https://graph.microsoft.com/.default"


def all_wait(fleet: Fleet, server: RedisServer) -> None:
    """Start every member, and wait until one requests a token and the others have looked for it in Redis."""
    fleet.entra.inject(Fault.hang(20))
    fleet.start()
    fleet.entra.wait_for_hanging()
    with server.client() as client:
        until(lambda: len(client.client_list(_type="normal")) > MEMBERS, "the members did not connect")


def entries(server: RedisServer) -> list[bytes]:
    with server.client() as client:
        return sorted(client.keys("certvar:*}"))


def test_members_that_start_cold_send_one_request(fleet: Fleet, own_redis: RedisServer) -> None:
    fleet.make("patient redis", own_redis.url())
    all_wait(fleet, own_redis)
    fleet.entra.release()

    assert fleet.finish().token
    assert fleet.requests == 1


GONE: dict[str, Callable[[RedisServer], object]] = {
    "killed": RedisServer.kill,
    "frozen": RedisServer.freeze,
}


@pytest.mark.parametrize("fault", GONE)
def test_redis_that_goes_while_members_wait_costs_a_request_each(
    fleet: Fleet, own_redis: RedisServer, fault: str
) -> None:
    fleet.make("redis", own_redis.url())
    all_wait(fleet, own_redis)
    GONE[fault](own_redis)
    until(lambda: fleet.requests == MEMBERS, f"{fleet.requests} members sent a request")
    fleet.entra.release()

    assert fleet.finish().failures == ()
    assert fleet.requests == MEMBERS


def test_redis_that_restarts_empty_while_members_wait_costs_a_request_each_at_most(
    fleet: Fleet, own_redis: RedisServer
) -> None:
    fleet.make("redis", own_redis.url())
    all_wait(fleet, own_redis)
    own_redis.kill()
    own_redis.start()
    until(lambda: fleet.requests > 1, "nobody took the lock that the restart has removed")
    fleet.entra.release()

    assert fleet.finish().failures == ()
    # Those that find the new server in time wait for the one that takes its lock.
    assert 2 <= fleet.requests <= MEMBERS


UNUSABLE: dict[str, Callable[[RedisServer], object]] = {
    "refusing connections": RedisServer.stop,
    "frozen": RedisServer.freeze,
    "full": lambda server: configure(server, "maxmemory", "1"),
    "paused": lambda server: command(server, "CLIENT", "PAUSE", "60000", "ALL"),
    "paused for writes": lambda server: command(server, "CLIENT", "PAUSE", "60000", "WRITE"),
    "asking for a password": lambda server: configure(server, "requirepass", "another"),
}


def command(server: RedisServer, *words: str) -> None:
    with server.client() as client:
        client.execute_command(*words)


def configure(server: RedisServer, name: str, value: str) -> None:
    command(server, "CONFIG", "SET", name, value)


@pytest.mark.parametrize("fault", UNUSABLE)
def test_redis_that_cannot_be_used_costs_a_request_each(fleet: Fleet, own_redis: RedisServer, fault: str) -> None:
    password = "correct-horse"
    fleet.make("redis", own_redis.url(user="fleet", password=password) if "password" in fault else own_redis.url())
    UNUSABLE[fault](own_redis)
    outcome = fleet.get()

    assert outcome.failures == ()
    assert fleet.requests == MEMBERS
    # One line from each member, another one if it tries again after a second, and the password in none.
    assert MEMBERS <= len(outcome.log) <= 2 * MEMBERS
    assert all("the shared token cache (RedisTokenCache." in line and password not in line for line in outcome.log)


def test_redis_that_answers_after_two_seconds_costs_a_request_each(fleet: Fleet, own_redis: RedisServer) -> None:
    with late(own_redis.port, 2.0) as port:
        fleet.make("redis", f"redis://127.0.0.1:{port}/0")
        outcome = fleet.get()

    assert outcome.failures == ()
    assert outcome.seconds < 2
    assert fleet.requests == MEMBERS


def other(server: RedisServer, name: bytes) -> bytes:
    """The value under another name."""
    with server.client() as client:
        return bytes(client.get(next(one for one in entries(server) if one != name)))


TAMPERED: dict[str, Callable[[bytes, bytes], bytes]] = {
    "a changed octet": lambda value, _: value[:-1] + bytes([value[-1] ^ 1]),
    "swapped with another entry": lambda _, another: another,
    "truncated": lambda value, _: value[:20],
    "of a newer version": lambda value, _: b"\x02" + value[1:],
}


@pytest.mark.parametrize("how", TAMPERED)
def test_an_entry_that_was_tampered_with_costs_one_request(fleet: Fleet, own_redis: RedisServer, how: str) -> None:
    fleet.make("patient redis", own_redis.url())
    old = fleet.get([0]).token
    [name] = entries(own_redis)
    fleet.get([0], GRAPH)
    another = other(own_redis, name)
    with own_redis.client() as client:
        client.set(name, TAMPERED[how](client.get(name), another), keepttl=True)
    fleet.make("patient redis", own_redis.url())

    assert fleet.get().token != old
    assert fleet.requests == 2 + 1


def test_a_failover_costs_a_request_each_at_most_and_the_entry_survives(
    fleet: Fleet, redis_executable: str, tmp_path: Path
) -> None:
    with sentinel_fleet(redis_executable, tmp_path) as servers:
        port = servers.sentinel.sentinels[0].connection_pool.connection_kwargs["port"]
        fleet.make("sentinel", port)
        token = fleet.get().token
        assert fleet.requests == 1
        with servers.primary.client() as client:
            assert client.wait(1, 5000) == 1
        servers.primary.kill()
        # Another scope, while there is no primary.
        assert fleet.get(scope=GRAPH).failures == ()
        assert fleet.requests <= 1 + MEMBERS
        before = fleet.requests
        servers.wait_for_failover()
        fleet.make("sentinel", port)

        assert fleet.get().token == token
        assert fleet.requests == before


def test_a_challenge_reaches_all_members_in_time(fleet: Fleet, own_redis: RedisServer) -> None:
    fleet.make("patient redis", own_redis.url(), invalidation_seconds=1)
    old = fleet.get().token
    new = fleet.get([0], claims='{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}').tokens
    # All of its callers have answered a challenge by one request.
    assert len(new) == 1
    time.sleep(1)

    assert fleet.get().tokens == new
    assert old not in new
    assert fleet.requests == 2
