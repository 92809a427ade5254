"""Answers to claims challenges that are under way at the same time, or while a refresh is."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import replace

import pytest

from azure_certvar_credential.testing import Fault
from azure_certvar_credential.testing.http import Hold
from tests.credential.world import STORAGE, World

LIFE = 3599


def challenge(context: str) -> str:
    """A challenge for an authentication context, as a resource of Conditional Access sends it."""
    return json.dumps({"access_token": {"acrs": {"essential": True, "value": context}}})


async def test_callers_of_two_challenges_each_get_the_answer_to_their_own(world: World) -> None:
    driver = world.driver()
    await driver.get_token(STORAGE)
    world.entra.inject(Fault.hang(20), times=2)

    first = [asyncio.create_task(driver.get_token(STORAGE, claims=challenge("c1"))) for _ in range(5)]
    await world.hanging(1)
    await driver.joined(5)
    second = [asyncio.create_task(driver.get_token(STORAGE, claims=challenge("c2"))) for _ in range(5)]
    await world.hanging(2)
    await driver.joined(10)
    world.entra.release()

    first_tokens = {token.token for token in await asyncio.gather(*first)}
    second_tokens = {token.token for token in await asyncio.gather(*second)}
    assert len(first_tokens) == len(second_tokens) == 1
    assert first_tokens != second_tokens
    assert world.requests == 3


async def test_the_answer_to_an_earlier_challenge_does_not_replace_that_to_a_later_one(world: World) -> None:
    driver = world.driver()
    await driver.get_token(STORAGE)
    world.entra.inject(Fault.hang(20))
    early = asyncio.create_task(driver.get_token(STORAGE, claims=challenge("c1")))
    await world.hanging()
    world.clock.advance(1)
    later = await driver.get_token(STORAGE, claims=challenge("c2"))
    world.entra.release()

    assert (await early).token != later.token
    assert (await driver.get_token(STORAGE)).token == later.token


async def test_a_refresh_that_fails_after_a_challenge_was_answered_changes_nothing_of_the_answer(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    throttled = Fault.throttled(retry_after=3500)

    def late(serve: object, conditions: object) -> object:
        response = throttled.apply(serve, conditions)  # type: ignore[arg-type]
        return replace(response, delivery=replace(response.delivery, hold=Hold(20)))

    caplog.set_level(logging.WARNING)
    driver = world.driver()
    await driver.get_token(STORAGE)
    world.clock.advance(LIFE - 200)
    world.entra.inject(Fault("late", late))  # type: ignore[arg-type]
    await driver.get_token(STORAGE)
    await world.hanging()
    answer = await driver.get_token_info(STORAGE, options={"claims": challenge("c1")})
    world.entra.release()
    await driver.settle()

    assert "could not refresh" not in caplog.text
    assert answer.refresh_on is not None
    world.clock.now = float(answer.refresh_on)
    assert await driver.get_token_info(STORAGE) is answer
    requests = world.requests
    # It is refreshed when it is due, and not thirty seconds or an hour later because something else has failed.
    world.clock.advance(2)
    await driver.get_token(STORAGE)
    await driver.settle()
    assert world.requests == requests + 1


async def test_an_answer_is_kept_also_after_the_clock_was_set_back_by_seconds(world: World) -> None:
    driver = world.driver()
    old = await driver.get_token(STORAGE, enable_cae=True)
    world.clock.advance(-120)

    answer = await driver.get_token(STORAGE, enable_cae=True, claims=challenge("c1"))

    assert answer.token != old.token
    assert (await driver.get_token(STORAGE, enable_cae=True)).token == answer.token
