"""What an OpenID provider that is not Entra gets, and what it may leave out of its answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from azure_certvar_credential.exceptions import AuthenticationError
from azure_certvar_credential.testing import Fault
from azure_certvar_credential.testing.http import Conditions, Response, respond_json
from tests.credential.test_authorities import oidc
from tests.credential.world import STORAGE, World


async def test_an_older_provider_gets_assertions_for_its_token_endpoint(world: World) -> None:
    world.entra.settings.strict = True
    await world.driver(oidc_authority=oidc(world), assertion_audience="token_endpoint").get_token(STORAGE)
    (sent,) = world.entra.requests
    assert (sent.assertion_claims or {})["aud"] == sent.url


@pytest.mark.parametrize("host", ["login.microsoftonline.com", "contoso.ciamlogin.com", "login.contoso.example"])
async def test_entra_gets_what_it_documents_by_this_way_too(world: World, host: str) -> None:
    """By its own name, an external tenant's, or a domain of the tenant's, whose metadata names the tenant."""
    world.entra.settings.strict = True
    tenant = world.application.tenant_id
    issuer = f"https://{host}/{tenant}/v2.0"
    if host == "login.contoso.example":
        own = f"https://{tenant}.ciamlogin.com/{tenant}/v2.0"
        document = {"issuer": own, "token_endpoint": f"https://{host}/{tenant}/oauth2/v2.0/token"}
        fault = Fault("custom domain", lambda _, conditions: respond_json(conditions, 200, document), recorded=False)
        world.entra.inject(fault, when=lambda request: request.path.endswith("openid-configuration"))
    await world.driver(oidc_authority=issuer).get_token(STORAGE)
    (sent,) = world.entra.requests
    assert (sent.assertion_claims or {})["aud"] == sent.url


async def test_a_token_whose_life_is_not_said_is_used_for_five_minutes(world: World) -> None:
    def without_life(serve: Callable[[Conditions], Response], conditions: Conditions) -> Response:
        body = serve(conditions).json()
        del body["expires_in"]
        return respond_json(conditions, 200, body)

    world.entra.inject(Fault("no expires_in", without_life), times=None)
    driver = world.driver(oidc_authority=oidc(world))
    token = await driver.get_token(STORAGE)
    assert token.expires_on == world.clock.now + 300
    world.clock.advance(269)
    assert await driver.get_token(STORAGE) is token
    assert world.requests == 1
    world.clock.advance(1)
    assert (await driver.get_token(STORAGE)).token != token.token


async def test_the_clock_is_corrected_where_a_provider_only_says_that_the_client_is_not_authenticated(
    world: World,
) -> None:
    """By the ``Date`` of the refusal, once; without a difference the refusal stands."""
    body = {"error": "invalid_client", "error_description": "client authentication failed"}
    skewed: list[float] = [600.0, 600.0, 0.0]

    def refused(_: object, conditions: Conditions) -> Response:
        return respond_json(replace(conditions, now=conditions.now + skewed.pop(0)), 401, body)

    fault = Fault("refused without a reason", refused)
    world.entra.inject(fault)
    driver = world.driver(oidc_authority=oidc(world), retry_total=0)
    world.entra.settings.clock_skew = 700
    await driver.get_token(STORAGE)
    first, second = (request.assertion_claims or {} for request in world.entra.requests)
    assert int(str(second["iat"])) - int(str(first["iat"])) == 600

    for requests in (2, 1):
        world.entra.requests.clear()
        world.entra.inject(fault, times=requests)
        with pytest.raises(AuthenticationError, match="client authentication failed"):
            await driver.get_token(f"api://{requests}/.default")
        assert world.requests == requests
        skewed[:] = [0.0]
