"""Without a valid token: one clear error for each caller, few requests, and recovery on the next call."""

from __future__ import annotations

import asyncio

import pytest
from azure.core.exceptions import AzureError, ClientAuthenticationError, ServiceRequestError, ServiceResponseError

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.exceptions import (
    AuthenticationError,
    CertificateRejectedError,
    ResponseFormatError,
    TemporarilyUnavailableError,
)
from azure_certvar_credential.testing import Fault
from tests.credential.world import STORAGE, World

FINAL = {
    "not JSON": (Fault.not_json(), ResponseFormatError),
    "not an object": (Fault.not_an_object(), ResponseFormatError),
    "oversized": (Fault.oversized(), ResponseFormatError),
    "no access token": (Fault.without_access_token(), ResponseFormatError),
    "negative life": (Fault.expires_in(-1), ResponseFormatError),
    "life in words": (Fault.expires_in("soon"), ResponseFormatError),
    "other token type": (Fault.token_type("mac"), ResponseFormatError),
    "throttled for a minute": (Fault.throttled(retry_after=60), TemporarilyUnavailableError),
    "throttled, plain text": (Fault.throttled(retry_after=60, json=False), TemporarilyUnavailableError),
    "application unknown": (Fault.aadsts(700016), AuthenticationError),
    "certificate unknown": (Fault.unknown_certificate(), CertificateRejectedError),
}
PASSING = {
    "503": Fault.server_error(503),
    "500": Fault.server_error(500),
    "504, plain text": Fault.server_error(504, json=False),
    "503, HTML": Fault.not_json(503),
    "throttled for a second": Fault.throttled(retry_after=1),
    "AADSTS90033": Fault.aadsts(90033),
    "connection reset before": Fault.reset_before(),
    "connection reset after": Fault.reset_after(),
    "truncated": Fault.truncated(),
}


@pytest.mark.parametrize("name", FINAL)
async def test_an_error_that_will_not_pass_is_raised_at_once(world: World, name: str) -> None:
    fault, expected = FINAL[name]
    world.entra.inject(fault)
    driver = world.driver()

    with pytest.raises(expected) as caught:
        await driver.get_token(STORAGE)

    assert type(caught.value) is expected
    assert isinstance(caught.value, ClientAuthenticationError)
    assert world.requests == 1


@pytest.mark.parametrize("name", PASSING)
async def test_an_error_that_may_pass_is_retried_with_a_fresh_assertion(world: World, name: str) -> None:
    world.entra.settings.strict = True  # refuses a jti that it has seen
    world.entra.inject(PASSING[name], times=2)

    token = await world.driver().get_token(STORAGE)

    assert token.token
    ids = [request.assertion_claims["jti"] for request in world.entra.requests if request.assertion_claims]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", PASSING)
async def test_an_error_that_does_not_pass_is_raised_and_the_next_call_recovers(world: World, name: str) -> None:
    world.entra.inject(PASSING[name], times=None)
    driver = world.driver()

    with pytest.raises(AzureError):
        await driver.get_token(STORAGE)
    requests = world.requests
    world.entra.faults.clear()
    world.clock.advance(1)  # the pause that "throttled for a second" asks for

    assert (await driver.get_token(STORAGE)).token
    assert requests == (0 if name == "connection reset before" else 4)


async def test_retries_can_be_turned_off(world: World) -> None:
    world.entra.inject(Fault.server_error(503), times=None)

    with pytest.raises(TemporarilyUnavailableError):
        await world.driver(retry_total=0).get_token(STORAGE)

    assert world.requests == 1
    assert world.sleeps == ()


async def test_pauses_grow_as_azure_core_does_it(world: World) -> None:
    world.entra.inject(Fault.server_error(503), times=None)

    with pytest.raises(TemporarilyUnavailableError):
        await world.driver().get_token(STORAGE)

    assert world.sleeps == (0.0, 1.6, 3.2)


async def test_a_pause_that_the_server_asks_for_binds_every_caller_of_the_key(world: World) -> None:
    world.entra.inject(Fault.throttled(retry_after=60))
    driver = world.driver()
    with pytest.raises(TemporarilyUnavailableError) as first:
        await driver.get_token(STORAGE)
    world.clock.advance(20)

    with pytest.raises(TemporarilyUnavailableError) as second:
        await driver.get_token(STORAGE)
    other_key = await driver.get_token("https://vault.azure.net/.default")

    assert first.value.retry_after == 60
    assert second.value.retry_after == 40
    assert second.value is not first.value
    assert other_key.token
    assert world.requests == 2
    world.clock.advance(40)
    assert (await driver.get_token(STORAGE)).token


async def test_all_callers_of_a_failing_flight_get_an_error_of_their_own(world: World) -> None:
    world.application.disable()
    world.entra.inject(Fault.hang(20))
    driver = world.driver()

    callers = [asyncio.create_task(driver.get_token(STORAGE)) for _ in range(20)]
    await world.hanging()
    await driver.joined(20)
    world.entra.release()
    errors = await asyncio.gather(*callers, return_exceptions=True)

    assert all(isinstance(error, AuthenticationError) for error in errors)
    assert len({id(error) for error in errors}) == len(errors)


async def test_a_clock_that_is_wrong_by_an_hour_is_corrected_from_the_servers_answer(world: World) -> None:
    world.entra.inject(Fault.clock_skew(3600), times=None)

    token = await world.driver().get_token(STORAGE)

    assert world.requests == 2
    assert [request.error_codes for request in world.entra.requests] == [(700024,), ()]
    # The token's life is counted by the clock that will judge its freshness: our own.
    assert token.expires_on == int(world.clock()) + 3599


async def test_entras_refusal_carries_all_that_it_said_and_a_hint(world: World, certificate: ClientCertificate) -> None:
    stranger = ClientCertificate.self_signed("stranger")

    with pytest.raises(CertificateRejectedError) as caught:
        await world.driver(stranger).get_token(STORAGE)

    error = caught.value
    assert error.error_code == "invalid_client"
    assert error.error_codes == (700027,)
    assert error.status_code == 401
    assert all((error.correlation_id, error.trace_id, error.timestamp))
    assert error.hint is not None
    assert error.hint in error.message
    assert stranger.thumbprint in error.message
    assert f"{stranger.not_after:%Y-%m-%d}" in error.message
    assert certificate.thumbprint not in error.message


async def test_conditional_access_hands_on_its_claims(world: World) -> None:
    world.entra.inject(Fault.aadsts(53003, suberror="message_only", claims='{"access_token":{"capolids":{}}}'))

    with pytest.raises(AuthenticationError) as caught:
        await world.driver().get_token(STORAGE)

    assert caught.value.suberror == "message_only"
    assert caught.value.claims == '{"access_token":{"capolids":{}}}'


async def test_a_server_that_cannot_be_reached_stays_azure_cores_error(world: World) -> None:
    world.entra.inject(Fault.reset_before(), times=None)
    with pytest.raises(ServiceRequestError):
        await world.driver().get_token(STORAGE)

    world.entra.faults.clear()
    world.entra.inject(Fault.reset_after(), times=None)
    with pytest.raises(ServiceResponseError):
        await world.driver().get_token(STORAGE)
