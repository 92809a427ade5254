"""The certificate is replaced while the process runs: nothing restarts, nobody waits, nobody fails."""

from __future__ import annotations

import asyncio
import itertools
import logging
import threading

import pytest

from azure_certvar_credential import CertificateSource, CertVarCredential, ClientCertificate, EnvironmentCertificate
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential
from azure_certvar_credential.exceptions import (
    AuthenticationError,
    CertificateError,
    ConfigurationError,
    MissingCertificateError,
)
from azure_certvar_credential.testing import EntraEmulator
from tests.credential.test_sources import AsyncSource, Source
from tests.credential.world import STORAGE, Driver, World

HOUR = 3600
_numbers = itertools.count()


def fresh() -> str:
    """A scope that is in no cache, so that its token has to be signed for."""
    return f"api://{next(_numbers)}/.default"


@pytest.fixture(scope="session")
def successor() -> ClientCertificate:
    """The certificate that comes after the world's."""
    return ClientCertificate.self_signed("successor", days=3650)


def used(world: World) -> object:
    """The thumbprint in the last request's assertion."""
    header = world.entra.requests[-1].assertion_header
    assert header is not None
    return header["x5t#S256"]


async def test_a_source_is_read_again_after_an_hour_and_nobody_waits_for_it(
    world: World, successor: ClientCertificate, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "azure_certvar_credential")
    world.application.register(successor)
    source = Source(world.certificate, successor)
    driver = world.driver(source)
    await driver.get_token(fresh())
    world.clock.advance(0.8 * HOUR)
    await driver.get_token(fresh())
    await driver.settle()
    assert source.calls == 1

    world.clock.advance(0.2 * HOUR)
    await driver.get_token(fresh())
    assert used(world) == world.certificate.x5t_s256, "the caller waited for the source"
    await driver.settle()
    await driver.get_token(fresh())

    assert source.calls == 2
    assert used(world) == successor.x5t_s256
    assert world.certificate.thumbprint in caplog.text
    assert successor.thumbprint in caplog.text


async def test_the_token_cache_is_kept_across_a_rotation(world: World, successor: ClientCertificate) -> None:
    world.application.register(successor)
    driver = world.driver(CertificateSource(Source(world.certificate, successor), max_age=60))
    token = await driver.get_token(STORAGE)
    world.clock.advance(60)
    await driver.get_token(fresh())
    await driver.settle()
    await driver.get_token(fresh())

    assert used(world) == successor.x5t_s256
    assert await driver.get_token(STORAGE) is token


async def test_many_callers_cause_one_reading(world: World) -> None:
    for kind in [Source] if world.kind == "sync" else [Source, AsyncSource]:
        source = kind(world.certificate)
        driver = world.driver(source)
        await driver.get_token(fresh())
        world.clock.advance(HOUR)

        await asyncio.gather(*(driver.get_token(fresh()) for _ in range(20)))
        await driver.settle()

        assert source.calls == 2


async def test_a_certificate_near_its_end_is_looked_at_daily(world: World) -> None:
    short = ClientCertificate.self_signed("short", days=5)
    world.application.register(short)
    inner = Source(short)
    driver = world.driver(CertificateSource(inner, max_age=30 * 86400))
    await driver.get_token(fresh())

    world.clock.advance(86400)
    await driver.get_token(fresh())
    await driver.settle()

    assert inner.calls == 2


async def test_an_expired_certificate_is_replaced_before_it_is_used(world: World, successor: ClientCertificate) -> None:
    short = ClientCertificate.self_signed("short", days=1)
    world.application.register(short)
    world.application.register(successor)
    driver = world.driver(CertificateSource(Source(short, successor), max_age=30 * 86400))
    await driver.get_token(fresh())
    world.clock.advance(2 * 86400)

    await driver.get_token(fresh())

    assert used(world) == successor.x5t_s256
    assert world.requests == 2


async def test_a_failing_source_is_asked_less_and_less_often(world: World, caplog: pytest.LogCaptureFixture) -> None:
    source = Source(world.certificate, OSError("gone"))
    driver = world.driver(source)
    await driver.get_token(fresh())
    world.clock.advance(HOUR)

    async def calls_after(seconds: float) -> int:
        world.clock.advance(seconds)
        for _ in range(3):
            await driver.get_token(fresh())
            await driver.settle()
        return source.calls

    assert await calls_after(0) == 2
    assert await calls_after(29) == 2
    assert await calls_after(1) == 3
    assert await calls_after(59) == 3
    assert await calls_after(1) == 4
    assert caplog.text.count("stays in use") == 3


async def test_a_new_certificate_that_entra_does_not_know_yet_falls_back_to_the_previous_one(
    world: World, successor: ClientCertificate, caplog: pytest.LogCaptureFixture
) -> None:
    driver = world.driver(CertificateSource(Source(world.certificate, successor), max_age=60))
    await driver.get_token(fresh())
    world.clock.advance(60)
    await driver.get_token(fresh())
    await driver.settle()

    await driver.get_token(fresh())
    assert used(world) == world.certificate.x5t_s256
    assert world.entra.requests[-2].error_codes == (700027,)
    requests = world.requests
    await driver.get_token(fresh())
    assert world.requests == requests + 1, "the unknown certificate was tried again at once"
    assert "may not be known yet" in caplog.text

    world.application.register(successor)
    world.clock.advance(60)
    await driver.get_token(fresh())
    assert used(world) == successor.x5t_s256


async def test_when_both_are_refused_the_error_says_so(world: World, successor: ClientCertificate) -> None:
    driver = world.driver(CertificateSource(Source(world.certificate, successor), max_age=60))
    await driver.get_token(fresh())
    world.clock.advance(60)
    await driver.get_token(fresh())
    await driver.settle()
    world.application.unregister(world.certificate.thumbprint)

    with pytest.raises(AuthenticationError, match="700027"):
        await driver.get_token(fresh())


async def test_a_rotation_under_load_fails_nobody(world: World, successor: ClientCertificate) -> None:
    """Callers never pause, the registration lags behind the source, and then the old certificate is withdrawn."""
    rotated = threading.Event()
    driver = world.driver(CertificateSource(lambda: successor if rotated.is_set() else world.certificate, max_age=60))
    calls = 0

    async def caller() -> None:
        nonlocal calls
        for _ in range(4):
            assert (await driver.get_token(fresh())).token
            calls += 1

    async def callers() -> None:
        await asyncio.gather(*(caller() for _ in range(50)))
        await driver.settle()

    await callers()
    rotated.set()
    world.clock.advance(60)
    await callers()
    await callers()
    assert any(request.error_codes == (700027,) for request in world.entra.requests), "the new one was never tried"
    world.application.register(successor)
    world.clock.advance(3600)
    await callers()
    world.application.unregister(world.certificate.thumbprint)
    await callers()

    assert calls == 5 * 50 * 4
    assert used(world) == successor.x5t_s256


@pytest.mark.parametrize("kind", [CertVarCredential, AsyncCertVarCredential], ids=["sync", "aio"])
class TestEnvironment:
    """The certificate and everything else out of environment variables."""

    @pytest.fixture(autouse=True)
    def variables(self, monkeypatch: pytest.MonkeyPatch, certificate: ClientCertificate) -> None:
        monkeypatch.setenv("AZURE_TENANT_ID", "contoso.example")
        monkeypatch.setenv("AZURE_CLIENT_ID", "client")
        monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE", certificate.to_pem("secret"))
        monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PASSWORD", "secret")

    async def test_a_token_comes_from_the_environment_alone(
        self, kind: type, certificate: ClientCertificate, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        entra = EntraEmulator()
        application = entra.add_application(certificate)
        monkeypatch.setenv("AZURE_TENANT_ID", application.tenant_id)
        monkeypatch.setenv("AZURE_CLIENT_ID", application.client_id)
        monkeypatch.setenv("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN", "true")
        transport = entra.transport() if kind is CertVarCredential else entra.async_transport()

        credential = kind.from_environment(transport=transport)  # type: ignore[attr-defined]

        assert (await Driver(credential).get_token(STORAGE)).token
        header = entra.requests[0].assertion_header
        assert header is not None
        assert "x5c" in header

    def test_every_missing_variable_is_named(self, kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AZURE_TENANT_ID")
        monkeypatch.delenv("AZURE_CLIENT_CERTIFICATE")
        monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PATH", "app.pem")

        with pytest.raises(ConfigurationError, match=r"AZURE_TENANT_ID, AZURE_CLIENT_CERTIFICATE; .*content"):
            kind.from_environment()  # type: ignore[attr-defined]

    def test_a_certificate_that_cannot_be_used_is_named_at_once(
        self, kind: type, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE_PASSWORD", "wrong")

        with pytest.raises(CertificateError, match="password"):
            kind.from_environment()  # type: ignore[attr-defined]

    def test_an_argument_wins_over_the_environment(self, kind: type) -> None:
        assert "fabrikam.example" in repr(kind.from_environment(tenant_id="fabrikam.example"))  # type: ignore[attr-defined]


def test_an_environment_variable_that_is_not_there_is_named() -> None:
    with pytest.raises(MissingCertificateError, match="APP_CERT_THAT_IS_NOT_SET is not set"):
        EnvironmentCertificate("APP_CERT_THAT_IS_NOT_SET")()
