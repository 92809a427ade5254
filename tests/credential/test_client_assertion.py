"""The assertion for others: the same certificate for requests that this package does not send."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from typing import Any

import azure.identity
import azure.identity.aio
import jwt
import pytest
from cryptography import x509

from azure_certvar_credential import AsyncCallbackSigner, CallbackSigner, CertVarCredential, ClientCertificate
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential
from azure_certvar_credential.exceptions import CertificateSourceError, ConfigurationError, CredentialClosedError
from azure_certvar_credential.testing import Application, EntraEmulator, EntraServer
from tests.credential.world import STORAGE, World

OTHER = "https://idp.example/token"


async def signed(world: World, credential: Any, audience: str | None = None) -> str:
    if world.kind == "sync":
        return str(await asyncio.to_thread(credential.client_assertion, audience))
    return str(await credential.client_assertion(audience))


def verified(world: World, assertion: str, audience: str) -> dict[str, Any]:
    """Return the claims, with PyJWT's word that the signature, the audience and the times are right."""
    certificate = world.certificate
    claims: dict[str, Any] = jwt.decode(
        assertion, certificate.signer.public_key, algorithms=["PS256"], audience=audience, leeway=5
    )
    assert jwt.get_unverified_header(assertion)["x5t#S256"] == certificate.x5t_s256
    return claims


async def test_it_is_for_the_tenants_token_endpoint_unless_told_otherwise(world: World) -> None:
    credential = world.driver().credential
    endpoint = f"https://login.microsoftonline.com/{world.application.tenant_id}/oauth2/v2.0/token"

    claims = verified(world, await signed(world, credential), endpoint)

    assert claims["iss"] == claims["sub"] == world.application.client_id
    assert verified(world, await signed(world, credential, OTHER), OTHER)["exp"] - claims["iat"] == 600
    assert world.requests == 0


async def test_every_assertion_is_a_fresh_one(world: World) -> None:
    credential = world.driver().credential
    assertions = [await signed(world, credential, OTHER) for _ in range(5)]
    assert len({verified(world, assertion, OTHER)["jti"] for assertion in assertions}) == 5


async def test_a_remote_key_signs_it_too(world: World) -> None:
    key = world.certificate.signer
    calls: list[str] = []

    def sign(digest: bytes, algorithm: str) -> bytes:
        calls.append(algorithm)
        signature: bytes = key.sign(digest, algorithm)
        return signature

    async def sign_later(message: bytes, algorithm: str) -> bytes:
        return sign(message, algorithm)

    leaf = x509.load_der_x509_certificate(world.certificate.public_der())
    signer: Any = CallbackSigner(leaf, sign) if world.kind == "sync" else AsyncCallbackSigner(leaf, sign_later)
    credential = world.driver(ClientCertificate(leaf, signer)).credential
    calls.clear()

    first, second = await signed(world, credential, OTHER), await signed(world, credential, OTHER)

    # A strict server takes each once, so a kept one is never handed out.
    assert verified(world, first, OTHER)["jti"] != verified(world, second, OTHER)["jti"]
    assert calls == ["PS256", "PS256"]


async def test_a_source_is_read_for_it(world: World) -> None:
    readings: list[int] = []

    def source() -> ClientCertificate:
        readings.append(1)
        return world.certificate

    credential = world.driver(source).credential
    verified(world, await signed(world, credential, OTHER), OTHER)
    verified(world, await signed(world, credential, OTHER), OTHER)
    assert len(readings) == 1


async def test_a_source_that_fails_is_named(world: World) -> None:
    def source() -> str:
        raise OSError("no such secret")

    with pytest.raises(CertificateSourceError, match="no such secret"):
        await signed(world, world.driver(source).credential)


async def test_an_audience_that_is_none_is_refused(world: World) -> None:
    with pytest.raises(ConfigurationError, match="audience"):
        await signed(world, world.driver().credential, "two words")


async def test_a_closed_credential_signs_no_more(world: World) -> None:
    driver = world.driver()
    await driver.close()
    with pytest.raises(CredentialClosedError):
        await signed(world, driver.credential)


@pytest.fixture
def served(certificate: ClientCertificate) -> Iterator[tuple[EntraServer, Application]]:
    """A local Entra on loopback TLS."""
    entra = EntraEmulator(strict=True)
    application = entra.add_application(certificate)
    with entra.serve() as server:
        yield server, application


def options(server: EntraServer) -> dict[str, Any]:
    return {"authority": server.authority, "disable_instance_discovery": True, "connection_verify": server.ca_file}


def test_azure_identitys_client_assertion_credential_takes_it_as_func(
    served: tuple[EntraServer, Application], certificate: ClientCertificate
) -> None:
    server, application = served
    ids = (application.tenant_id, application.client_id)
    with (
        CertVarCredential(*ids, certificate, **options(server)) as ours,
        azure.identity.ClientAssertionCredential(*ids, func=ours.client_assertion, **options(server)) as theirs,
    ):
        token = theirs.get_token(STORAGE).token
    assert jwt.decode(token, options={"verify_signature": False})["appid"] == application.client_id


async def test_azure_identitys_async_one_takes_it_too(certificate: ClientCertificate) -> None:
    entra = EntraEmulator(strict=True)
    application = entra.add_application(certificate)
    ids = (application.tenant_id, application.client_id)
    # Its func is synchronous in both of its credentials. In process: with older versions it leaves sockets behind.
    with CertVarCredential(*ids, certificate, transport=entra.transport()) as ours:
        made = azure.identity.aio.ClientAssertionCredential(
            *ids, ours.client_assertion, transport=entra.async_transport()
        )
        async with made as theirs:
            token = await theirs.get_token(STORAGE)
    assert jwt.decode(token.token, options={"verify_signature": False})["appidacr"] == "2"


def test_both_credentials_have_the_method_with_one_signature() -> None:
    sync, asynchronous = CertVarCredential.client_assertion, AsyncCertVarCredential.client_assertion
    assert inspect.signature(sync) == inspect.signature(asynchronous)
    assert inspect.iscoroutinefunction(asynchronous)
    assert not inspect.iscoroutinefunction(sync)
