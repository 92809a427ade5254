"""A token is refreshed before it expires, and nobody waits for that or fails because of it while it is valid."""

from __future__ import annotations

import asyncio
import logging
from time import perf_counter

import pytest
from azure.core.exceptions import AzureError

from azure_certvar_credential._runtime.cached_tokens import PATIENCE
from azure_certvar_credential.exceptions import TemporarilyUnavailableError
from azure_certvar_credential.testing import Fault
from tests.credential.world import STORAGE, World

# The local Entra's tokens live 3599 s: from here they are refreshed at the latest, jitter included …
REFRESH = 3599 - 600 + 60
# … and from here callers wait for a new one.
REQUIRED = 3599 - 300
# What a caller may take at most while a valid token is there, in seconds.
AT_ONCE = 0.02

FAULTS = {
    "429": Fault.throttled(retry_after=None),
    "429, Retry-After 60": Fault.throttled(retry_after=60),
    "503": Fault.server_error(503),
    "HTML": Fault.not_json(),
    "truncated": Fault.truncated(),
    "a token that lives a nanosecond": Fault.expires_in(1e-9),
    "reset": Fault.reset_after(),
    "unreachable": Fault.reset_before(),
    "certificate unknown": Fault.unknown_certificate(),
}


async def test_a_fresh_token_is_not_refreshed(world: World) -> None:
    driver = world.driver()
    first = await driver.get_token(STORAGE)

    world.clock.advance(3599 - 600 - 1)

    assert await driver.get_token(STORAGE) is first
    await driver.settle()
    assert world.requests == 1


async def test_past_refresh_on_the_old_token_is_returned_and_the_next_one_fetched(world: World) -> None:
    driver = world.driver()
    first = await driver.get_token(STORAGE)
    world.clock.advance(REFRESH)

    second = await driver.get_token(STORAGE)
    await driver.settle()
    third = await driver.get_token(STORAGE)

    assert second is first
    assert third is not first
    assert world.requests == 2


async def test_the_servers_refresh_in_is_followed(world: World) -> None:
    world.entra.settings.refresh_in = 600
    driver = world.driver()
    await driver.get_token(STORAGE)

    world.clock.advance(660)
    await driver.get_token(STORAGE)
    await driver.settle()

    assert world.requests == 2


async def test_many_callers_past_refresh_on_start_one_refresh(world: World) -> None:
    driver = world.driver()
    first = await driver.get_token(STORAGE)
    world.clock.advance(REFRESH)
    world.entra.inject(Fault.hang(20))

    tokens = await asyncio.gather(*(driver.get_token(STORAGE) for _ in range(100)))
    await world.hanging()
    world.entra.release()
    await driver.settle()

    assert all(token is first for token in tokens)
    assert world.requests == 2


@pytest.mark.parametrize("name", FAULTS)
async def test_a_refresh_that_fails_is_nobodys_error_while_the_token_is_valid(world: World, name: str) -> None:
    driver = world.driver()
    first = await driver.get_token(STORAGE)
    world.entra.inject(FAULTS[name], times=None)
    world.clock.advance(REFRESH)

    durations = []
    for _ in range(5):
        start = perf_counter()
        assert await driver.get_token(STORAGE) is first
        durations.append(perf_counter() - start)
        await driver.settle()

    # The median, because this is a claim about waiting for the network and not about the machine's scheduler.
    assert sorted(durations)[2] < AT_ONCE
    world.entra.faults.clear()
    world.clock.advance(60)
    await driver.get_token(STORAGE)
    await driver.settle()
    assert await driver.get_token(STORAGE) is not first


async def test_a_server_that_hangs_holds_nobody_up_while_the_token_is_valid(world: World) -> None:
    driver = world.driver()
    first = await driver.get_token(STORAGE)
    world.entra.inject(Fault.hang(20))
    world.clock.advance(REFRESH)

    tokens = [await driver.get_token(STORAGE) for _ in range(3)]
    await world.hanging()
    tokens.append(await driver.get_token(STORAGE))

    assert all(token is first for token in tokens)
    world.entra.release()
    await driver.settle()
    assert await driver.get_token(STORAGE) is not first


async def test_a_failed_refresh_backs_off_for_thirty_seconds(world: World) -> None:
    driver = world.driver(retry_total=0)
    await driver.get_token(STORAGE)
    world.entra.inject(Fault.server_error(503), times=None)
    world.clock.advance(REFRESH)

    async def attempts() -> int:
        for _ in range(10):
            await driver.get_token(STORAGE)
            await driver.settle()
        return world.requests

    assert await attempts() == 2
    world.clock.advance(29)
    assert await attempts() == 2
    world.clock.advance(1)
    assert await attempts() == 3


async def test_a_retry_after_that_is_longer_than_the_back_off_is_kept(world: World) -> None:
    driver = world.driver()
    await driver.get_token(STORAGE)
    world.entra.inject(Fault.throttled(retry_after=100))
    world.clock.advance(REFRESH)
    await driver.get_token(STORAGE)
    await driver.settle()

    world.clock.advance(99)
    await driver.get_token(STORAGE)
    await driver.settle()
    assert world.requests == 2
    world.clock.advance(1)
    await driver.get_token(STORAGE)
    await driver.settle()
    assert world.requests == 3


async def test_a_failed_refresh_is_logged_once_for_each_back_off(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    driver = world.driver(retry_total=0)
    token = await driver.get_token(STORAGE)
    world.entra.inject(Fault.server_error(503), times=None)
    world.clock.advance(REFRESH)

    with caplog.at_level(logging.WARNING, "azure_certvar_credential"):
        for _ in range(5):
            await driver.get_token(STORAGE)
            await driver.settle()

    (record,) = caplog.records
    assert "could not refresh" in record.getMessage()
    assert STORAGE in record.getMessage()
    assert token.token not in caplog.text


async def test_a_second_before_the_last_five_minutes_nobody_waits(world: World) -> None:
    driver = world.driver()
    first = await driver.get_token(STORAGE)
    world.entra.inject(Fault.hang(20))
    world.clock.advance(REQUIRED - 1)

    start = perf_counter()
    tokens = [await driver.get_token(STORAGE) for _ in range(5)]

    assert perf_counter() - start < PATIENCE / 2
    assert all(token is first for token in tokens)
    await world.hanging()
    world.entra.release()


async def test_in_the_last_five_minutes_callers_wait_for_the_new_token(world: World) -> None:
    driver = world.driver()
    first = await driver.get_token(STORAGE)
    world.clock.advance(REQUIRED)

    tokens = await asyncio.gather(*(driver.get_token(STORAGE) for _ in range(20)))

    assert first not in tokens
    assert len({token.token for token in tokens}) == 1
    assert world.requests == 2


@pytest.mark.parametrize(
    ("fault", "pause"), [(Fault.server_error(503), 30), (Fault.throttled(retry_after=100), 100)], ids=["503", "429"]
)
async def test_when_that_fails_nobody_waits_until_the_pause_is_over(world: World, fault: Fault, pause: int) -> None:
    driver = world.driver(retry_total=0)
    first = await driver.get_token(STORAGE)
    world.entra.inject(fault)
    world.clock.advance(REQUIRED)
    assert await driver.get_token(STORAGE) is first

    world.clock.advance(pause - 1)
    world.entra.inject(Fault.hang(20))
    start = perf_counter()
    assert await driver.get_token(STORAGE) is first
    assert perf_counter() - start < PATIENCE / 2
    assert world.requests == 2
    world.entra.faults.clear()

    world.clock.advance(1)
    assert await driver.get_token(STORAGE) is not first
    assert world.requests == 3


async def test_a_token_whose_refresh_fails_serves_until_it_expires(world: World) -> None:
    driver = world.driver(retry_total=0)
    first = await driver.get_token(STORAGE)
    world.entra.inject(Fault.server_error(503), times=None)
    world.clock.advance(REQUIRED)

    assert await driver.get_token(STORAGE) is first
    world.clock.advance(299)
    assert await driver.get_token(STORAGE) is first
    world.clock.advance(2)

    with pytest.raises(TemporarilyUnavailableError):
        await driver.get_token(STORAGE)


async def test_an_expired_token_is_never_returned(world: World) -> None:
    driver = world.driver()
    await driver.get_token(STORAGE)
    world.entra.inject(Fault.reset_before(), times=None)
    world.clock.advance(3600)

    with pytest.raises(AzureError):
        await driver.get_token(STORAGE)


@pytest.mark.parametrize("life", [1, 5, 20, 40, 120, 3599, 86399])
async def test_a_token_of_any_length_is_refreshed_about_once_in_its_life(world: World, life: int) -> None:
    world.entra.settings.token_lifetime = life
    driver = world.driver()
    steps, lives = 50, 4

    for _ in range(steps * lives):
        token = await driver.get_token(STORAGE)
        assert world.clock() < token.expires_on + 1
        await driver.settle()
        world.clock.advance(life / steps)

    assert lives <= world.requests <= 2 * lives + 1
