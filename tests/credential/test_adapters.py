"""``httpx.Auth`` and requests' ``AuthBase`` in a few lines, from any of our credentials: real clients call an API."""

from __future__ import annotations

import asyncio
import inspect
import ssl
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import requests

from azure_certvar_credential import CertVarCredential, ClientCertificate, FederatedCredential
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential
from azure_certvar_credential.aio import FederatedCredential as AsyncFederatedCredential
from azure_certvar_credential.testing import Application, EntraEmulator, EntraServer

SCOPE = "api://protected/.default"


class RequestsAuth(requests.auth.AuthBase):
    def __init__(self, token: Callable[[], str]) -> None:
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token()}"
        return request


class HttpxAuth(httpx.Auth):
    def __init__(self, token: Callable[[], Any]) -> None:
        self.token = token

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        request.headers["Authorization"] = f"Bearer {self.token()}"
        yield request

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        found = self.token()
        request.headers["Authorization"] = f"Bearer {await found if inspect.isawaitable(found) else found}"
        yield request


@dataclass
class Scene:
    """An API, an application that calls it, and others that may.

    :ivar owning: the credentials that have to be closed.
    """

    entra: EntraEmulator
    server: EntraServer
    certificate: ClientCertificate
    application: Application
    owning: list[Any] = field(default_factory=list)

    def options(self) -> dict[str, Any]:
        return {
            "authority": self.server.url,
            "disable_instance_discovery": True,
            "connection_verify": self.server.ca_file,
        }

    def derived(self, credential: Any, federated: type[Any]) -> dict[str, Any]:
        """Return a credential of each kind."""
        agent = self.entra.add_agent_identity(self.entra.add_application(self.certificate))
        blueprint = type(credential)(
            agent.tenant_id, str(agent.blueprint and agent.blueprint.client_id), self.certificate, **self.options()
        )
        own = blueprint.agent(agent.client_id)
        account = self.entra.add_user(f"Account {agent.client_id}", agent=agent)
        person = self.entra.add_user(f"Person {agent.client_id}")
        token = self.entra.issue_user_token(person, self.application, authority=self.server.url)
        chained = federated(
            self.application.tenant_id, self.application.client_id, credential.client_assertion, **self.options()
        )
        self.owning += [credential, blueprint, chained]
        return {
            "application": credential,
            "a user": credential.on_behalf_of(token),
            "federated": chained,
            "agent": own,
            "the agent's user": own.user(object_id=account.object_id),
        }


@pytest.fixture
def scene() -> Iterator[Scene]:
    certificate, entra = ClientCertificate.self_signed("adapter"), EntraEmulator()
    with entra.serve() as server:
        yield Scene(entra, server, certificate, entra.add_application(certificate))


def test_requests_and_httpx_call_an_api_with_any_credential(scene: Scene) -> None:
    url, context = f"{scene.server.url}/protected", ssl.create_default_context(cafile=scene.server.ca_file)
    credential = CertVarCredential(
        scene.application.tenant_id, scene.application.client_id, scene.certificate, **scene.options()
    )
    with httpx.Client(verify=context, trust_env=False) as client, requests.Session() as session:
        session.trust_env = False
        for name, one in scene.derived(credential, FederatedCredential).items():
            token = one.token_provider(SCOPE)
            answers: list[Any] = [
                client.get(url, auth=HttpxAuth(token)),
                session.get(url, auth=RequestsAuth(token), verify=scene.server.ca_file, timeout=30),
            ]
            assert [answer.status_code for answer in answers] == [200, 200], name
            # One token served both.
            assert answers[0].json() == answers[1].json()
    for one in scene.owning:
        one.close()


def test_httpx_calls_an_api_in_asyncio_with_any_credential(scene: Scene) -> None:
    context = ssl.create_default_context(cafile=scene.server.ca_file)

    async def statuses() -> dict[str, int]:
        credential = AsyncCertVarCredential(
            scene.application.tenant_id, scene.application.client_id, scene.certificate, **scene.options()
        )
        found: dict[str, int] = {}
        async with httpx.AsyncClient(verify=context, trust_env=False) as client:
            for name, one in scene.derived(credential, AsyncFederatedCredential).items():
                auth = HttpxAuth(one.token_provider(SCOPE))
                found[name] = (await client.get(f"{scene.server.url}/protected", auth=auth)).status_code
        for one in scene.owning:
            await one.close()
        return found

    found = asyncio.run(statuses())
    assert len(found) == 5
    assert set(found.values()) == {200}
