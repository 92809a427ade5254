"""Microsoft's clients walk the legs of an agent identity at the local Entra, and send the fields that we send."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
import msal
import pytest
from microsoft_agents.authentication.msal import MsalAuth, msal_auth
from microsoft_agents.hosting.core import AgentAuthConfiguration
from microsoft_agents.hosting.core.authorization.auth_types import AuthTypes

from azure_certvar_credential import AgentCredential, CertVarCredential, ClientCertificate
from azure_certvar_credential.testing import Application, EntraEmulator, EntraServer, Fault
from azure_certvar_credential.testing.entra.directory.model import User
from tests.msal.world import needs_msal_1_38

GRAPH = "https://graph.microsoft.com/.default"
EXCHANGE = "api://AzureADTokenExchange/.default"
# What no two requests have in common.
_OF_ONE_TOKEN = {"aio", "exp", "iat", "jti", "nbf", "uti"}


@dataclass
class Agents:
    """A blueprint with an agent and the agent's user, served over TLS.

    :ivar forms: the form of each token request so far.
    """

    entra: EntraEmulator
    server: EntraServer
    certificate: ClientCertificate
    blueprint: Application
    agent: Application
    user: User
    forms: list[dict[str, str]] = field(default_factory=list)

    @property
    def authority(self) -> str:
        return f"{self.server.url}/{self.agent.tenant_id}"

    def taken(self) -> list[dict[str, Any]]:
        """Return the forms since the last call in a comparable form: scopes as a set, tokens by what they say."""
        forms, self.forms = self.forms, []
        return [{name: _comparable(name, value) for name, value in form.items()} for form in forms]


def _comparable(name: str, value: str) -> object:
    if name == "scope":
        return frozenset(value.replace("AzureAdTokenExchange", "AzureADTokenExchange").split())
    if name not in {"client_assertion", "user_federated_identity_credential"}:
        return value
    claims: dict[str, Any] = jwt.decode(value, options={"verify_signature": False})
    if claims["iss"] == claims["sub"]:
        return "an assertion that the certificate signs"
    return {claim: text for claim, text in claims.items() if claim not in _OF_ONE_TOKEN}


@pytest.fixture
def agents() -> Iterator[Agents]:
    certificate = ClientCertificate.self_signed("blueprint")
    entra = EntraEmulator()
    blueprint = entra.add_application(certificate)
    agent = entra.add_agent_identity(blueprint)
    user = entra.add_user("Sales Agent", agent=agent)
    with entra.serve() as server:
        made = Agents(entra, server, certificate, blueprint, agent, user)

        def note(request: Any) -> bool:
            if request.method == "POST":
                made.forms.append(dict(request.form()))
            return False

        entra.inject(Fault.throttled(), when=note)
        yield made


@pytest.fixture
def ours(agents: Agents) -> Iterator[AgentCredential]:
    with CertVarCredential(
        agents.blueprint.tenant_id,
        agents.blueprint.client_id,
        agents.certificate,
        authority=agents.server.url,
        disable_instance_discovery=True,
        connection_verify=agents.server.ca_file,
    ) as credential:
        yield credential.agent(agents.agent.client_id)


def msal_legs(agents: Agents) -> tuple[Any, str]:
    """Get the blueprint's token for the agent with MSAL, and return the agent's application and own token."""
    options = {"authority": agents.authority, "verify": agents.server.ca_file, "instance_discovery": False}
    pem = agents.certificate.to_pem()
    key, certificate = pem[: pem.index("-----BEGIN CERT")], pem[pem.index("-----BEGIN CERT") :]
    blueprint = msal.ConfidentialClientApplication(
        agents.blueprint.client_id, {"private_key": key, "public_certificate": certificate}, **options
    )
    agent = msal.ConfidentialClientApplication(
        agents.agent.client_id,
        {
            "client_assertion": lambda: blueprint.acquire_token_for_client([EXCHANGE], fmi_path=agents.agent.client_id)[
                "access_token"
            ]
        },
        **options,
    )
    return agent, agent.acquire_token_for_client([EXCHANGE])["access_token"]


@needs_msal_1_38
@pytest.mark.parametrize("by", ["object_id", "username"])
def test_msal_sends_the_fields_that_we_send_in_each_leg(agents: Agents, ours: AgentCredential, by: str) -> None:
    agent, own = msal_legs(agents)
    who: dict[str, str] = (
        {"user_object_id": agents.user.object_id}
        if by == "object_id"
        else {"username": agents.user.user_principal_name}
    )
    result = agent.acquire_token_by_user_federated_identity_credential([GRAPH], own, **who)
    theirs, their_requests = agents.taken(), list(agents.entra.requests)
    assert len(theirs) == 3

    mine = {by: next(iter(who.values()))}
    token = ours.user(**mine).get_token(GRAPH)
    assert agents.taken() == theirs
    mailboxes = [one[-1].headers["x-anchormailbox"] for one in (their_requests, agents.entra.requests)]
    assert mailboxes[0] == mailboxes[1]
    assert _comparable("client_assertion", token.token) == _comparable("client_assertion", result["access_token"])


@needs_msal_1_38
def test_msal_sends_the_fields_that_we_send_for_the_agent_by_itself(agents: Agents, ours: AgentCredential) -> None:
    agent, _ = msal_legs(agents)
    assert "access_token" in agent.acquire_token_for_client([GRAPH])
    theirs = agents.taken()
    ours.get_token(EXCHANGE)
    ours.get_token(GRAPH)
    assert agents.taken() == theirs


@pytest.mark.filterwarnings("ignore:Passing a static:DeprecationWarning")  # of MSAL about what the SDK does
async def test_the_agents_sdk_walks_the_same_legs(
    agents: Agents, ours: AgentCredential, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Local(msal.ConfidentialClientApplication):  # type: ignore[misc] # msal has no annotations
        """The SDK has no option for an authority of one's own, or for its certificate."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, instance_discovery=False, verify=agents.server.ca_file, **options)

    monkeypatch.setattr(msal_auth, "ConfidentialClientApplication", Local)
    file = tmp_path / "blueprint.pfx"
    file.write_bytes(agents.certificate.to_pfx(None))
    sdk = MsalAuth(
        AgentAuthConfiguration(
            auth_type=AuthTypes.certificate,
            client_id=agents.blueprint.client_id,
            tenant_id=agents.blueprint.tenant_id,
            authority=agents.authority,
            cert_pfx_file=str(file),
            send_x5c=True,
        )
    )
    text = await sdk.get_agentic_user_token(
        agents.agent.tenant_id, agents.agent.client_id, agents.user.object_id, [GRAPH]
    )
    theirs = agents.taken()
    token = ours.user(object_id=agents.user.object_id).get_token(GRAPH)
    assert text is not None
    assert _comparable("client_assertion", token.token) == _comparable("client_assertion", text)
    *first, last = agents.taken()
    assert first == theirs[:-1]
    # The SDK makes the last request of one that MSAL has for applications, without the scopes for users.
    scopes = last.pop("scope")
    assert theirs[-1].pop("scope") <= scopes
    assert last == theirs[-1]
