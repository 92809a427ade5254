"""OpenTelemetry's metrics of a credential, collected by its own SDK."""

from __future__ import annotations

import asyncio
import copy
import gc
import inspect
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.exceptions import AuthenticationError, ConfigurationError
from azure_certvar_credential.msal import MsalCertVarCredential
from azure_certvar_credential.telemetry import instrument
from azure_certvar_credential.testing import Fault
from tests.credential.measured import Measured, measuring
from tests.credential.shared_caches import MemoryCache
from tests.credential.users import ORDERS, user_token
from tests.credential.world import GRAPH, STORAGE, Driver, World

REQUEST, WAIT = "certvar.token.request.duration", "certvar.token.wait.duration"
REFRESHES, READINGS = "certvar.token.refreshes", "certvar.certificate.readings"
EXPIRY = "certvar.certificate.time_to_expiry"
CACHE_CALL, LOOKUPS = "certvar.cache.operation.duration", "certvar.cache.lookups"
HOST = {"server.address": "login.microsoftonline.com"}
GOOD = {**HOST, "http.response.status_code": 200}


@pytest.fixture
def measured() -> Iterator[Measured]:
    with measuring() as made:
        yield made


async def test_a_token_request_is_measured_once_and_a_cached_token_never(world: World, measured: Measured) -> None:
    driver = measured.driver(world)
    for _ in range(100):
        await driver.get_token(STORAGE)
        await driver.get_token_info(STORAGE)
    assert measured.points(REQUEST) == [(GOOD, 1)]
    assert measured.points(WAIT) == [({}, 1)]
    assert measured.points(REFRESHES) == []


def answered_at_once(credential: Any) -> None:
    """Get a token from memory; a coroutine that does not wait ends with its first step."""
    found = credential.get_token(STORAGE)
    if inspect.iscoroutine(found):
        with pytest.raises(StopIteration):
            found.send(None)


def calls_of(function: Callable[[], Any]) -> int:
    """Return how many functions a function calls."""
    calls: list[str] = []
    sys.setprofile(lambda _frame, event, _argument: calls.append(event))
    try:
        function()
    finally:
        sys.setprofile(None)
    return len(calls)


async def test_the_hot_path_makes_the_same_calls_with_and_without(world: World, measured: Measured) -> None:
    drivers, counted = [world.driver(), measured.driver(world)], []
    for driver in drivers:
        await driver.get_token(STORAGE)
        counted.append(calls_of(partial(answered_at_once, driver.credential)))
    assert counted[0] == counted[1]


FAILURES: list[tuple[Fault, dict[str, Any]]] = [
    (Fault.aadsts(700016), {"http.response.status_code": 400, "error.type": "AADSTS700016"}),
    (Fault.server_error(503), {"http.response.status_code": 503, "error.type": "server_error"}),
    (Fault.throttled(60), {"http.response.status_code": 429, "error.type": "temporarily_unavailable"}),
    (Fault.not_json(), {"http.response.status_code": 200, "error.type": "ResponseFormatError"}),
    (Fault.reset_before(), {"error.type": "ServiceRequestError"}),
    (Fault.reset_after(), {"error.type": "ServiceResponseError"}),
]


@pytest.mark.parametrize(("fault", "attributes"), FAILURES, ids=lambda value: getattr(value, "name", ""))
async def test_a_failure_is_told_apart(
    world: World, measured: Measured, fault: Fault, attributes: dict[str, Any]
) -> None:
    driver = measured.driver(world, retry_total=0)
    world.entra.inject(fault)
    with pytest.raises(Exception, match=r".+"):
        await driver.get_token(STORAGE)
    assert measured.points(REQUEST) == [({**HOST, **attributes}, 1)]
    assert measured.points(WAIT) == [({"error.type": attributes["error.type"]}, 1)]


async def test_each_retry_is_a_request_of_its_own(world: World, measured: Measured) -> None:
    driver = measured.driver(world)
    world.entra.inject(Fault.server_error(503), times=2)
    await driver.get_token(STORAGE)
    assert measured.points(REQUEST) == [
        ({**HOST, "http.response.status_code": 503, "error.type": "server_error"}, 2),
        (GOOD, 1),
    ]
    assert measured.points(WAIT) == [({}, 1)]


async def test_every_caller_that_waits_is_counted(world: World, measured: Measured) -> None:
    driver = measured.driver(world)
    world.entra.inject(Fault.hang(20))
    callers = [asyncio.create_task(driver.get_token(STORAGE)) for _ in range(12)]
    await world.hanging()
    await driver.joined(12)
    world.entra.release()
    await asyncio.gather(*callers)
    assert measured.points(WAIT) == [({}, 12)]
    assert measured.points(REQUEST) == [(GOOD, 1)]


async def test_a_time_out_is_a_failure_of_the_caller(world: World, measured: Measured) -> None:
    driver = measured.driver(world)
    world.entra.inject(Fault.hang(20))
    with pytest.raises(Exception, match="no token after"):
        await driver.get_token(STORAGE, timeout=0.2)
    world.entra.release()
    assert measured.points(WAIT) == [({"error.type": "AcquisitionTimeoutError"}, 1)]


async def test_refreshes_are_counted_with_those_that_failed(world: World, measured: Measured) -> None:
    driver = measured.driver(world, retry_total=0)
    await driver.get_token(STORAGE)
    world.clock.advance(3600 - 400)
    world.entra.inject(Fault.aadsts(7000112))
    await driver.get_token(STORAGE)
    await driver.settle()
    assert measured.points(REFRESHES) == [({"error.type": "AADSTS7000112"}, 1)]

    world.clock.advance(31)
    await driver.get_token(STORAGE)
    await driver.settle()
    assert sorted(measured.points(REFRESHES), key=str) == [({"error.type": "AADSTS7000112"}, 1), ({}, 1)]
    # Nobody waited for either.
    assert measured.points(WAIT) == [({}, 1)]


async def test_readings_of_the_source_are_counted_with_those_that_failed(world: World, measured: Measured) -> None:
    turns: list[Any] = [OSError("the vault is away"), "no certificate", world.certificate]

    def source() -> Any:
        given = turns.pop(0)
        if isinstance(given, Exception):
            raise given
        return given

    driver = measured.driver(world, source)
    for _ in range(2):
        with pytest.raises(Exception, match="certificate"):
            await driver.get_token(STORAGE)
    await driver.get_token(STORAGE)
    assert sorted(measured.points(READINGS), key=str) == [
        ({"error.type": "CertificateFormatError"}, 1),
        ({"error.type": "OSError"}, 1),
        ({}, 1),
    ]


async def test_the_time_to_expiry_is_that_of_the_certificate_in_use(world: World, measured: Measured) -> None:
    before, after = ClientCertificate.self_signed("before", days=10), ClientCertificate.self_signed("after", days=90)
    world.application.register(before)
    world.application.register(after)
    current = [before]
    driver = measured.driver(world, lambda: current[0])
    other = measured.driver(world, before)
    assert len(measured.points(EXPIRY)) == 1, "the source was not read yet"

    def left(certificate: ClientCertificate) -> tuple[dict[str, Any], float]:
        seconds = certificate.not_after.timestamp() - world.clock.now
        return {"certvar.certificate.thumbprint": certificate.thumbprint}, seconds

    await driver.get_token(STORAGE)
    assert measured.points(EXPIRY) == [left(before)], "of one application's credentials with one certificate, once"
    current[0] = after
    world.clock.advance(11 * 86400)
    with pytest.raises(AuthenticationError):
        await other.get_token(STORAGE)
    await driver.get_token(STORAGE)
    points = measured.points(EXPIRY)
    assert sorted(points, key=str) == sorted([left(before), left(after)], key=str)
    assert left(before)[1] < 0


async def test_the_shared_cache_is_measured(world: World, measured: Measured, cache: MemoryCache) -> None:
    first, second = (measured.driver(world, token_cache=cache) for _ in range(2))
    await first.get_token(STORAGE)
    # It looks twice, before it has the lock and after.
    assert measured.points(LOOKUPS) == [({"certvar.cache.result": "miss"}, 2)]
    await second.get_token(STORAGE)
    assert ({"certvar.cache.result": "hit"}, 1) in measured.points(LOOKUPS)
    calls = {point[0]["certvar.cache.operation"]: point[1] for point in measured.points(CACHE_CALL)}
    assert calls == {name: cache.calls.count(name) for name in ("get", "lock", "set", "unlock")}

    cache.failure = ConnectionError("refused")
    await second.get_token(GRAPH)
    failed = {"certvar.cache.operation": "get", "error.type": "ConnectionError"}
    assert (failed, 1) in measured.points(CACHE_CALL)
    assert ({"certvar.cache.result": "miss"}, 3) in measured.points(LOOKUPS)


async def test_users_and_agents_are_measured_with_their_credential(world: World, measured: Measured) -> None:
    driver = measured.driver(world)
    await driver.for_user(user_token(world)).get_token(ORDERS)
    agent = world.entra.add_agent_identity(world.application)
    await Driver(driver.credential.agent(agent.client_id)).get_token(GRAPH)
    assert measured.points(REQUEST) == [(GOOD, 3)]
    for derived in (driver.credential.agent(agent.client_id), driver.credential.on_behalf_of(user_token(world, "B"))):
        with pytest.raises(ConfigurationError, match="instrument the one"):
            instrument(derived)
    others: list[Any] = [None, "credential", object()]
    for other in others:
        with pytest.raises(ConfigurationError, match="takes a credential of this package"):
            instrument(other)


async def test_a_credential_is_instrumented_once_and_a_copy_by_itself(world: World, measured: Measured) -> None:
    driver = measured.driver(world)
    for one in (driver.credential, driver.credential.shared()):
        with pytest.raises(ConfigurationError, match="measured already"):
            instrument(one, meter_provider=measured.provider)
    copied = Driver(copy.copy(driver.credential))
    world.drivers.append(copied)
    await copied.get_token(STORAGE)
    assert measured.points(REQUEST) == []
    await driver.get_token(STORAGE)
    assert measured.points(REQUEST) == [(GOOD, 1)]


async def test_a_federated_credential_is_measured_without_a_certificate(world: World, measured: Measured) -> None:
    driver = measured.driver(world, world.driver().credential.client_assertion, federated=True)
    await driver.get_token(STORAGE)
    assert measured.points(REQUEST) == [(GOOD, 1)]
    assert measured.points(EXPIRY) == []


async def test_a_dropped_credential_is_observed_no_more(world: World, measured: Measured) -> None:
    measured.driver(world)
    assert len(measured.points(EXPIRY)) == 1
    world.drivers.clear()
    gc.collect()
    measured.driver(world)
    assert len(measured.points(EXPIRY)) == 1


async def test_a_shared_view_stands_for_its_credential(world: World, measured: Measured) -> None:
    driver = world.driver()
    instrument(driver.credential.shared(), meter_provider=measured.provider)
    gc.collect()
    await driver.get_token(STORAGE)
    assert measured.points(REQUEST) == [(GOOD, 1)]
    assert len(measured.points(EXPIRY)) == 1


async def test_two_providers_have_instruments_of_their_own(world: World, measured: Measured) -> None:
    with measuring() as others:
        await measured.driver(world).get_token(STORAGE)
        await others.driver(world).get_token(GRAPH)
        for one in (measured, others):
            assert one.points(REQUEST) == [(GOOD, 1)]
            assert len(one.points(EXPIRY)) == 1


def test_a_credential_that_delegates_to_msal_is_measured_too(world: World, measured: Measured) -> None:
    application = world.application
    with MsalCertVarCredential(
        application.tenant_id, application.client_id, world.certificate, transport=world.entra.transport()
    ) as credential:
        instrument(credential, meter_provider=measured.provider)
        for _ in range(2):
            credential.get_token(STORAGE)
    assert measured.points(REQUEST) == [(GOOD, 1)]
    assert measured.points(WAIT) == [({}, 1)]
    assert len(measured.points(EXPIRY)) == 1


async def test_a_provider_that_was_shut_down_costs_no_token(world: World) -> None:
    provider = MeterProvider([InMemoryMetricReader()])
    driver = world.driver()
    instrument(driver.credential, meter_provider=provider)
    provider.shutdown()
    assert (await driver.get_token(STORAGE)).token
