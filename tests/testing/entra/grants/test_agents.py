"""The legs of an agent identity by hand: what is right gets a token, and everything else a refusal."""

from __future__ import annotations

from typing import Any

import pytest

from azure_certvar_credential.testing import Application, Response, User
from tests.testing.kit import JWT_BEARER, World, unverified

EXCHANGE = "api://AzureADTokenExchange/.default"
GRAPH = "https://graph.microsoft.com/.default"


class Agents:
    """A blueprint's agent with a user, and every leg."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.agent: Application = world.entra.add_agent_identity(world.application)
        self.other: Application = world.entra.add_agent_identity(world.application)
        self.user: User = world.entra.add_user("Sales Agent", agent=self.agent)

    def first(self, agent: Application) -> str:
        return self.world.token(EXCHANGE, fmi_path=agent.client_id)

    def ask(self, **changes: Any) -> Response:
        """Ask as the agent; None takes a field away."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.agent.client_id,
            "client_assertion_type": JWT_BEARER,
            "client_assertion": self.first(self.agent),
            "scope": GRAPH,
            **changes,
        }
        return self.world.post({name: value for name, value in form.items() if value is not None})

    def own(self, agent: Application) -> str:
        answer = self.ask(client_id=agent.client_id, client_assertion=self.first(agent), scope=EXCHANGE)
        return str(answer.json()["access_token"])

    def for_user(self, **changes: Any) -> Response:
        form = {
            "grant_type": "user_fic",
            "user_federated_identity_credential": self.own(self.agent),
            "user_id": self.user.object_id,
            "scope": f"{GRAPH} openid profile offline_access",
        }
        return self.ask(**{**form, **changes})

    def first_of_another_tenant(self) -> str:
        world = self.world
        tenant = world.entra.add_tenant()
        world.application.add_service_principal(tenant)
        url = f"{world.base}/{tenant.tenant_id}/oauth2/v2.0/token"
        form = world.form(
            scope=EXCHANGE, fmi_path=self.agent.client_id, client_assertion=world.assertion(claims={"aud": url})
        )
        return str(world.post(form, url=url).json()["access_token"])

    def late(self, **changes: Any) -> Response:
        """Ask two hours later."""
        self.world.clock.advance(7200)
        try:
            return self.ask(**changes)
        finally:
            self.world.clock.advance(-7200)


def changed(token: str) -> str:
    """Return a token whose signature is another one's."""
    signed, _, signature = token.rpartition(".")
    return f"{signed}.{signature[::-1]}"


@pytest.fixture
def agents(world: World) -> Agents:
    return Agents(world)


def test_each_leg_gets_its_token(agents: Agents) -> None:
    assert unverified(agents.first(agents.agent))["azp"] == agents.world.application.client_id
    own = unverified(agents.own(agents.agent))
    assert (own["azp"], own["sub"]) == (agents.agent.client_id, own["oid"])
    for who in ({}, {"user_id": None, "username": agents.user.user_principal_name.upper()}):
        claims = unverified(agents.for_user(**who).json()["access_token"])
        assert (claims["oid"], claims["xms_par_app_azp"]) == (
            agents.user.object_id,
            agents.world.application.client_id,
        )


def refusals(agents: Agents) -> dict[str, tuple[Response, int]]:
    person = agents.world.entra.add_user("A Person")
    plain = agents.world.token(EXCHANGE)
    first = agents.first(agents.agent)
    return {
        "a first token from another tenant": (agents.ask(client_assertion=agents.first_of_another_tenant()), 700211),
        "a first token that somebody changed": (agents.ask(client_assertion=changed(first)), 700027),
        "a first token that has expired": (agents.late(client_assertion=first), 700024),
        "another agent's first token": (agents.ask(client_assertion=agents.first(agents.other)), 700213),
        "the blueprint's token for itself": (agents.ask(client_assertion=plain), 700213),
        "its own token as its assertion": (agents.ask(client_assertion=agents.own(agents.agent)), 700213),
        "the blueprint for a resource": (agents.world.post(agents.world.form(scope=GRAPH)), 82001),
        "another agent's own token": (
            agents.for_user(user_federated_identity_credential=agents.own(agents.other)),
            700213,
        ),
        "the first token in its place": (
            agents.for_user(user_federated_identity_credential=agents.first(agents.agent)),
            700213,
        ),
        "no token of its own": (agents.for_user(user_federated_identity_credential=None), 900144),
        "no user": (agents.for_user(user_id=None), 900144),
        "two users": (agents.for_user(username=agents.user.user_principal_name), 9002313),
        "a person": (agents.for_user(user_id=person.object_id), 50105),
        "nobody": (agents.for_user(user_id=None, username="nobody@contoso.com"), 50034),
        "an application that is no agent": (
            agents.world.post(
                agents.world.form(
                    grant_type="user_fic", user_federated_identity_credential=plain, user_id=person.object_id
                )
            ),
            9002313,
        ),
    }


def test_whatever_is_wrong_is_refused(agents: Agents) -> None:
    for name, (answer, code) in refusals(agents).items():
        assert answer.json().get("error_codes") == [code], name
