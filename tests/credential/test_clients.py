"""Clients and helpers of Azure that nobody here wrote, on top of the credential."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from azure.core import AsyncPipelineClient, PipelineClient
from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy, BearerTokenCredentialPolicy
from azure.core.rest import HttpRequest
from azure.identity import ChainedTokenCredential, CredentialUnavailableError, get_bearer_token_provider
from azure.identity.aio import get_bearer_token_provider as get_async_bearer_token_provider

from azure_certvar_credential import CertVarCredential, ClientCertificate
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential
from azure_certvar_credential.testing import PROTECTED_RESOURCE, Application, EntraEmulator, EntraServer

SCOPE = f"{PROTECTED_RESOURCE}/.default"


@pytest.fixture
def served(certificate: ClientCertificate) -> Iterator[tuple[EntraEmulator, EntraServer, Application]]:
    """A local Entra on loopback TLS with a protected resource."""
    entra = EntraEmulator()
    application = entra.add_application(certificate)
    with entra.serve() as server:
        yield entra, server, application


def _arguments(server: EntraServer, application: Application, certificate: ClientCertificate) -> dict[str, Any]:
    return {
        "tenant_id": application.tenant_id,
        "client_id": application.client_id,
        "certificate": certificate,
        "authority": server.authority,
        "disable_instance_discovery": True,
        "connection_verify": server.ca_file,
    }


@pytest.mark.parametrize("challenged", [False, True], ids=["no challenge", "claims challenge"])
def test_azure_cores_bearer_policy_gets_through(
    served: tuple[EntraEmulator, EntraServer, Application], certificate: ClientCertificate, challenged: bool
) -> None:
    entra, server, application = served
    with CertVarCredential(**_arguments(server, application, certificate)) as credential:
        policy: Any = BearerTokenCredentialPolicy(credential, SCOPE, enable_cae=True)
        client: Any = PipelineClient(server.url, policies=[policy], connection_verify=server.ca_file)
        with client:
            request = HttpRequest("GET", f"{server.url}/protected")
            assert client.send_request(request).json()["appid"] == application.client_id
            if challenged:
                entra.challenge_next()
            for _ in range(3):
                response = client.send_request(HttpRequest("GET", f"{server.url}/protected"))
                assert response.status_code == 200

    # The answer to the challenge replaced the cached token, so the calls after it ask for no other.
    assert len(entra.requests) == (2 if challenged else 1)
    assert all('"CP1"' in request.form["claims"] for request in entra.requests)


@pytest.mark.parametrize("challenged", [False, True], ids=["no challenge", "claims challenge"])
def test_azure_cores_async_bearer_policy_gets_through(
    served: tuple[EntraEmulator, EntraServer, Application], certificate: ClientCertificate, challenged: bool
) -> None:
    entra, server, application = served

    async def work() -> None:
        async with AsyncCertVarCredential(**_arguments(server, application, certificate)) as credential:
            policy: Any = AsyncBearerTokenCredentialPolicy(credential, SCOPE, enable_cae=True)
            client: Any = AsyncPipelineClient(server.url, policies=[policy], connection_verify=server.ca_file)
            async with client:
                response = await client.send_request(HttpRequest("GET", f"{server.url}/protected"))
                assert response.json()["appid"] == application.client_id
                if challenged:
                    entra.challenge_next()
                for _ in range(3):
                    response = await client.send_request(HttpRequest("GET", f"{server.url}/protected"))
                    assert response.status_code == 200

    asyncio.run(work())
    assert len(entra.requests) == (2 if challenged else 1)


def test_azure_identitys_bearer_token_providers_work(
    served: tuple[EntraEmulator, EntraServer, Application], certificate: ClientCertificate
) -> None:
    _, server, application = served
    arguments = _arguments(server, application, certificate)
    with CertVarCredential(**arguments) as credential:
        provider = get_bearer_token_provider(credential, SCOPE)
        assert provider() == provider() == credential.get_token(SCOPE).token

    async def fetch() -> None:
        async with AsyncCertVarCredential(**arguments) as credential:
            provider = get_async_bearer_token_provider(credential, SCOPE)
            assert await provider() == (await credential.get_token(SCOPE)).token

    asyncio.run(fetch())


def test_it_takes_its_place_in_azure_identitys_chain(
    served: tuple[EntraEmulator, EntraServer, Application], certificate: ClientCertificate
) -> None:
    class Unavailable:
        def get_token(self, *_scopes: str, **_options: Any) -> Any:
            raise CredentialUnavailableError("not here")

        def get_token_info(self, *_scopes: str, **_options: Any) -> Any:
            raise CredentialUnavailableError("not here")

        def close(self) -> None:
            pass

    _, server, application = served
    with CertVarCredential(**_arguments(server, application, certificate)) as credential:
        chain = ChainedTokenCredential(Unavailable(), credential)
        assert chain.get_token(SCOPE).token == credential.get_token(SCOPE).token
