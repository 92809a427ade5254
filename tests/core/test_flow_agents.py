"""The flow of an agent identity: which tokens it asks for before its own request, and what that presents."""

from __future__ import annotations

from typing import Any

import pytest

from azure_certvar_credential._core.effects import Flow, GetToken, Send, Token
from azure_certvar_credential._core.flow import acquire
from azure_certvar_credential._core.grants import TOKEN_EXCHANGE, Grant
from azure_certvar_credential._core.grants.agent import AgentUser, ForAgent
from azure_certvar_credential._core.request import TokenRequest
from azure_certvar_credential.exceptions import AuthenticationError
from tests.core.responses import aadsts, token
from tests.core.script import NOW, TENANT, WRITE, Driver, Step, World, made_settings, now, read_cache

AGENT = "3b9f2c1e-0000-4000-8000-0000000000a1"
USER = "3b9f2c1e-0000-4000-8000-0000000000b2"
FIRST = Step(GetToken, Token("T1", "Bearer", NOW + 3600, NOW + 3000, NOW + 3300))
SECOND = Step(GetToken, Token("T2", "Bearer", NOW + 3600, NOW + 3000, NOW + 3300))


def flow_of(grant: Grant, **changed: Any) -> Flow[Token]:
    return acquire(made_settings(**changed), TokenRequest(("api://orders/.default",), TENANT, grant=grant))


def test_the_agents_own_request_presents_the_blueprints_token(drive: Driver) -> None:
    world = World(read_cache(), now(), FIRST, Step(Send, token(access_token="own")), WRITE)
    assert drive(flow_of(ForAgent(AGENT)), world.perform).value == "own"
    world.done()
    (asked,) = world.all(GetToken)
    assert (asked.request.scopes, asked.request.tenant_id) == ((TOKEN_EXCHANGE,), TENANT)
    assert asked.request.grant.fields()["fmi_path"] == AGENT
    (send,) = world.all(Send)
    assert (send.form["client_id"], send.form["client_assertion"]) == (AGENT, "T1")


def test_a_request_for_its_user_presents_its_own_token_too(drive: Driver) -> None:
    world = World(read_cache(), now(), FIRST, SECOND, Step(Send, token()), WRITE)
    drive(flow_of(ForAgent(AGENT, AgentUser(USER))), world.perform)
    world.done()
    keys = [one.request.key for one in world.all(GetToken)]
    assert keys[1] == ((TOKEN_EXCHANGE,), TENANT, False, "agent", AGENT)
    (send,) = world.all(Send)
    assert (send.form["client_assertion"], send.form["user_federated_identity_credential"]) == ("T1", "T2")
    assert send.headers["X-AnchorMailbox"] == f"Oid:{USER}@{TENANT}"


def test_a_refusal_of_the_last_leg_stands_and_names_it(drive: Driver) -> None:
    """Neither a fresh certificate nor another clock would help: they are the first leg's."""
    world = World(read_cache(), now(), FIRST, Step(Send, aadsts(700024, "invalid_client", "AADSTS700024: late")))
    with pytest.raises(AuthenticationError, match=f"What failed is the own token of agent {AGENT}"):
        drive(flow_of(ForAgent(AGENT)), world.perform)
    world.done()


def test_a_failure_of_an_earlier_leg_ends_the_acquisition(drive: Driver) -> None:
    world = World(read_cache(), now(), Step(GetToken, AuthenticationError("no blueprint", status_code=400)))
    with pytest.raises(AuthenticationError, match="no blueprint"):
        drive(flow_of(ForAgent(AGENT)), world.perform)
    world.done()


def test_an_agent_asks_for_the_users_information_as_microsofts_library_does() -> None:
    assert ForAgent("agent").fields() == {
        "grant_type": "client_credentials",
        "client_id": "agent",
        "client_info": "1",
    }
