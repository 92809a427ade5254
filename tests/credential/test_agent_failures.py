"""What fails on the way to an agent's token: which leg it was, and what to do."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import AzureError

from azure_certvar_credential.exceptions import (
    AcquisitionTimeoutError,
    AuthenticationError,
    CertificateRejectedError,
    InteractionRequiredError,
    UserAssertionRejectedError,
)
from azure_certvar_credential.testing import Fault
from tests.credential.test_agents import EXCHANGE, agent_of, user_of
from tests.credential.users import ORDERS
from tests.credential.world import GRAPH, STORAGE, Driver, World

LEGS = {
    "the blueprint's token for agent": 0,
    "the own token of agent": 1,
    "for its user": 2,
}


@pytest.mark.parametrize("leg", LEGS)
async def test_a_failure_says_which_leg_failed(world: World, leg: str) -> None:
    agent = world.entra.add_agent_identity(world.application)
    user = world.entra.add_user(agent=agent)
    number = LEGS[leg]
    clients = [world.application.client_id, agent.client_id, agent.client_id]

    def is_leg(request: Any) -> bool:
        form = dict(request.form()) if request.method == "POST" else {}
        is_user = form.get("grant_type") == "user_fic"
        return bool(form) and form["client_id"] == clients[number] and is_user == (number == 2)

    blueprint = world.driver(retry_total=0)
    driver = user_of(agent_of(world, blueprint, agent), object_id=user.object_id)
    faults = (Fault.aadsts(50105), Fault.server_error(503), Fault.not_json(), Fault.reset_before())
    for fault in (*faults, Fault.reset_after()):
        world.entra.inject(fault, when=is_leg)
        with pytest.raises(AzureError) as caught:
            await driver.get_token(GRAPH)
        assert [name for name in LEGS if name in caught.value.message] == [leg], fault
        assert agent.client_id in caught.value.message
        failure = blueprint.credential.status().last_failure
        assert failure is not None
        assert leg in failure.message
        world.clock.advance(60)


@pytest.mark.parametrize("leg", LEGS)
async def test_a_time_out_says_which_leg_was_waited_for(world: World, leg: str) -> None:
    agent = world.entra.add_agent_identity(world.application)
    user = world.entra.add_user(agent=agent)
    driver = agent_of(world, world.driver(), agent)
    if leg != "the blueprint's token for agent":
        await driver.get_token(GRAPH)
    if leg == "for its user":
        await driver.get_token(EXCHANGE)
    world.entra.inject(Fault.hang(20))
    with pytest.raises(AcquisitionTimeoutError) as caught:
        await user_of(driver, object_id=user.object_id).get_token(STORAGE, timeout=0.5)
    world.entra.release()
    named = "the answer of" if leg == "for its user" else leg
    assert named in caught.value.message


async def test_the_blueprints_certificate_is_named_where_it_is_refused(world: World) -> None:
    world.application.unregister(world.certificate.thumbprint)
    with pytest.raises(CertificateRejectedError, match="the blueprint's token for agent") as caught:
        await agent_of(world, world.driver()).get_token(GRAPH)
    assert world.certificate.thumbprint in caught.value.message
    assert caught.value.hint


async def test_entra_refuses_what_is_not_right_with_a_hint(world: World) -> None:
    """Another's agent, another agent's user, a person, nobody, and the blueprint by itself."""
    other = world.entra.add_application()
    driver, own = world.driver(), world.entra.add_agent_identity(world.application)
    stranger = world.entra.add_agent_identity(other)
    person = world.entra.add_user("A Person")
    refused = [
        (agent_of(world, driver, stranger), 700213),
        (user_of(agent_of(world, driver, own), object_id=person.object_id), 50105),
        (user_of(agent_of(world, driver, own), username="nobody@contoso.com"), 50034),
        (driver, 82001),
        (Driver(driver.credential.agent("00000000-0000-4000-8000-000000000000")), 700016),
    ]
    for one, code in refused:
        with pytest.raises(AuthenticationError) as caught:
            await one.get_token(GRAPH)
        assert caught.value.error_codes == (code,)
        assert caught.value.hint


async def test_a_users_token_for_another_application_is_refused(world: World) -> None:
    other = world.entra.add_application()
    driver = agent_of(world, world.driver())
    token = world.entra.issue_user_token(world.entra.add_user(), other)
    with pytest.raises(UserAssertionRejectedError, match="a signed-in user"):
        await driver.for_user(token).get_token(ORDERS)


async def test_an_agents_user_may_have_to_act(world: World) -> None:
    agent = world.entra.add_agent_identity(world.application)
    user = world.entra.add_user(agent=agent)
    driver = user_of(agent_of(world, world.driver(), agent), object_id=user.object_id)
    world.entra.require_step_up("https://graph.microsoft.com")
    with pytest.raises(InteractionRequiredError) as caught:
        await driver.get_token(GRAPH)
    assert caught.value.claims
