"""A credential that delegates to MSAL gives what any credential of this package gives."""

from __future__ import annotations

import asyncio
import json

import jwt
import pytest
from azure.core.credentials import AccessToken

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.exceptions import ConfigurationError, CredentialClosedError, TenantNotAllowedError
from azure_certvar_credential.msal import client_credential
from azure_certvar_credential.testing import Fault
from tests.credential.world import GRAPH, STORAGE
from tests.msal.world import KNOWS_FMI_PATH, MsalWorld

CP1 = {"access_token": {"xms_cc": {"values": ["CP1"]}}}


async def test_the_token_is_the_servers(world: MsalWorld) -> None:
    token = await world.driver().get_token(STORAGE)

    assert isinstance(token, AccessToken)
    claims = jwt.decode(token.token, options={"verify_signature": False})
    assert claims["aud"] == "https://storage.azure.com"
    assert claims["appid"] == world.application.client_id
    assert token.expires_on == claims["exp"] == world.clock() + 3599


async def test_it_was_msal_that_asked_with_our_assertion_for_the_endpoint_that_it_posted_to(world: MsalWorld) -> None:
    await world.driver().get_token(STORAGE)

    request = world.entra.requests[0]
    assert request.form["client_info"] == "1"  # which MSAL sends and the own flow does not
    assert request.assertion_claims is not None
    assert request.assertion_claims["aud"] == request.url
    assert request.assertion_header is not None
    assert request.assertion_header["alg"] == "PS256"
    assert "x5c" not in request.assertion_header


async def test_algorithm_and_chain_are_chosen_as_for_the_own_flow(world: MsalWorld) -> None:
    await world.driver(algorithm="RS256", send_certificate_chain=True).get_token(STORAGE)

    header = world.entra.requests[0].assertion_header
    assert header is not None
    assert header["alg"] == "RS256"
    assert header["x5c"] == list(world.certificate.x5c)


async def test_a_fresh_token_is_in_memory(world: MsalWorld) -> None:
    driver = world.driver()
    token = await driver.get_token(STORAGE)
    info = await driver.get_token_info(STORAGE)

    assert info.token == token.token
    assert info.refresh_on is not None
    assert world.clock() + 2999 <= info.refresh_on <= world.clock() + 3599 - 300
    assert world.requests == 1


async def test_fifty_callers_share_one_request(world: MsalWorld) -> None:
    driver = world.driver()
    world.entra.inject(Fault.hang())
    callers = [asyncio.create_task(driver.get_token(STORAGE)) for _ in range(50)]
    await driver.joined(50)
    await world.hanging()
    world.entra.release()

    assert len({token.token for token in await asyncio.gather(*callers)}) == 1
    assert world.requests == 1


async def test_the_metadata_of_a_provider_is_read_once(world: MsalWorld) -> None:
    paths: list[str] = []
    driver = world.driver(
        oidc_authority=f"https://idp.contoso.example/{world.application.tenant_id}/v2.0",
        raw_request_hook=lambda request: paths.append(request.http_request.url),
    )

    await asyncio.gather(*(driver.get_token(f"api://{n}/.default") for n in range(20)))

    assert len([path for path in paths if path.endswith("openid-configuration")]) == 1
    assert world.requests == 20


async def test_tenants_are_kept_apart(world: MsalWorld) -> None:
    other = world.entra.add_tenant()
    world.application.add_service_principal(other)
    driver = world.driver(additionally_allowed_tenants=[other.tenant_id])

    tokens = [await driver.get_token(STORAGE, tenant_id=tenant) for tenant in (None, other.tenant_id, None)]

    tenants = [jwt.decode(token.token, options={"verify_signature": False})["tid"] for token in tokens]
    assert tenants == [world.application.tenant_id, other.tenant_id, world.application.tenant_id]
    assert world.requests == 2
    with pytest.raises(TenantNotAllowedError):
        await driver.get_token(STORAGE, tenant_id="fabrikam.example")


async def test_tokens_with_and_without_continuous_access_evaluation_are_kept_apart(world: MsalWorld) -> None:
    driver = world.driver()
    plain = await driver.get_token(STORAGE)
    evaluated = await driver.get_token(STORAGE, enable_cae=True)

    assert plain.token != evaluated.token
    assert [request.form.get("claims") for request in world.entra.requests] == [None, json.dumps(CP1)]
    assert (await driver.get_token(STORAGE)).token == plain.token
    assert (await driver.get_token(STORAGE, enable_cae=True)).token == evaluated.token
    assert world.requests == 2


@pytest.mark.parametrize("enable_cae", [False, True], ids=["without CAE", "with CAE"])
async def test_a_claims_challenge_bypasses_every_cache_and_its_token_replaces_the_old_one(
    world: MsalWorld, enable_cae: bool
) -> None:
    driver = world.driver()
    challenge = {"access_token": {"nbf": {"essential": True, "value": "1700000000"}}}
    before = await driver.get_token(STORAGE, enable_cae=enable_cae)

    after = await driver.get_token(STORAGE, enable_cae=enable_cae, claims=json.dumps(challenge))

    sent = json.loads(world.entra.requests[1].form["claims"])
    assert sent["access_token"]["nbf"] == challenge["access_token"]["nbf"]
    assert ("xms_cc" in sent["access_token"]) is enable_cae
    assert before.token != after.token
    assert (await driver.get_token(STORAGE, enable_cae=enable_cae)).token == after.token
    assert world.requests == 2


async def test_paths_of_federated_managed_identities_are_kept_apart(world: MsalWorld) -> None:
    """MSAL before 1.36 would mix them up, and is not asked."""
    driver = world.driver()
    if not KNOWS_FMI_PATH:
        with pytest.raises(ConfigurationError, match=r"needs msal 1\.36"):
            await driver.get_token(STORAGE, fmi_path="a")
        assert world.requests == 0
        return

    for path in (None, "a", "b", "a", None):
        await driver.get_token(STORAGE, fmi_path=path)

    assert [request.form.get("fmi_path") for request in world.entra.requests] == [None, "a", "b"]


async def test_scopes_are_checked_before_msal_sees_them(world: MsalWorld) -> None:
    with pytest.raises(ConfigurationError, match="scope"):
        await world.driver().get_token("two scopes")
    assert world.requests == 0


async def test_a_closed_credential_says_so(world: MsalWorld) -> None:
    driver = world.driver()
    await driver.get_token(STORAGE)
    await driver.close()
    await driver.close()

    with pytest.raises(CredentialClosedError):
        await driver.get_token(GRAPH)


async def test_it_is_a_context_manager(world: MsalWorld) -> None:
    driver = world.driver()
    if world.kind == "sync":
        with driver.given as credential:  # type: ignore[union-attr]
            assert credential.get_token(STORAGE)
    else:
        async with driver.given as credential:  # type: ignore[union-attr]
            assert await credential.get_token(STORAGE)
    with pytest.raises(CredentialClosedError):
        await driver.get_token(GRAPH)


def test_an_applications_id_is_the_same_in_capital_letters(certificate: ClientCertificate) -> None:
    client_id = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
    sign = client_credential(certificate, client_id=client_id, audience="https://login.example/token")
    context = {"client_id": client_id.upper(), "token_endpoint": "https://login.example/t/oauth2/v2.0/token"}
    claims = jwt.decode(sign["client_assertion"](context), options={"verify_signature": False})
    assert claims["iss"] == client_id
