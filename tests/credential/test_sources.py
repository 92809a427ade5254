"""A certificate that comes from a callable, and a key that signs somewhere else; sync or async."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from azure_certvar_credential import CertVarCredential, ClientCertificate
from azure_certvar_credential.exceptions import (
    CertificateError,
    CertificateRejectedError,
    CertificateSourceError,
    ConfigurationError,
    KeyMismatchError,
    MissingPrivateKeyError,
)
from azure_certvar_credential.testing import Fault
from tests.credential.world import STORAGE, World


class Source:
    """Returns what a test chooses, and counts the calls."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.calls = 0

    def __call__(self) -> Any:
        self.calls += 1
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class AsyncSource(Source):
    """The same as a coroutine function."""

    async def __call__(self) -> Any:
        await asyncio.sleep(0)
        return super().__call__()


def sources(world: World) -> list[type[Source]]:
    return [Source] if world.kind == "sync" else [Source, AsyncSource]


async def test_a_source_is_read_when_the_first_token_is_asked_for_and_only_then(world: World) -> None:
    for kind in sources(world):
        source = kind(world.certificate.to_pem())
        driver = world.driver(source)
        assert source.calls == 0

        await asyncio.gather(*(driver.get_token(f"api://{n}/.default") for n in range(10)))

        assert source.calls == 1


async def test_a_source_may_return_any_form_with_the_password_of_the_credential(world: World) -> None:
    driver = world.driver(Source(world.certificate.to_pfx("secret")), password="secret")

    assert (await driver.get_token(STORAGE)).token


async def test_a_source_that_raises_is_a_clear_error_and_is_asked_again(world: World) -> None:
    for kind in sources(world):
        driver = world.driver(kind(OSError("the vault is closed"), world.certificate))

        with pytest.raises(CertificateSourceError, match=r"Source failed with OSError: the vault is closed") as caught:
            await driver.get_token(STORAGE)
        assert isinstance(caught.value.__cause__, OSError)

        assert (await driver.get_token(STORAGE)).token


async def test_a_source_that_returns_no_key_is_named_as_such(world: World) -> None:
    with pytest.raises(MissingPrivateKeyError):
        await world.driver(Source(world.certificate.public_pem())).get_token(STORAGE)


async def test_a_certificate_that_entra_refuses_is_replaced_by_the_sources_newer_one(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    old = ClientCertificate.self_signed("old")
    driver = world.driver(Source(old, world.certificate))

    with caplog.at_level(logging.INFO, "azure_certvar_credential"):
        token = await driver.get_token(STORAGE)

    assert token.token
    assert [request.error_codes for request in world.entra.requests] == [(700027,), ()]
    assert old.thumbprint in caplog.text
    assert world.certificate.thumbprint in caplog.text


async def test_a_refused_certificate_without_a_newer_one_is_refused_once(world: World) -> None:
    source = Source(ClientCertificate.self_signed("stranger"))
    driver = world.driver(source)

    with pytest.raises(CertificateRejectedError):
        await driver.get_token(STORAGE)

    assert source.calls == 2
    assert world.requests == 1


async def test_a_source_that_fails_leaves_the_certificate_in_use(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    driver = world.driver(Source(world.certificate, OSError("gone")))
    await driver.get_token(STORAGE)
    world.entra.inject(Fault.unknown_certificate())

    with pytest.raises(CertificateRejectedError):
        await driver.get_token("api://other/.default")

    assert "stays in use" in caplog.text
    assert (await driver.get_token("api://other/.default")).token


async def test_a_source_that_raises_is_nobodys_error_while_the_token_is_valid(world: World) -> None:
    driver = world.driver(Source(world.certificate, OSError("gone")))
    first = await driver.get_token(STORAGE)
    world.entra.inject(Fault.unknown_certificate(), times=None)
    world.clock.advance(3599 - 20)

    assert await driver.get_token(STORAGE) is first


class TestSync:
    """The synchronous credential has no event loop to await anything in."""

    def test_an_asynchronous_source_is_refused_by_the_constructor(self) -> None:
        with pytest.raises(
            ConfigurationError, match=r"source is asynchronous; use the credential of azure_certvar_credential\.aio"
        ):
            CertVarCredential("contoso.example", "client", AsyncSource(1))  # type: ignore[arg-type]  # on purpose

    def test_a_source_that_turns_out_to_be_asynchronous_is_refused_when_it_is_read(self) -> None:
        hidden: Any = lambda: AsyncSource(1)()  # noqa: E731, PLW0108 - hides the coroutine
        credential = CertVarCredential("contoso.example", "client", hidden)

        with pytest.raises(
            ConfigurationError, match=r"source is asynchronous; use the credential of azure_certvar_credential\.aio"
        ):
            credential.get_token(STORAGE)

    def test_an_asynchronous_signer_is_refused(self, certificate: ClientCertificate) -> None:
        with pytest.raises(
            ConfigurationError, match=r"signer is asynchronous; use the credential of azure_certvar_credential\.aio"
        ):
            CertVarCredential(
                "contoso.example", "client", ClientCertificate(certificate.leaf, AsyncSigner(certificate))
            )


class AsyncSigner:
    """Signs as a vault would: after a while, and only when awaited."""

    def __init__(self, certificate: ClientCertificate, *, garbage: bool = False) -> None:
        self._signer, self._garbage = certificate.signer, garbage

    @property
    def public_key(self) -> Any:
        return self._signer.public_key

    async def sign(self, message: bytes, algorithm: str) -> bytes:
        await asyncio.sleep(0)
        return "garbage" if self._garbage else self._signer.sign(message, algorithm)  # type: ignore[return-value]


class HangingSigner(AsyncSigner):
    """Never signs."""

    async def sign(self, message: bytes, algorithm: str) -> bytes:
        await asyncio.Event().wait()
        raise AssertionError


@pytest.mark.parametrize("world", ["aio"], indirect=True)
class TestAsync:
    """What only the asynchronous credential can do."""

    async def test_an_asynchronous_signer_signs(self, world: World) -> None:
        remote = ClientCertificate(world.certificate.leaf, AsyncSigner(world.certificate))

        assert (await world.driver(remote).get_token(STORAGE)).token

    async def test_a_signer_that_returns_something_else_than_bytes_is_named(self, world: World) -> None:
        remote = ClientCertificate(world.certificate.leaf, AsyncSigner(world.certificate, garbage=True))

        with pytest.raises(CertificateError, match="signer must return bytes, not str"):
            await world.driver(remote).get_token(STORAGE)
        assert world.requests == 0

    async def test_a_signature_of_another_key_is_found_out_before_it_is_sent(self, world: World) -> None:
        class Wrong(AsyncSigner):
            async def sign(self, message: bytes, algorithm: str) -> bytes:
                return await super().sign(message + b"!", algorithm)

        remote = ClientCertificate(world.certificate.leaf, Wrong(world.certificate))

        with pytest.raises(KeyMismatchError, match="PS256 signature made by Wrong does not verify"):
            await world.driver(remote).get_token(STORAGE)
        assert world.requests == 0

    async def test_a_signer_that_hangs_is_bounded_by_the_callers_timeout(self, world: World) -> None:
        remote = ClientCertificate(world.certificate.leaf, HangingSigner(world.certificate))
        driver = world.driver(remote)

        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(driver.get_token(STORAGE), 0.05)

        assert driver.credential._single_flight._calls == {}
