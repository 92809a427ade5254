"""A credential says how it is: its certificate, its tokens, its last failure, and a line a day before the end."""

from __future__ import annotations

import inspect
import json
import logging
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from azure_certvar_credential import CertVarCredential, ClientCertificate, CredentialStatus
from azure_certvar_credential.exceptions import AcquisitionTimeoutError, ConfigurationError
from azure_certvar_credential.testing import Fault
from tests.credential.users import ORDERS, user_token
from tests.credential.world import GRAPH, STORAGE, Driver, World

DAY = 86400


def status_of(driver: Any) -> CredentialStatus:
    status: CredentialStatus = driver.credential.status()
    return status


async def test_the_certificate_is_known_at_once_if_it_was_handed_over(world: World) -> None:
    driver = world.driver()
    assert driver.credential.certificate == world.certificate
    certificate = status_of(driver).certificate
    assert certificate is not None
    assert certificate.thumbprint == world.certificate.thumbprint
    assert certificate.subject == world.certificate.subject
    assert (certificate.source, certificate.read_on) == (None, None)
    assert certificate.days_left == pytest.approx(3650, abs=1)


async def test_the_certificate_of_a_source_is_known_once_it_was_read(world: World) -> None:
    driver = world.driver(lambda: world.certificate)
    assert driver.credential.certificate is None
    assert status_of(driver).certificate is None

    await driver.get_token(STORAGE)
    assert driver.credential.certificate == world.certificate
    certificate = status_of(driver).certificate
    assert certificate is not None
    assert certificate.source is not None
    assert certificate.read_on == datetime.fromtimestamp(world.clock.now, timezone.utc)


async def test_the_tokens_are_listed_with_their_times(world: World) -> None:
    driver = world.driver()
    assert status_of(driver).tokens == ()
    token = await driver.get_token_info(STORAGE)
    await driver.get_token(GRAPH, enable_cae=True)

    first, second = status_of(driver).tokens
    assert (first.scopes, first.tenant_id, first.enable_cae) == ((STORAGE,), world.application.tenant_id, False)
    assert first.expires_on.timestamp() == token.expires_on
    assert int(first.refresh_on.timestamp()) == token.refresh_on
    assert (second.scopes, second.enable_cae) == ((GRAPH,), True)

    world.clock.advance(2 * DAY)
    assert status_of(driver).tokens == ()


async def test_a_token_says_whose_it_is(world: World) -> None:
    driver = world.driver()
    agent = world.entra.add_agent_identity(world.application)
    user = world.entra.add_user("Sales Agent", agent=agent)
    own = Driver(driver.credential.agent(agent.client_id))
    account = Driver(own.credential.user(username=user.user_principal_name))
    await account.get_token(GRAPH, client_claims={"access_token": {"acrs": {"value": "c1"}}})
    await own.for_user(user_token(world)).get_token(ORDERS)

    first, second, third, fourth = status_of(driver).tokens
    assert (first.agent_id, first.user, first.fmi_path) == (None, None, agent.client_id)
    assert (second.agent_id, second.user, second.fmi_path) == (agent.client_id, None, None)
    assert (third.agent_id, third.user) == (agent.client_id, user.user_principal_name)
    assert third.client_claims == '{"access_token":{"acrs":{"value":"c1"}}}'
    assert (fourth.agent_id, fourth.user, fourth.client_claims) == (agent.client_id, "signed-in", None)


async def test_the_last_failure_stays_until_that_token_is_there(world: World) -> None:
    world.application.unregister(world.certificate.thumbprint)
    driver = world.driver(retry_total=0)
    with pytest.raises(Exception, match="AADSTS700027"):
        await driver.get_token(STORAGE)

    failure = status_of(driver).last_failure
    assert failure is not None
    assert failure.error_codes == (700027,)
    assert failure.failed_on == datetime.fromtimestamp(world.clock.now, timezone.utc)
    assert "AADSTS700027" in failure.message
    assert failure.hint is not None

    world.application.register(world.certificate)
    await driver.get_token(GRAPH)
    assert status_of(driver).last_failure == failure
    await driver.get_token(STORAGE)
    assert status_of(driver).last_failure is None


async def test_a_failed_refresh_shows_too_though_no_caller_saw_it(world: World) -> None:
    driver = world.driver(retry_total=0)
    await driver.get_token(STORAGE)
    world.entra.inject(Fault.server_error())
    world.clock.advance(3600 - 400)
    await driver.get_token(STORAGE)
    await driver.settle()

    failure = status_of(driver).last_failure
    assert failure is not None
    assert "Server Error" in failure.message


async def test_a_time_out_shows_as_soon_as_the_caller_has_it(world: World) -> None:
    driver = world.driver()
    world.entra.inject(Fault.hang(20))
    with pytest.raises(AcquisitionTimeoutError):
        await driver.get_token(STORAGE, timeout=0.2)

    failure = status_of(driver).last_failure
    assert failure is not None
    assert "no token after" in failure.message
    world.entra.release()


async def test_a_status_has_no_secret_and_becomes_json(world: World) -> None:
    driver = world.driver()
    user = user_token(world)
    tokens = [(await driver.get_token(STORAGE)).token, (await driver.for_user(user).get_token(ORDERS)).token, user]

    status = status_of(driver)
    text = json.dumps(status.as_dict()) + repr(status)
    assert (
        json.loads(json.dumps(status.as_dict()))["tokens"][0]["expires_on"] == status.tokens[0].expires_on.isoformat()
    )
    for token in tokens:
        assert token not in text
        assert token.rsplit(".", 1)[1] not in text


async def test_a_status_reads_memory_alone(world: World) -> None:
    readings = []

    def source() -> ClientCertificate:
        readings.append(1)
        return world.certificate

    driver = world.driver(source)
    for _ in range(3):
        status_of(driver)
    assert not readings
    await driver.get_token(STORAGE)
    world.clock.advance(2 * DAY)
    world.entra.inject(Fault.server_error(), times=None)
    statuses = [status_of(driver) for _ in range(3)]
    assert statuses[0] == statuses[2]
    assert (len(readings), world.requests) == (1, 1)


async def test_a_federated_credential_has_no_certificate(world: World) -> None:
    driver = world.driver(world.driver().credential.client_assertion, federated=True)
    await driver.get_token(STORAGE)
    status = status_of(driver)
    assert status.certificate is None
    assert len(status.tokens) == 1


async def test_a_token_provider_returns_the_text_of_the_cached_token(world: World) -> None:
    driver = world.driver()
    provider = driver.credential.token_provider(STORAGE)
    texts = [await found if inspect.isawaitable(found := provider()) else found for _ in range(2)]

    assert texts == [(await driver.get_token(STORAGE)).token] * 2
    assert world.requests == 1


def expiring(world: World, days: float) -> ClientCertificate:
    """Return a certificate of the application with so many days left by the scenario's clock."""
    left = datetime.fromtimestamp(world.clock.now, timezone.utc) + timedelta(days=days) - datetime.now(timezone.utc)
    certificate = ClientCertificate.self_signed("expiring", days=round(left / timedelta(days=1)))
    world.application.register(certificate)
    return certificate


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    return [(one.levelno, one.getMessage()) for one in caplog.records if "replace it" in one.getMessage()]


@pytest.mark.parametrize(
    ("left", "options", "level"),
    [
        (60, {}, None),
        (29, {}, logging.WARNING),
        (8, {}, logging.WARNING),
        (6, {}, logging.ERROR),
        (60, {"expiry_warning_days": 90}, logging.WARNING),
        (6, {"expiry_warning_days": 0}, None),
    ],
)
async def test_a_certificate_that_expires_soon_is_named_once_a_day(
    world: World, caplog: pytest.LogCaptureFixture, left: int, options: dict[str, Any], level: int | None
) -> None:
    driver = world.driver(expiring(world, left), **options)
    with caplog.at_level(logging.INFO):
        for scope in (STORAGE, GRAPH):
            await driver.get_token(scope)
        once = lines(caplog)
        world.clock.advance(DAY + 60)
        await driver.get_token(STORAGE)

    assert [found for found, _ in once] == ([] if level is None else [level])
    assert len(lines(caplog)) == (0 if level is None else 2)
    assert all("expires in" in text for _, text in once)


async def test_a_new_certificate_ends_the_daily_line(world: World, caplog: pytest.LogCaptureFixture) -> None:
    turns = [expiring(world, 20), world.certificate]
    driver = world.driver(lambda: turns[0])
    with caplog.at_level(logging.INFO):
        await driver.get_token(STORAGE)
        del turns[0]
        for _ in range(3):
            world.clock.advance(DAY + 60)
            await driver.get_token(STORAGE)
            await driver.settle()

    # Once when it is used first, and once more with the token that is requested while the source is read anew.
    assert 1 <= len(lines(caplog)) <= 2


@pytest.mark.parametrize("value", [-1, "30", True, None, float("nan"), 10_000], ids=repr)
def test_a_number_of_days_that_cannot_be_meant_is_refused(certificate: ClientCertificate, value: Any) -> None:
    with pytest.raises(ConfigurationError, match="expiry_warning_days must be a number of days"):
        CertVarCredential("contoso.example", "client", certificate, expiry_warning_days=value)
