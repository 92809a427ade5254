"""Microsoft's own clients act for users and hand tokens on, through the emulator."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import azure.identity
import azure.identity.aio
import msal
import pytest
from azure.core.exceptions import ClientAuthenticationError

from azure_certvar_credential.testing import PROTECTED_RESOURCE, EntraServer, Request, User
from tests.testing.kit import HOST, World, key_pem, pem, rsa_key, sha1, unverified

Served = tuple[World, EntraServer]
READ = f"{PROTECTED_RESOURCE}/Orders.Read"
EXCHANGE = "api://AzureADTokenExchange/.default"


class InProcess:
    """An HTTP client for msal that asks the emulator itself, so that every host is the emulator's."""

    def __init__(self, world: World) -> None:
        self._world = world

    def post(self, url: str, *, data: Mapping[str, str], headers: Mapping[str, str], **_options: Any) -> Any:
        return self._ask(Request("POST", url, headers, urlencode(data).encode()))

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, **_options: Any) -> Any:
        return self._ask(Request("GET", url, headers or {}))

    def _ask(self, request: Request) -> Any:
        response = self._world.entra.handle(request)
        return SimpleNamespace(
            status_code=response.status,
            text=response.body.decode(),
            headers=response.headers,
            raise_for_status=lambda: None,
        )


@pytest.fixture
def user(served_now: Served) -> User:
    return served_now[0].entra.add_user()


def msal_client(served_now: Served, **options: Any) -> Any:
    world, server = served_now
    credential = {"private_key": key_pem(rsa_key()).decode(), "thumbprint": sha1(world.certificate).hex()}
    return msal.ConfidentialClientApplication(
        options.pop("client_id", world.application.client_id),
        **{
            "client_credential": credential,
            "authority": f"{server.url}/{world.application.tenant_id}",
            "instance_discovery": False,
            "verify": server.ca_file,
            **options,
        },
    )


def on_behalf_of(served_now: Served, module: Any, assertion: str, **options: Any) -> Any:
    world, server = served_now
    return module.OnBehalfOfCredential(
        world.application.tenant_id,
        world.application.client_id,
        client_certificate=key_pem(rsa_key()) + pem(world.certificate),
        user_assertion=assertion,
        authority=server.url,
        disable_instance_discovery=True,
        connection_verify=server.ca_file,
        **options,
    )


def test_msal_exchanges_a_users_token_and_refreshes_it(served_now: Served, user: User) -> None:
    world, _ = served_now
    client = msal_client(served_now)
    result = client.acquire_token_on_behalf_of(world.entra.issue_user_token(user, world.application), [READ])
    assert unverified(result["access_token"])["oid"] == user.object_id
    assert result["id_token_claims"]["preferred_username"] == user.user_principal_name
    (account,) = client.get_accounts()
    assert account["home_account_id"] == f"{user.object_id}.{user.tenant_id}"
    cached = client.acquire_token_silent([READ], account)
    assert cached["access_token"] == result["access_token"]
    refreshed = client.acquire_token_silent([READ], account, force_refresh=True)
    assert unverified(refreshed["access_token"])["scp"] == "Orders.Read"
    assert [entry.form["grant_type"].rpartition(":")[2] for entry in world.entra.requests] == [
        "jwt-bearer",
        "refresh_token",
    ]


def test_msal_passes_a_demand_of_the_resource_on(served_now: Served, user: User) -> None:
    world, _ = served_now
    claims = world.entra.require_step_up(PROTECTED_RESOURCE)
    token = world.entra.issue_user_token(user, world.application)
    result = msal_client(served_now).acquire_token_on_behalf_of(token, [READ])
    assert (result["error"], result["error_codes"]) == ("interaction_required", [50076])
    assert (result["claims"], result["suberror"]) == (claims, "basic_action")
    answer = world.entra.issue_user_token(user, world.application, claims=claims)
    assert "access_token" in msal_client(served_now).acquire_token_on_behalf_of(answer, [READ])


def test_azure_identity_exchanges_a_users_token(served_now: Served, user: User) -> None:
    world, _ = served_now
    assertion = world.entra.issue_user_token(user, world.application, version=1)
    with on_behalf_of(served_now, azure.identity, assertion) as credential:
        token = credential.get_token(READ).token
        assert credential.get_token(READ).token == token
    assert unverified(token)["upn"] == user.user_principal_name
    assert world.get("/protected/user/Orders.Read", authorization=f"Bearer {token}").status == 200
    assert len(world.entra.requests) == 1


def test_azure_identity_exchanges_a_users_token_under_asyncio(served_now: Served, user: User) -> None:
    world, _ = served_now
    assertion = world.entra.issue_user_token(user, world.application)

    async def main() -> str:
        async with on_behalf_of(served_now, azure.identity.aio, assertion) as credential:
            return str((await credential.get_token(READ)).token)

    assert unverified(asyncio.run(main()))["oid"] == user.object_id


def test_azure_identity_says_why_it_was_refused(served_now: Served, user: User) -> None:
    world, _ = served_now
    other = world.entra.add_application()
    with (
        on_behalf_of(served_now, azure.identity, world.entra.issue_user_token(user, other)) as credential,
        pytest.raises(ClientAuthenticationError, match="AADSTS500131"),
    ):
        credential.get_token(READ)


def test_azure_identity_presents_a_federated_assertion(served_now: Served) -> None:
    world, server = served_now
    application = world.entra.add_application()
    subject = world.application.fmi_subject("workers/7")
    application.trust_federated(issuer=f"{server.url}/{world.application.tenant_id}/v2.0", subject=subject)
    assertion = world.token(EXCHANGE, fmi_path="workers/7")
    with azure.identity.ClientAssertionCredential(
        application.tenant_id,
        application.client_id,
        lambda: assertion,
        authority=server.url,
        disable_instance_discovery=True,
        connection_verify=server.ca_file,
    ) as credential:
        token = credential.get_token("https://storage.azure.com/.default").token
    assert unverified(token)["appid"] == application.client_id


@pytest.mark.parametrize(
    "path",
    ["/contoso.onmicrosoft.com/b2c_1_signin", "/tfp/contoso.onmicrosoft.com/b2c_1_signin"],
    ids=["b2c", "tfp"],
)
def test_msal_finds_b2c_by_its_policy(served_now: Served, path: str) -> None:
    world, server = served_now
    client = msal_client(served_now, authority=f"{server.url}{path}", instance_discovery=None, validate_authority=False)
    result = client.acquire_token_for_client(["https://storage.azure.com/.default"])
    assert "access_token" in result, result
    assert world.entra.requests[-1].url == f"{server.url}{path}/oauth2/v2.0/token"


@pytest.mark.parametrize("region", ["westeurope", True], ids=["named", "detected"])
def test_msal_posts_to_a_region_what_it_has_signed_for_the_central_host(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch, region: str | bool
) -> None:
    monkeypatch.delenv("REGION_NAME", raising=False)
    world = make_world(clock=time.time)
    world.entra.instance_metadata.location = "westeurope"
    client = msal.ConfidentialClientApplication(
        world.application.client_id,
        client_credential={"private_key": key_pem(rsa_key()).decode(), "thumbprint": sha1(world.certificate).hex()},
        authority=f"{HOST}/{world.application.tenant_id}",
        instance_discovery=False,
        azure_region=region,
        http_client=InProcess(world),
    )
    result = client.acquire_token_for_client(["https://storage.azure.com/.default"])
    assert "access_token" in result, result
    (entry,) = world.entra.requests
    assert entry.url.startswith("https://westeurope.login.microsoft.com/")
    assert entry.assertion_claims is not None
    assert entry.assertion_claims["aud"] == world.token_url


def test_msal_finds_ciam_by_its_name(make_world: Callable[..., World]) -> None:
    world = make_world(clock=time.time)
    client = msal.ConfidentialClientApplication(
        world.application.client_id,
        client_credential={"private_key": key_pem(rsa_key()).decode(), "thumbprint": sha1(world.certificate).hex()},
        authority="https://contoso.ciamlogin.com",
        http_client=InProcess(world),
    )
    assert "access_token" in client.acquire_token_for_client(["https://storage.azure.com/.default"])
    assert world.entra.requests[-1].url.startswith("https://contoso.ciamlogin.com/")


def test_msal_takes_dsts_for_an_openid_provider(served_now: Served) -> None:
    world, server = served_now
    authority = f"{server.url}/dstsv2/{world.application.tenant_id}"
    client = msal_client(served_now, authority=None, oidc_authority=authority, instance_discovery=None)
    result = client.acquire_token_for_client(["https://storage.azure.com/.default"])
    assert "access_token" in result, result
    assert world.entra.requests[-1].url == f"{authority}/oauth2/v2.0/token"
