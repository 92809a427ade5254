"""Agent identities: every leg, in whichever order and number its token is asked for."""

from __future__ import annotations

import asyncio
import copy
import pickle
from typing import Any

import pytest

from azure_certvar_credential.exceptions import (
    AuthenticationError,
    TenantNotAllowedError,
)
from azure_certvar_credential.testing import Application, Fault
from tests.credential.shared_caches import MemoryCache
from tests.credential.users import ORDERS, claims_of, user_token
from tests.credential.world import GRAPH, STORAGE, Driver, World

EXCHANGE = "api://AzureADTokenExchange/.default"


def agent_of(world: World, driver: Driver, agent: Application | None = None, **options: Any) -> Driver:
    """Return the credential of an agent below the world's application; of a new one by default."""
    agent = agent or world.entra.add_agent_identity(world.application)
    return Driver(driver.credential.agent(agent.client_id, **options))


def user_of(agent: Driver, **who: Any) -> Driver:
    return Driver(agent.credential.user(**who))


def asked(world: World) -> list[tuple[str, str, str]]:
    """Return grant, client and scope of each token request so far."""
    forms = [request.form for request in world.entra.requests]
    return [(form["grant_type"].rpartition(":")[2], form["client_id"], form["scope"]) for form in forms]


async def test_an_agent_acts_by_itself_with_its_blueprints_token(world: World) -> None:
    agent = world.entra.add_agent_identity(world.application)
    token = await agent_of(world, world.driver(), agent).get_token(GRAPH)

    claims = claims_of(token.token)
    assert (claims["appid"], claims["xms_par_app_azp"], claims["idtyp"]) == (
        agent.client_id,
        world.application.client_id,
        "app",
    )
    assert asked(world) == [
        ("client_credentials", world.application.client_id, EXCHANGE),
        ("client_credentials", agent.client_id, GRAPH),
    ]
    assert [request.form.get("fmi_path") for request in world.entra.requests] == [agent.client_id, None]


async def test_an_agent_acts_for_a_signed_in_user_of_its_blueprint(world: World) -> None:
    agent = world.entra.add_agent_identity(world.application)
    adele = user_token(world)
    driver = agent_of(world, world.driver(), agent).for_user(adele)
    token = await driver.get_token(ORDERS)

    claims = claims_of(token.token)
    assert (claims["appid"], claims["name"], claims["scp"]) == (agent.client_id, "Adele Vance", "Orders.Read")
    assert asked(world)[1] == ("jwt-bearer", agent.client_id, f"{ORDERS} offline_access")
    assert await driver.get_token(ORDERS) is token
    world.clock.advance(3600)
    await driver.get_token(ORDERS)
    assert asked(world)[-1][:2] == ("refresh_token", agent.client_id)


@pytest.mark.parametrize("by", ["object_id", "username"])
async def test_an_agent_has_a_user_account_of_its_own(world: World, by: str) -> None:
    agent = world.entra.add_agent_identity(world.application)
    user = world.entra.add_user("Sales Agent", agent=agent)
    who = {"object_id": user.object_id} if by == "object_id" else {"username": user.user_principal_name}
    token = await user_of(agent_of(world, world.driver(), agent), **who).get_token(GRAPH)

    claims = claims_of(token.token)
    assert (claims["oid"], claims["idtyp"], claims["xms_par_app_azp"]) == (
        user.object_id,
        "user",
        world.application.client_id,
    )
    assert asked(world) == [
        ("client_credentials", world.application.client_id, EXCHANGE),
        ("client_credentials", agent.client_id, EXCHANGE),
        ("user_fic", agent.client_id, f"{GRAPH} openid profile offline_access"),
    ]
    mailbox = world.entra.requests[-1].headers["x-anchormailbox"]
    oid, upn = f"Oid:{user.object_id}@{agent.tenant_id}", f"upn:{user.user_principal_name}"
    assert mailbox == (oid if by == "object_id" else upn)


async def test_every_leg_is_cached_and_serves_the_next_request(world: World) -> None:
    agent = world.entra.add_agent_identity(world.application)
    user = world.entra.add_user(agent=agent)
    driver = agent_of(world, world.driver(), agent)
    for _ in range(2):
        await user_of(driver, object_id=user.object_id).get_token(GRAPH)
        await driver.get_token(GRAPH)
        await driver.get_token(STORAGE)
        await driver.for_user(user_token(world, f"User {world.requests}")).get_token(ORDERS)
    # The blueprint's token and the agent's own were asked for once.
    assert [scope for _, _, scope in asked(world)].count(EXCHANGE) == 2
    assert world.requests == 2 + 3 + 2


async def test_agents_and_users_never_share_a_token(world: World) -> None:
    driver = world.driver()
    agents = [world.entra.add_agent_identity(world.application) for _ in range(2)]
    tokens: set[str] = set()
    users: list[Any] = []
    for agent in agents:
        one = agent_of(world, driver, agent)
        users = [world.entra.add_user(f"{name} {agent.client_id}", agent=agent) for name in ("A", "B")]
        tokens |= {(await one.get_token(GRAPH)).token}
        for user in users:
            by_id = await user_of(one, object_id=user.object_id).get_token(GRAPH)
            by_name = await user_of(one, username=user.user_principal_name.upper()).get_token(GRAPH)
            assert claims_of(by_id.token)["oid"] == claims_of(by_name.token)["oid"] == user.object_id
            tokens |= {by_id.token, by_name.token}
    assert len(tokens) == 2 * (1 + 2 * 2)
    # The text of the name is no part of the key: a mailbox has one in any case.
    again = user_of(agent_of(world, driver, agents[1]), username=users[1].user_principal_name)
    assert (await again.get_token(GRAPH)).token in tokens


async def test_a_crowd_goes_through_the_legs_once(world: World) -> None:
    agent = world.entra.add_agent_identity(world.application)
    user = world.entra.add_user(agent=agent)
    driver = world.driver()
    world.entra.inject(Fault.hang(20))
    users = [user_of(agent_of(world, driver, agent), object_id=user.object_id) for _ in range(20)]
    callers = [asyncio.create_task(one.get_token(GRAPH)) for one in users]
    await world.hanging()
    world.entra.release()
    assert len({token.token for token in await asyncio.gather(*callers)}) == 1
    assert world.requests == 3


async def test_many_agents_at_once_wait_for_their_own_blueprints_token_alone(world: World) -> None:
    driver = world.driver()
    agents = [agent_of(world, driver) for _ in range(8)]
    tokens = await asyncio.gather(*(agent.get_token(GRAPH) for agent in agents for _ in range(3)))
    assert len({token.token for token in tokens}) == len(agents)
    assert world.requests == 2 * len(agents)


async def test_each_leg_is_refreshed_in_the_background(world: World) -> None:
    parent = world.driver()
    driver = agent_of(world, parent)
    first = await driver.get_token(GRAPH)
    world.clock.advance(3599 - 500)
    assert await driver.get_token(GRAPH) is first
    await parent.settle()
    await parent.settle()  # what the first refresh has begun
    # The blueprint's token was due too: it served this request, and was renewed beside it.
    assert sorted(scope for _, _, scope in asked(world)) == sorted([EXCHANGE, GRAPH] * 2)
    assert (await driver.get_token(GRAPH)).token != first.token


async def test_an_agent_of_another_tenant_gets_every_token_there(world: World) -> None:
    tenant = world.entra.add_tenant()
    world.application.add_service_principal(tenant)
    agent = world.entra.add_agent_identity(world.application, tenant=tenant)
    driver = world.driver(additionally_allowed_tenants=[tenant.tenant_id])

    token = await agent_of(world, driver, agent, tenant_id=tenant.tenant_id).get_token(GRAPH)
    assert claims_of(token.token)["tid"] == tenant.tenant_id
    assert {request.tenant for request in world.entra.requests} == {tenant.tenant_id}
    # As a storage client asks for it after a challenge.
    assert await agent_of(world, driver, agent).get_token(GRAPH, tenant_id=tenant.tenant_id) is token

    with pytest.raises(TenantNotAllowedError):
        world.driver().credential.agent(agent.client_id, tenant_id=tenant.tenant_id)
    with pytest.raises(AuthenticationError, match=r"AADSTS7000229.+the own token of agent"):
        await agent_of(world, driver, agent).get_token(GRAPH)


async def test_the_agents_own_tokens_come_from_the_blueprints_region(world: World) -> None:
    """A user's do not, as in MSAL; both regions' tokens have the issuer of the central endpoint."""
    agent = world.entra.add_agent_identity(world.application)
    user = world.entra.add_user(agent=agent)
    driver = agent_of(world, world.driver(region="westeurope"), agent)
    await user_of(driver, object_id=user.object_id).get_token(GRAPH)
    await driver.for_user(user_token(world, "A Person")).get_token(ORDERS)
    region, central = "https://westeurope.login.microsoft.com/", "https://login.microsoftonline.com/"
    hosts = [region, region, central, central]
    assert all(sent.url.startswith(host) for sent, host in zip(world.entra.requests, hosts, strict=True))


async def test_members_of_a_fleet_share_the_legs_but_not_the_users_token(world: World, cache: MemoryCache) -> None:
    agent = world.entra.add_agent_identity(world.application)
    user = world.entra.add_user(agent=agent)
    for requests, options in ((4, {}), (5, {}), (6, {"share_user_tokens": True}), (6, {"share_user_tokens": True})):
        own = agent_of(world, world.driver(token_cache=cache, **options), agent)
        await own.get_token(GRAPH)
        await user_of(own, object_id=user.object_id).get_token(GRAPH)
        assert world.requests == requests


async def test_the_chain_is_sent_in_the_blueprints_leg(world: World) -> None:
    await agent_of(world, world.driver(send_certificate_chain=True)).get_token(GRAPH)
    assert ["x5c" in (request.assertion_header or {}) for request in world.entra.requests] == [True, False]


async def test_cae_and_challenges_concern_the_last_leg(world: World) -> None:
    driver = agent_of(world, world.driver())
    plain = await driver.get_token(GRAPH)
    cae = await driver.get_token(GRAPH, enable_cae=True)
    assert claims_of(cae.token)["xms_cc"] == ["CP1"]
    challenge = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}'
    answered = await driver.get_token(GRAPH, enable_cae=True, claims=challenge)
    assert await driver.get_token(GRAPH, enable_cae=True) is answered
    assert await driver.get_token(GRAPH) is plain
    assert ["claims" in request.form for request in world.entra.requests] == [False, False, True, True]


GUID = "3b9f2c1e-0000-4000-8000-0000000000a1"


async def test_agents_are_copied_shown_and_not_pickled(world: World) -> None:
    parent = world.driver()
    driver = agent_of(world, parent)
    token = await driver.get_token(GRAPH)
    user = driver.credential.user(object_id=GUID)
    for one in (copy.copy(driver.credential), copy.deepcopy(driver.credential), driver.credential.shared()):
        assert await Driver(one).get_token(GRAPH) is token
    assert world.application.client_id in repr(driver.credential)
    assert "agent" in repr(driver.credential)
    assert GUID in repr(user)
    for one in (driver.credential, user):
        with pytest.raises(TypeError, match="make it anew"):
            pickle.dumps(one)
    await driver.close()
    assert await driver.get_token(GRAPH) is token
    await parent.close()
    with pytest.raises(RuntimeError, match="closed"):
        await driver.get_token(STORAGE)
