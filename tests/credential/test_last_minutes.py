"""In a token's last five minutes callers wait for the next one: for a second, whatever it is that hangs."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any

import pytest

from azure_certvar_credential import CallbackSigner, ClientCertificate
from azure_certvar_credential._runtime.cached_tokens import PATIENCE
from azure_certvar_credential.testing import Fault
from tests.credential.test_claims import CHALLENGE
from tests.credential.world import STORAGE, World

LAST_MINUTES = 3599 - 300


class Hangs:
    """Wraps a function; it hangs from :meth:`begin` on until it is let go."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self.let_go = threading.Event()
        self.let_go.set()

    def begin(self) -> None:
        self.let_go.clear()

    def __call__(self, *arguments: Any) -> Any:
        self.let_go.wait(20)
        return self._function(*arguments)


class AsyncHangs(Hangs):
    """The same as a coroutine function."""

    async def __call__(self, *arguments: Any) -> Any:
        return await asyncio.to_thread(super().__call__, *arguments)


Part = tuple[Hangs, object]


def _source(world: World) -> Part:
    hangs = Hangs(lambda: world.certificate)
    return hangs, hangs


def _async_source(world: World) -> Part:
    hangs = (Hangs if world.kind == "sync" else AsyncHangs)(lambda: world.certificate)
    return hangs, hangs


def _signer(world: World) -> Part:
    leaf, hangs = world.certificate.leaf, Hangs(world.certificate.signer.sign)
    return hangs, ClientCertificate(leaf, CallbackSigner(leaf, hangs))


@pytest.mark.parametrize("part", [_source, _async_source, _signer])
async def test_a_source_or_signer_that_hangs_is_waited_for_a_second(
    world: World, part: Callable[[World], Part]
) -> None:
    hangs, certificate = part(world)
    driver = world.driver(certificate)
    first = await driver.get_token(STORAGE)
    world.clock.advance(LAST_MINUTES)
    hangs.begin()
    if certificate is hangs:
        world.entra.inject(Fault.unknown_certificate())  # then the source is read at once

    start = perf_counter()
    tokens = await asyncio.gather(*(driver.get_token(STORAGE) for _ in range(5)))
    waited = perf_counter() - start
    later = await driver.get_token(STORAGE)

    assert all(token is first for token in (*tokens, later))
    assert PATIENCE / 2 < waited < 3 * PATIENCE
    assert perf_counter() - start - waited < PATIENCE / 2, "the next caller waited as well"
    hangs.let_go.set()
    await driver.settle()
    world.clock.advance(30)
    assert await driver.get_token(STORAGE) is not first


async def test_an_assertion_source_waits_as_get_token_does(world: World) -> None:
    driver = world.driver()
    source: Callable[[], Any] = driver.credential.as_assertion_source(STORAGE)

    async def assertion() -> str:
        answer: str | Awaitable[str] = await asyncio.to_thread(source)
        return answer if isinstance(answer, str) else await answer

    first = await assertion()
    world.clock.advance(LAST_MINUTES - 1)
    assert await assertion() == first
    await driver.settle()
    second = await assertion()
    assert second != first

    world.clock.advance(LAST_MINUTES)
    third = await assertion()
    assert third not in (first, second)

    world.clock.advance(LAST_MINUTES)
    world.entra.inject(Fault.hang(20))
    start = perf_counter()
    assert await assertion() == third
    assert PATIENCE / 2 < perf_counter() - start < 3 * PATIENCE
    world.entra.release()


async def test_a_refresh_that_began_before_is_waited_for_and_not_begun_again(world: World) -> None:
    driver = world.driver()
    first = await driver.get_token(STORAGE)
    world.entra.inject(Fault.hang(20))
    world.clock.advance(LAST_MINUTES - 1)
    assert await driver.get_token(STORAGE) is first
    await world.hanging()
    world.clock.advance(1)

    caller = asyncio.create_task(driver.get_token(STORAGE))
    await asyncio.sleep(0.1)
    assert not caller.done()
    world.entra.release()

    assert await caller is not first
    assert world.requests == 2


@pytest.mark.parametrize("state", [LAST_MINUTES - 1, LAST_MINUTES])
async def test_a_token_of_a_few_seconds_does_not_replace_one_that_lives_longer(
    world: World, state: int, caplog: pytest.LogCaptureFixture
) -> None:
    driver = world.driver()
    first = await driver.get_token(STORAGE)
    world.clock.advance(state)
    world.entra.inject(Fault.expires_in(5))

    with caplog.at_level(logging.WARNING, "azure_certvar_credential"):
        for _ in range(3):
            assert await driver.get_token(STORAGE) is first
            await driver.settle()

    assert world.requests == 2
    assert "next attempt in 30 s: the new one expires in 5 s" in caplog.text
    world.clock.advance(30)
    await driver.get_token(STORAGE)
    await driver.settle()
    assert await driver.get_token(STORAGE) is not first


async def test_a_token_of_a_few_seconds_that_answers_a_challenge_replaces_any(world: World) -> None:
    driver = world.driver()
    first = await driver.get_token(STORAGE)
    world.clock.advance(1)
    world.entra.inject(Fault.expires_in(5))

    answer = await driver.get_token(STORAGE, claims=CHALLENGE)

    assert answer.token != first.token
    assert (await driver.get_token(STORAGE)).token == answer.token
