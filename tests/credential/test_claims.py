"""A claims challenge bypasses the cache, and its token replaces what is there."""

from __future__ import annotations

import asyncio
import json

import pytest

from azure_certvar_credential.exceptions import ConfigurationError, TemporarilyUnavailableError
from azure_certvar_credential.testing import Fault
from tests.credential.world import STORAGE, World

CHALLENGE = json.dumps({"access_token": {"nbf": {"essential": True, "value": "1"}}})


async def test_a_challenge_bypasses_the_cache_and_its_token_replaces_the_cached_one(world: World) -> None:
    driver = world.driver()
    first = await driver.get_token(STORAGE)

    challenged = await driver.get_token(STORAGE, claims=CHALLENGE)

    assert challenged is not first
    # kiota asks without claims the next time, and must get the new token.
    assert await driver.get_token(STORAGE) is challenged
    assert world.requests == 2


async def test_the_challenge_is_sent_with_the_clients_capability(world: World) -> None:
    await world.driver().get_token(STORAGE, claims=CHALLENGE, enable_cae=True)

    sent = json.loads(world.entra.requests[0].form["claims"])
    assert sent["access_token"] == {"nbf": {"essential": True, "value": "1"}, "xms_cc": {"values": ["CP1"]}}


async def test_a_challenge_for_cae_leaves_the_other_token_alone(world: World) -> None:
    driver = world.driver()
    plain = await driver.get_token(STORAGE)

    await driver.get_token(STORAGE, claims=CHALLENGE, enable_cae=True)

    assert await driver.get_token(STORAGE) is plain


async def test_callers_with_the_same_challenge_share_one_request(world: World) -> None:
    world.entra.inject(Fault.hang(20))
    driver = world.driver()

    callers = [asyncio.create_task(driver.get_token(STORAGE, claims=CHALLENGE)) for _ in range(20)]
    await world.hanging()
    await driver.joined(20)
    world.entra.release()
    tokens = await asyncio.gather(*callers)

    assert len({token.token for token in tokens}) == 1
    assert world.requests == 1


async def test_a_challenge_that_cannot_be_answered_is_an_error_and_keeps_the_cached_token(world: World) -> None:
    driver = world.driver(retry_total=0)
    first = await driver.get_token(STORAGE)
    world.entra.inject(Fault.server_error(503))

    with pytest.raises(TemporarilyUnavailableError):
        await driver.get_token(STORAGE, claims=CHALLENGE)

    assert await driver.get_token(STORAGE) is first


@pytest.mark.parametrize("claims", ["not json", "[]", "1", '"text"', b"\xff"])
async def test_claims_that_are_no_json_object_are_refused_before_the_network(world: World, claims: str) -> None:
    with pytest.raises(ConfigurationError, match="claims"):
        await world.driver().get_token(STORAGE, claims=claims)
    assert world.requests == 0
