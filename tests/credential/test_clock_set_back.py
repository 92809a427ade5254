"""A computer whose clock was ahead, and is put right while the process runs."""

from __future__ import annotations

import pytest

from azure_certvar_credential import CallbackSigner, ClientCertificate
from azure_certvar_credential.exceptions import TemporarilyUnavailableError
from azure_certvar_credential.testing import Fault
from tests.credential.world import GRAPH, STORAGE, World

DAY = 86400.0


@pytest.fixture(autouse=True)
def ahead(world: World) -> None:
    world.clock.advance(DAY)


async def test_a_token_that_was_dated_by_the_wrong_clock_is_not_believed(world: World) -> None:
    driver = world.driver()
    wrong = await driver.get_token(STORAGE)
    world.clock.advance(-DAY)

    fresh = await driver.get_token(STORAGE)

    assert fresh.token != wrong.token
    assert await driver.get_token(STORAGE) is fresh
    assert world.requests == 2


async def test_but_it_serves_while_there_is_no_other(world: World) -> None:
    """Its times say nothing, and it may well be good."""
    driver = world.driver(retry_total=0)
    wrong = await driver.get_token(STORAGE)
    world.clock.advance(-DAY)
    world.entra.inject(Fault.server_error(503))

    assert await driver.get_token(STORAGE) is wrong
    assert (await driver.get_token(STORAGE)).token != wrong.token


async def test_a_correction_by_seconds_costs_no_request(world: World) -> None:
    driver = world.driver()
    token = await driver.get_token(STORAGE)
    world.clock.advance(-200)

    assert await driver.get_token(STORAGE) is token
    assert world.requests == 1


async def test_a_pause_that_the_server_asked_for_does_not_last_for_a_day(world: World) -> None:
    driver = world.driver()
    world.entra.inject(Fault.throttled(60))
    with pytest.raises(TemporarilyUnavailableError):
        await driver.get_token(STORAGE)
    world.clock.advance(-DAY)

    assert (await driver.get_token(STORAGE)).token
    assert world.requests == 2


async def test_the_assertion_of_a_remote_key_is_signed_anew(world: World) -> None:
    local = world.certificate
    driver = world.driver(ClientCertificate(local.leaf, CallbackSigner(local.leaf, local.signer.sign, remote=True)))
    await driver.get_token(STORAGE)
    world.clock.advance(-DAY)

    await driver.get_token(GRAPH)

    first, second = (request.assertion for request in world.entra.requests)
    assert first != second
