"""Tokens on behalf of users: exchanged once for each user, kept apart, renewed, and asked for more."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from azure_certvar_credential.exceptions import (
    InteractionRequiredError,
    TemporarilyUnavailableError,
    TenantNotAllowedError,
    UserAssertionRejectedError,
)
from azure_certvar_credential.testing import Fault, Response
from tests.credential.users import ORDERS, claims_of, user_token
from tests.credential.world import GRAPH, STORAGE, World


def without_refresh_token(response: Response) -> Response:
    document = {name: value for name, value in response.json().items() if name != "refresh_token"}
    return replace(response, body=json.dumps(document).encode())


async def test_a_users_token_is_exchanged_for_one_of_the_next_api(world: World) -> None:
    user = world.entra.add_user("Megan Bowen")
    token = world.entra.issue_user_token(user, world.application)

    acquired = await world.driver().for_user(token).get_token(ORDERS)

    claims = claims_of(acquired.token)
    assert (claims["aud"], claims["scp"], claims["oid"]) == ("api://orders", "Orders.Read", user.object_id)
    assert claims["appid"] == world.application.client_id
    (sent,) = world.entra.requests
    assert sent.form["requested_token_use"] == "on_behalf_of"
    assert sent.assertion_claims is not None
    assert str(sent.assertion_claims["aud"]).endswith(sent.path)


async def test_it_answers_get_token_info_like_any_other(world: World) -> None:
    info = await world.driver().for_user(user_token(world)).get_token_info(ORDERS)
    assert claims_of(info.token)["scp"] == "Orders.Read"
    assert "***" in repr(info)


async def test_the_same_user_is_served_from_the_cache_by_any_object(world: World) -> None:
    driver, token = world.driver(), user_token(world)
    first = await driver.for_user(token).get_token(ORDERS)
    assert await driver.for_user(token).get_token(ORDERS) is first
    assert world.requests == 1


async def test_users_scopes_and_the_application_itself_never_share_a_token(world: World) -> None:
    driver = world.driver()
    adele, megan = user_token(world, "Adele Vance"), user_token(world, "Megan Bowen")

    tokens = [
        await driver.for_user(adele).get_token(STORAGE),
        await driver.for_user(megan).get_token(STORAGE),
        await driver.for_user(adele).get_token(GRAPH),
        await driver.for_user(adele).get_token(STORAGE, enable_cae=True),
        await driver.get_token(STORAGE),
    ]

    assert len({token.token for token in tokens}) == world.requests == 5
    assert "scp" not in claims_of(tokens[4].token)
    assert [claims_of(token.token)["upn"].split("@")[0] for token in tokens[:2]] == ["adele.vance", "megan.bowen"]


async def test_fifty_requests_of_one_user_are_one_exchange(world: World) -> None:
    world.entra.inject(Fault.hang(20))
    driver, token = world.driver(), user_token(world)

    callers = [asyncio.create_task(driver.for_user(token).get_token(ORDERS)) for _ in range(50)]
    await world.hanging()
    await driver.joined(50)
    world.entra.release()

    assert len({acquired.token for acquired in await asyncio.gather(*callers)}) == 1
    assert world.requests == 1


async def test_the_next_token_comes_for_the_refresh_token_even_when_the_assertion_has_expired(world: World) -> None:
    driver, token = world.driver(), user_token(world, lifetime=600)
    for_user = driver.for_user(token)
    first = await for_user.get_token(ORDERS)
    world.clock.advance(3580)  # within the last five minutes of the first one

    second = await for_user.get_token(ORDERS)

    assert second.token != first.token
    assert [request.form["grant_type"] for request in world.entra.requests][1:] == ["refresh_token"]


async def test_an_expired_assertion_gets_nothing_from_the_cache_and_the_server_refuses_it(world: World) -> None:
    driver, token = world.driver(), user_token(world, lifetime=600)
    began = driver.for_user(token)
    acquired = await began.get_token(ORDERS)
    world.clock.advance(600 + 301)

    for late in (driver.for_user(token), driver.for_user(lambda: token)):
        for _ in range(2):
            with pytest.raises(UserAssertionRejectedError) as caught:
                await late.get_token(ORDERS)
            assert caught.value.error_codes == (500133,)
            assert 'error="invalid_token"' in caught.value.www_authenticate

    # What began while it was valid goes on, and its refresh is nobody else's either.
    assert await began.get_token(ORDERS) is acquired
    assert world.requests == 1 + 4


async def test_a_clock_that_is_ahead_locks_no_user_out(world: World) -> None:
    ahead = [7200.0]
    driver, token = world.driver(_clock=lambda: world.clock() + ahead[0]), user_token(world)
    first, second = [await driver.for_user(token).get_token(ORDERS) for _ in range(2)]
    assert claims_of(first.token)["scp"] == "Orders.Read"
    # By its clock the token has expired, so the server is asked each time.
    assert first.token != second.token


async def test_a_user_of_two_tenants_gets_each_tenants_token_also_from_the_cache(world: World) -> None:
    driver, token = world.driver(additionally_allowed_tenants=["*"]), user_token(world)
    for_user = driver.for_user(token)
    own = await for_user.get_token(ORDERS)
    fabrikam = world.entra.add_tenant(domains=("fabrikam.onmicrosoft.com",))
    world.application.add_service_principal(fabrikam)

    for _ in range(2):
        with pytest.raises(InteractionRequiredError) as caught:  # not that tenant's user
            await for_user.get_token(ORDERS, tenant_id=fabrikam.tenant_id)
        assert caught.value.error_codes == (50020,)
        assert await for_user.get_token(ORDERS) is own


async def test_an_answer_to_a_challenge_leaves_the_refresh_token_in_place(world: World) -> None:
    for_user = world.driver().for_user(user_token(world, lifetime=600))
    await for_user.get_token(ORDERS)
    no_refresh_token = Fault("no refresh token", lambda serve, conditions: without_refresh_token(serve(conditions)))
    world.entra.inject(no_refresh_token)
    await for_user.get_token(ORDERS, claims='{"access_token":{"nbf":{"essential":true,"value":"1"}}}')
    world.clock.advance(3700)

    assert claims_of((await for_user.get_token(ORDERS)).token)["scp"] == "Orders.Read"
    assert world.entra.requests[-1].form["grant_type"] == "refresh_token"


async def test_a_revoked_refresh_token_falls_back_to_the_assertion(world: World) -> None:
    driver, token = world.driver(), user_token(world, lifetime=9000)
    await driver.for_user(token).get_token(ORDERS)
    world.entra.revoke_refresh_tokens()
    world.clock.advance(3601)

    assert claims_of((await driver.for_user(token).get_token(ORDERS)).token)["scp"] == "Orders.Read"
    assert [request.status for request in world.entra.requests] == [200, 400, 200]


async def test_a_busy_server_does_not_fail_a_user_whose_token_is_valid(world: World) -> None:
    driver, token = world.driver(retry_total=0), user_token(world)
    for_user = driver.for_user(token)
    first = await for_user.get_token(ORDERS)
    world.clock.advance(3400)
    world.entra.inject(Fault.server_error(), times=None)

    assert await for_user.get_token(ORDERS) is first
    await driver.settle()
    assert await for_user.get_token(ORDERS) is first


async def test_a_busy_server_without_a_token_is_one_clear_error(world: World) -> None:
    world.entra.inject(Fault.server_error(), times=None)
    with pytest.raises(TemporarilyUnavailableError):
        await world.driver(retry_total=0).for_user(user_token(world)).get_token(ORDERS)


async def test_the_assertion_is_for_the_tenant_that_is_asked(world: World) -> None:
    fabrikam = world.entra.add_tenant(domains=("fabrikam.onmicrosoft.com",))
    world.application.add_service_principal(fabrikam)
    user = world.entra.add_user("Alex Wilber", tenant=fabrikam)
    driver = world.driver(additionally_allowed_tenants=["*"])

    token = world.entra.issue_user_token(user, world.application)
    acquired = await driver.for_user(token).get_token(ORDERS, tenant_id=fabrikam.tenant_id)

    assert claims_of(acquired.token)["tid"] == fabrikam.tenant_id
    (sent,) = world.entra.requests
    assert sent.assertion_claims is not None
    assert fabrikam.tenant_id in str(sent.assertion_claims["aud"])
    with pytest.raises(TenantNotAllowedError):
        await world.driver().for_user(token).get_token(ORDERS, tenant_id=fabrikam.tenant_id)


async def test_a_demand_for_another_factor_reaches_the_client_and_its_answer_is_taken(world: World) -> None:
    user = world.entra.add_user()
    driver = world.driver()
    demanded = world.entra.require_step_up("api://orders")

    with pytest.raises(InteractionRequiredError) as caught:
        await driver.for_user(world.entra.issue_user_token(user, world.application)).get_token(ORDERS)

    assert caught.value.claims is not None
    assert json.loads(caught.value.claims) == json.loads(demanded)
    assert "insufficient_claims" in caught.value.www_authenticate
    stepped_up = world.entra.issue_user_token(user, world.application, claims=caught.value.claims)
    assert claims_of((await driver.for_user(stepped_up).get_token(ORDERS)).token)["oid"] == user.object_id


async def test_a_challenge_of_the_next_api_goes_to_the_server_and_replaces_the_token(world: World) -> None:
    for_user = world.driver().for_user(user_token(world))
    first = await for_user.get_token(ORDERS, enable_cae=True)
    challenge = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}'

    second = await for_user.get_token(ORDERS, claims=challenge, enable_cae=True)

    assert second is not first
    assert await for_user.get_token(ORDERS, enable_cae=True) is second
    assert json.loads(world.entra.requests[1].form["claims"])["access_token"]["nbf"] == {
        "essential": True,
        "value": "1",
    }
