"""Clients and resource servers find everything from the authority alone."""

from __future__ import annotations

import pytest

from tests.testing.kit import HOST, World, refused


@pytest.mark.parametrize("name", ["id", "contoso.onmicrosoft.com"])
def test_the_metadata_of_version_2_leads_to_the_endpoint(world: World, name: str) -> None:
    tenant_id = world.entra.tenant.tenant_id
    name = tenant_id if name == "id" else name
    body = world.get(f"/{name}/v2.0/.well-known/openid-configuration").json()
    assert body["issuer"] == f"{HOST}/{tenant_id}/v2.0"
    assert body["token_endpoint"] == f"{HOST}/{tenant_id}/oauth2/v2.0/token" == world.token_url
    assert body["authorization_endpoint"] == f"{HOST}/{tenant_id}/oauth2/v2.0/authorize"
    assert world.get(body["jwks_uri"].removeprefix(HOST)).json()["keys"]


def test_the_metadata_of_version_1_has_the_issuer_of_its_tokens(world: World) -> None:
    tenant_id = world.entra.tenant.tenant_id
    body = world.get(f"/{tenant_id}/.well-known/openid-configuration").json()
    assert body["issuer"] == f"https://sts.windows.net/{tenant_id}/"
    assert body["jwks_uri"] == f"{HOST}/common/discovery/keys"
    assert world.get("/common/discovery/keys").json() == world.get(f"/{tenant_id}/discovery/v2.0/keys").json()


def test_the_shared_metadata_leaves_the_tenant_open(world: World) -> None:
    body = world.get("/common/v2.0/.well-known/openid-configuration").json()
    assert body["issuer"] == f"{HOST}/{{tenantid}}/v2.0"
    assert body["token_endpoint"] == f"{HOST}/common/oauth2/v2.0/token"


def test_an_unknown_tenant_has_no_metadata(world: World) -> None:
    response = world.get("/fabrikam.com/v2.0/.well-known/openid-configuration")
    assert refused(response) == (400, "invalid_request", [90002])


def test_adfs_has_metadata_of_its_own(world: World) -> None:
    body = world.get("/adfs/.well-known/openid-configuration").json()
    assert body["token_endpoint"] == f"{HOST}/adfs/oauth2/token"
    assert world.get("/adfs/discovery/keys").json()["keys"]


def test_instance_discovery_names_the_host_that_was_called(world: World) -> None:
    world.base = "https://localhost:8443"
    endpoint = f"https://localhost/{world.entra.tenant.tenant_id}/oauth2/v2.0/authorize"
    body = world.get(f"/common/discovery/instance?api-version=1.1&authorization_endpoint={endpoint}").json()
    assert body["tenant_discovery_endpoint"] == (
        f"https://localhost:8443/{world.entra.tenant.tenant_id}/v2.0/.well-known/openid-configuration"
    )
    assert body["metadata"][0]["aliases"] == ["localhost:8443"]
    shared = world.get("/common/discovery/instance").json()
    assert shared["tenant_discovery_endpoint"].startswith("https://localhost:8443/common/")
