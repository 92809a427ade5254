"""Certificates that change while the process runs, and keys that are elsewhere, with MSAL in between."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from azure_certvar_credential import AsyncCallbackSigner, CallbackSigner, ClientCertificate
from azure_certvar_credential.exceptions import (
    CertificateRejectedError,
    CertificateSourceError,
    ConfigurationError,
    WrongPasswordError,
)
from azure_certvar_credential.msal import MsalCertVarCredential
from azure_certvar_credential.testing import EntraEmulator
from tests.credential.test_sources import AsyncSource, Source
from tests.credential.world import GRAPH, STORAGE
from tests.msal.world import MsalDriver, MsalWorld


@pytest.fixture(scope="session")
def successor() -> ClientCertificate:
    """The certificate that comes after the world's."""
    return ClientCertificate.self_signed("successor", days=3650)


async def test_a_source_is_read_for_the_first_token_and_once_for_all_who_wait(world: MsalWorld) -> None:
    source = Source(world.certificate.to_pem())
    driver = world.driver(source)
    assert source.calls == 0

    await asyncio.gather(*(driver.get_token(f"api://{n}/.default") for n in range(10)))

    assert source.calls == 1


async def test_it_says_how_it_is_as_the_others_do(world: MsalWorld) -> None:
    driver = world.driver(Source(world.certificate.to_pem()))
    assert driver.credential.certificate is None
    token = await driver.get_token(STORAGE)
    assert driver.credential.certificate == world.certificate
    status = driver.credential.status()
    assert status.certificate is not None
    assert status.certificate.thumbprint == world.certificate.thumbprint
    assert [one.scopes for one in status.tokens] == [(STORAGE,)]
    assert token.token not in str(status.as_dict())


async def test_a_refused_certificate_is_replaced_by_what_the_source_has_now(
    world: MsalWorld, successor: ClientCertificate
) -> None:
    source = Source(world.certificate, successor)
    driver = world.driver(source)
    await driver.get_token(STORAGE)
    world.application.register(successor)
    world.application.unregister(world.certificate.thumbprint)

    assert await driver.get_token(GRAPH)

    thumbprints = [request.assertion_header["x5t#S256"] for request in world.entra.requests if request.assertion_header]
    assert thumbprints == [world.certificate.x5t_s256, world.certificate.x5t_s256, successor.x5t_s256]
    assert source.calls == 2


async def test_a_source_that_has_no_other_leaves_the_refusal(world: MsalWorld) -> None:
    world.application.unregister(world.certificate.thumbprint)
    source = Source(world.certificate)

    with pytest.raises(CertificateRejectedError, match=world.certificate.thumbprint):
        await world.driver(source).get_token(STORAGE)
    assert source.calls == 2


async def test_a_source_that_fails_is_a_clear_error_and_is_asked_again(world: MsalWorld) -> None:
    driver = world.driver(Source(OSError("the vault is closed"), world.certificate))

    with pytest.raises(CertificateSourceError, match="the vault is closed"):
        await driver.get_token(STORAGE)
    assert await driver.get_token(STORAGE)


async def test_a_wrong_password_is_named_by_the_constructor(world: MsalWorld) -> None:
    with pytest.raises(WrongPasswordError):
        world.driver(world.certificate.to_pfx("secret"), password="other")


async def test_azure_identitys_name_of_the_certificate_is_taken(world: MsalWorld) -> None:
    kind = type(world.driver().given)
    pem = world.certificate.to_pem().encode()
    ids = (world.application.tenant_id, world.application.client_id)

    driver = MsalDriver(kind(*ids, certificate_data=pem, transport=world.entra.transport(), _clock=world.clock))

    assert await driver.get_token(STORAGE)
    await driver.close()


async def test_everything_may_come_from_the_environment(world: MsalWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_TENANT_ID", world.application.tenant_id)
    monkeypatch.setenv("AZURE_CLIENT_ID", world.application.client_id)
    monkeypatch.setenv("AZURE_CLIENT_CERTIFICATE", world.certificate.to_pem())
    kind = type(world.driver().given)

    driver = MsalDriver(kind.from_environment(transport=world.entra.transport(), _clock=world.clock))

    assert await driver.get_token(STORAGE)
    await driver.close()


async def test_a_remote_signer_signs_once_for_a_while_and_its_key_is_nowhere_near_msal(world: MsalWorld) -> None:
    world.entra.settings.strict = False  # an assertion of a vault is used again, which Entra allows
    signed: list[bytes] = []

    def sign(message: bytes, algorithm: str) -> bytes:
        signed.append(message)
        signature: bytes = world.certificate.signer.sign(message, algorithm)
        return signature

    leaf = world.certificate.leaf
    driver = world.driver(ClientCertificate(leaf, CallbackSigner(leaf, sign, remote=True)))
    signed.clear()  # the proof of possession

    await driver.get_token(STORAGE)
    await driver.get_token(GRAPH)

    assert len(signed) == 1
    assert world.requests == 2


async def test_what_has_to_be_awaited_is_refused_with_the_way_out(world: MsalWorld) -> None:
    async def sign(message: bytes, algorithm: str) -> bytes:
        raise NotImplementedError

    leaf = world.certificate.leaf
    hint = "use the credential of azure_certvar_credential.aio" if world.kind == "sync" else "use aio.CertVarCredential"
    for given in (AsyncSource(world.certificate), ClientCertificate(leaf, AsyncCallbackSigner(leaf, sign))):
        with pytest.raises(ConfigurationError, match=hint):
            world.driver(given)


async def test_a_source_turns_out_to_be_awaitable(world: MsalWorld) -> None:
    source: Any = AsyncSource(world.certificate)

    def not_known_to_be_one() -> object:
        return source()

    with pytest.raises(ConfigurationError, match="asynchronous"):
        await world.driver(not_known_to_be_one).get_token(STORAGE)


def test_a_source_that_calls_its_own_credential_is_refused(certificate: ClientCertificate) -> None:
    """The acquisition would wait for itself for ever."""

    def source() -> Any:
        credential.get_token(STORAGE)
        return certificate

    entra = EntraEmulator()
    application = entra.add_application(certificate)
    credential = MsalCertVarCredential(
        application.tenant_id, application.client_id, source, transport=entra.transport()
    )
    with credential, pytest.raises(CertificateSourceError, match="by the very code"):
        credential.get_token(STORAGE)
