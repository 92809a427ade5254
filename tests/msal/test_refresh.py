"""MSAL's cache and the refresh in the background go together: no loop, no caller that fails while a token is valid."""

from __future__ import annotations

import asyncio
import logging

import pytest
from azure.core.exceptions import AzureError

from azure_certvar_credential._core.effects import Token
from azure_certvar_credential._core.freshness import required_on
from azure_certvar_credential._core.request import TokenRequest
from azure_certvar_credential.exceptions import AuthenticationError, TemporarilyUnavailableError
from azure_certvar_credential.msal.credential import Delegate
from azure_certvar_credential.testing import Fault
from tests.credential.world import STORAGE
from tests.msal.world import MsalWorld


@pytest.mark.parametrize(
    ("lifetime", "refresh_in"),
    [
        *((86400, advice) for advice in (None, 43200)),
        *((3599, advice) for advice in (None, 1, 1800, 3598)),
        *((lifetime, None) for lifetime in (7200, 600, 400, 301, 300, 60, 5)),
    ],
)
async def test_a_token_is_refreshed_about_once_in_its_life_and_no_caller_waits(
    world: MsalWorld, lifetime: int, refresh_in: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MSAL would return the same token to a refresh that comes too early, and that would be repeated for ever."""
    world.entra.settings.token_lifetime, world.entra.settings.refresh_in = lifetime, refresh_in
    asked: list[TokenRequest] = []
    acquire = Delegate.acquire

    def counting(self: Delegate, request: TokenRequest) -> Token:
        asked.append(request)
        return acquire(self, request)

    monkeypatch.setattr(Delegate, "acquire", counting)
    driver = world.driver()
    steps, step = 200, lifetime / 20  # ten lives of tokens
    for _ in range(steps):
        token = await driver.get_token(STORAGE)
        await driver.settle()
        assert token.expires_on > world.clock()
        world.clock.advance(step)

    earliest = min(refresh_in or lifetime, lifetime / 2)
    assert 10 <= world.requests <= steps * step / max(earliest, step) + 1
    # Each time that MSAL was asked, it made a request.
    assert len(asked) == world.requests


@pytest.mark.parametrize(("refresh_in", "after"), [(1000, 1000), (None, 43200)], ids=["server's advice", "half-life"])
async def test_a_long_token_is_refreshed_long_before_its_end(
    world: MsalWorld, refresh_in: int | None, after: float
) -> None:
    world.entra.settings.token_lifetime, world.entra.settings.refresh_in = 86400, refresh_in
    driver = world.driver()
    first = await driver.get_token(STORAGE)

    world.clock.advance(after - 5)
    assert (await driver.get_token(STORAGE)).token == first.token
    world.clock.advance(70)
    assert (await driver.get_token(STORAGE)).token == first.token  # returned at once, while a refresh runs
    await driver.settle()

    assert world.requests == 2
    assert (await driver.get_token(STORAGE)).token != first.token


@pytest.mark.parametrize(
    "fault",
    [
        Fault.server_error(),
        Fault.server_error(500, json=False),
        Fault.throttled(2),
        Fault.not_json(),
        Fault.truncated(),
        Fault.reset_before(),
        Fault.reset_after(),
        Fault.aadsts(700027),
        Fault.aadsts(90033),
    ],
    ids=lambda fault: fault.name,
)
async def test_no_caller_fails_while_the_token_is_valid(
    world: MsalWorld, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    driver = world.driver(retry_total=0)
    token = await driver.get_token(STORAGE)
    world.entra.inject(fault, times=None)

    # To the last second: MSAL takes it for expired five minutes before.
    last = int(token.expires_on - world.clock()) - 1
    world.clock.advance(last - 300)
    for _ in range(10):
        served = await asyncio.gather(*(driver.get_token(STORAGE) for _ in range(5)))
        await driver.settle()
        assert {one.token for one in served} == {token.token}
        world.clock.advance(30)
    assert "could not refresh the token" in caplog.text

    world.clock.advance(10)
    with pytest.raises(AzureError):
        await driver.get_token(STORAGE)
    world.entra.faults.clear()
    world.clock.advance(2)  # which one of the faults asks to wait
    assert await driver.get_token(STORAGE)


async def test_a_failed_refresh_is_repeated_after_a_pause(world: MsalWorld) -> None:
    driver = world.driver(retry_total=0)
    await driver.get_token(STORAGE)
    world.entra.inject(Fault.server_error(), times=None)
    world.clock.advance(3200)
    for _ in range(20):
        await driver.get_token(STORAGE)
        await driver.settle()
    assert world.requests == 2

    world.clock.advance(31)
    await driver.get_token(STORAGE)
    await driver.settle()
    assert world.requests == 3


async def test_a_server_that_asks_to_wait_is_left_alone_for_every_caller(world: MsalWorld) -> None:
    """MSAL would keep the answer and give it to others; here it is the cached_tokens that remembers the pause."""
    driver = world.driver()
    world.entra.inject(Fault.throttled(60))
    for expected in (60, 30):
        with pytest.raises(TemporarilyUnavailableError) as caught:
            await driver.get_token(STORAGE)
        assert caught.value.retry_after == pytest.approx(expected)
        world.clock.advance(30)
    assert world.requests == 1
    assert await driver.get_token(STORAGE)


async def test_what_may_pass_is_tried_again_with_fresh_assertions(world: MsalWorld) -> None:
    driver = world.driver()
    world.entra.inject(Fault.server_error(), times=3)

    assert await driver.get_token(STORAGE)

    assert world.requests == 4
    claims = [request.assertion_claims for request in world.entra.requests]
    assert len({one["jti"] for one in claims if one is not None}) == 4


async def test_a_refusal_is_not_replayed_from_msals_throttling(world: MsalWorld) -> None:
    """MSAL keeps an answer with status 400 for a minute, and would not ask again."""
    driver = world.driver()
    world.entra.inject(Fault.aadsts(70011, status=400))
    with pytest.raises(AuthenticationError):
        await driver.get_token(STORAGE)

    assert await driver.get_token(STORAGE)
    assert world.requests == 2


async def test_msal_takes_a_token_as_due_when_it_is_although_the_answer_came_late(
    world: MsalWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token is dated from the request here. MSAL dates it from the answer, and would return it again."""
    monkeypatch.setattr("azure_certvar_credential._runtime.immediate.random.random", lambda: 0.0)
    world.entra.settings.refresh_in = 1800
    world.entra.inject(Fault.latency(20), times=None)
    driver = world.driver(transport=world.entra.transport(advance=world.clock.advance))
    began = world.clock()
    info = await driver.get_token_info(STORAGE)
    assert info.expires_on == began + 3599
    assert info.refresh_on == began + 1800

    world.clock.now = began + 1800
    await driver.get_token(STORAGE)
    await driver.settle()

    assert world.requests == 2


async def test_a_clock_that_is_off_is_corrected_as_in_the_own_flow(world: MsalWorld) -> None:
    world.entra.inject(Fault.clock_skew(3600), times=None)

    token = await world.driver().get_token(STORAGE)

    assert token.token
    assert world.requests == 2


async def test_the_warning_says_what_happened(world: MsalWorld, caplog: pytest.LogCaptureFixture) -> None:
    driver = world.driver(retry_total=0)
    token = await driver.get_token(STORAGE)
    world.clock.advance(3599 - 20)
    assert world.clock() > required_on(token.expires_on - 3599, 3599)
    world.entra.inject(Fault.aadsts(700027))
    with caplog.at_level(logging.WARNING):
        assert (await driver.get_token(STORAGE)).token == token.token
        await driver.settle()

    assert "AADSTS700027" in caplog.text
