"""A token comes from a certificate in a variable, and from the cache the second time."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Callable

import jwt
import pytest
from azure.core.credentials import AccessToken, AccessTokenInfo, SupportsTokenInfo, TokenCredential
from azure.core.credentials_async import AsyncSupportsTokenInfo, AsyncTokenCredential

from azure_certvar_credential import CertVarCredential, ClientCertificate
from azure_certvar_credential.exceptions import ConfigurationError, CredentialClosedError, TenantNotAllowedError
from tests.credential.world import GRAPH, STORAGE, World

FORMS: dict[str, Callable[[ClientCertificate], tuple[object, str | None]]] = {
    "pem": lambda certificate: (certificate.to_pem(), None),
    "encrypted pem": lambda certificate: (certificate.to_pem("secret"), "secret"),
    "pfx": lambda certificate: (certificate.to_pfx("secret"), "secret"),
    "base64 pfx": lambda certificate: (b64encode(certificate.to_pfx("secret")).decode(), "secret"),
    "certificate": lambda certificate: (certificate, None),
}


@pytest.mark.parametrize("form", FORMS)
async def test_every_form_of_the_certificate_gets_a_token(world: World, form: str) -> None:
    data, password = FORMS[form](world.certificate)

    token = await world.driver(data, password=password).get_token(STORAGE)

    assert jwt.decode(token.token, options={"verify_signature": False})["appid"] == world.application.client_id


async def test_a_credential_is_what_azure_clients_ask_for(world: World) -> None:
    credential = world.driver().credential
    protocols = (
        (TokenCredential, SupportsTokenInfo) if world.kind == "sync" else (AsyncTokenCredential, AsyncSupportsTokenInfo)
    )
    assert all(isinstance(credential, protocol) for protocol in protocols)


async def test_one_request_is_sent_and_no_discovery(world: World) -> None:
    await world.driver().get_token(STORAGE)

    (request,) = world.entra.requests
    assert request.path == f"/{world.application.tenant_id}/oauth2/v2.0/token"
    assert request.form["scope"] == STORAGE
    assert request.headers["return-client-request-id"] == "true"


async def test_the_assertion_is_strict_and_for_the_endpoint_that_it_is_posted_to(world: World) -> None:
    world.entra.settings.strict = True

    await world.driver().get_token(STORAGE)

    (request,) = world.entra.requests
    assert request.assertion_header == {"alg": "PS256", "typ": "JWT", "x5t#S256": world.certificate.x5t_s256}
    assert request.assertion_claims is not None
    assert request.assertion_claims["aud"] == f"https://login.microsoftonline.com{request.path}"
    assert request.assertion_claims["exp"] == int(world.clock()) + 600


async def test_the_second_token_comes_from_the_cache(world: World) -> None:
    driver = world.driver()

    first, second = await driver.get_token(STORAGE), await driver.get_token(STORAGE)

    assert first is second
    assert world.requests == 1


async def test_both_methods_share_the_cached_token(world: World) -> None:
    driver = world.driver()

    token, info = await driver.get_token(STORAGE), await driver.get_token_info(STORAGE)

    assert isinstance(token, AccessToken)
    assert isinstance(info, AccessTokenInfo)
    assert (token.token, token.expires_on) == (info.token, info.expires_on)
    assert info.refresh_on is not None
    assert world.clock() < info.refresh_on < info.expires_on
    assert info.token_type == "Bearer"
    assert world.requests == 1


async def test_scopes_tenants_and_cae_never_share_a_token(world: World) -> None:
    other = world.entra.add_tenant()
    world.application.add_service_principal(other)
    driver = world.driver(additionally_allowed_tenants=["*"])

    tokens = [
        await driver.get_token(STORAGE),
        await driver.get_token(GRAPH),
        await driver.get_token(STORAGE, enable_cae=True),
        await driver.get_token(STORAGE, tenant_id=other.tenant_id),
    ]

    assert len({token.token for token in tokens}) == 4
    assert world.requests == 4


async def test_the_own_tenant_named_in_capitals_is_the_own_tenant(world: World) -> None:
    driver = world.driver()

    first = await driver.get_token(STORAGE)

    assert await driver.get_token(STORAGE, tenant_id=world.application.tenant_id.upper()) is first
    assert world.requests == 1


async def test_a_token_for_cae_says_so(world: World) -> None:
    token = await world.driver().get_token(STORAGE, enable_cae=True)

    assert jwt.decode(token.token, options={"verify_signature": False})["xms_cc"] == ["CP1"]


async def test_another_tenant_must_be_allowed(world: World) -> None:
    with pytest.raises(TenantNotAllowedError, match="additionally_allowed_tenants"):
        await world.driver().get_token(STORAGE, tenant_id="fabrikam.example")
    assert world.requests == 0


@pytest.mark.parametrize("scopes", [(), ("",), ("a b",), (["https://storage.azure.com/.default"],), (None,)])
async def test_a_malformed_scope_is_refused_before_the_network(world: World, scopes: tuple[str, ...]) -> None:
    with pytest.raises(ConfigurationError, match="scope"):
        await world.driver().get_token(*scopes)
    assert world.requests == 0


async def test_the_chain_is_sent_when_asked_for(world: World) -> None:
    await world.driver(send_certificate_chain=True).get_token(STORAGE)

    header = world.entra.requests[0].assertion_header
    assert header is not None
    assert header["x5c"] == list(world.certificate.x5c)


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"])
async def test_every_rsa_algorithm_can_be_chosen(world: World, algorithm: str) -> None:
    await world.driver(algorithm=algorithm).get_token(STORAGE)

    header = world.entra.requests[0].assertion_header
    assert header is not None
    assert header["alg"] == algorithm
    assert ("x5t" in header) == algorithm.startswith("RS")


async def test_adfs_gets_rs256_and_a_sha1_thumbprint(world: World) -> None:
    driver = world.driver(tenant_id="adfs", authority="https://sts.contoso.example", disable_instance_discovery=True)

    await driver.get_token(STORAGE)

    (request,) = world.entra.requests
    assert request.path == "/adfs/oauth2/token"
    assert request.assertion_header == {"alg": "RS256", "typ": "JWT", "x5t": world.certificate.x5t}


async def test_a_closed_credential_says_that_it_is_closed(world: World) -> None:
    driver = world.driver()
    await driver.get_token(STORAGE)

    await driver.close()
    await driver.close()

    with pytest.raises(CredentialClosedError, match="closed"):
        await driver.get_token(STORAGE)


async def test_the_context_manager_closes(world: World) -> None:
    driver = world.driver()
    credential = driver.credential
    if isinstance(credential, CertVarCredential):
        with credential as entered:
            assert entered is credential
    else:
        async with credential as entered_too:
            assert entered_too is credential

    with pytest.raises(CredentialClosedError):
        await driver.get_token(STORAGE)


async def test_fifty_callers_of_different_scopes_do_not_wait_for_one_another(world: World) -> None:
    driver = world.driver()

    tokens = await asyncio.gather(*(driver.get_token(f"api://{n}/.default") for n in range(50)))

    assert len({token.token for token in tokens}) == 50
    assert world.requests == 50
