"""Every kind of authority is there under its own paths, with its own rules and metadata."""

from __future__ import annotations

from typing import Any

import pytest

from azure_certvar_credential.testing import Request, Response
from tests.testing.kit import HOST, World, b64url, refused, rsa_key, sha1, sign, unverified

B2C = "https://contoso.b2clogin.com"
CIAM = "https://contoso.ciamlogin.com"
DSTS = "https://prod-dsts.dsts.core.windows.net"
NAME = "contoso.onmicrosoft.com"


def send(
    world: World, url: str, header: dict[str, Any] | None = None, scope: str = "api://orders/.default"
) -> Response:
    """Post to a token endpoint, with its URL for an audience."""
    return world.post(world.form(client_assertion=world.assertion(header, {"aud": url}), scope=scope), url=url)


def discover(world: World, authority: str) -> dict[str, Any]:
    response = world.entra.handle(Request("GET", f"{authority}/.well-known/openid-configuration"))
    assert response.status == 200, response.body
    body: dict[str, Any] = response.json()
    return body


AUTHORITIES = {
    "Entra": f"{HOST}/{NAME}/v2.0",
    "a region": f"https://westeurope.login.microsoft.com/{NAME}/v2.0",
    "a sovereign cloud": f"https://login.microsoftonline.us/{NAME}/v2.0",
    "CIAM": f"{CIAM}/{NAME}/v2.0",
    "CIAM by id": f"{CIAM}/TENANT/v2.0",
    "B2C": f"{B2C}/{NAME}/B2C_1_signin/v2.0",
    "B2C with tfp": f"{B2C}/tfp/{NAME}/B2C_1A_Custom/v2.0",
}
# The issuer that each has, by what Microsoft's metadata says; that of a region is unconfirmed.
ISSUERS = {
    "Entra": f"{HOST}/TENANT/v2.0",
    "a region": f"{HOST}/TENANT/v2.0",
    "a sovereign cloud": "https://login.microsoftonline.us/TENANT/v2.0",
    "CIAM": "https://TENANT.ciamlogin.com/TENANT/v2.0",
    "CIAM by id": "https://TENANT.ciamlogin.com/TENANT/v2.0",
    "B2C": f"{B2C}/TENANT/v2.0/",
    "B2C with tfp": f"{B2C}/tfp/TENANT/b2c_1a_custom/v2.0/",
}


@pytest.mark.parametrize("kind", AUTHORITIES)
def test_the_metadata_leads_to_an_endpoint_that_issues_what_it_says(world: World, kind: str) -> None:
    tenant_id = world.application.tenant_id
    world.entra.add_resource("api://orders", token_version=2)
    authority = AUTHORITIES[kind].replace("TENANT", tenant_id)
    metadata = discover(world, authority)
    base = "/".join(authority.split("/")[:3])
    assert metadata["issuer"] == ISSUERS[kind].replace("TENANT", tenant_id)
    for name in ("token_endpoint", "jwks_uri", "authorization_endpoint"):
        assert metadata[name].startswith(f"{base}/")
    response = send(world, metadata["token_endpoint"])
    assert response.status == 200, response.body
    assert unverified(response.json()["access_token"])["iss"] == metadata["issuer"]
    assert world.entra.handle(Request("GET", metadata["jwks_uri"])).json()["keys"]
    assert world.entra.requests[-1].url == metadata["token_endpoint"]


@pytest.mark.parametrize("suffix", ["", "/v2.0"])
def test_dsts_has_metadata_with_and_without_a_version(world: World, suffix: str) -> None:
    metadata = discover(world, f"{DSTS}/dstsv2/{world.application.tenant_id}{suffix}")
    assert metadata["token_endpoint"] == f"{DSTS}/dstsv2/{world.application.tenant_id}/oauth2/v2.0/token"
    assert metadata["token_endpoint_auth_signing_alg_values_supported"] == ["RS256"]
    x5t = b64url(sha1(world.certificate))
    token = send(world, metadata["token_endpoint"], {"alg": "RS256", "x5t": x5t, "x5t_s256": None})
    assert unverified(token.json()["access_token"])["iss"] == metadata["issuer"]


def test_dsts_takes_rs256_and_a_sha1_thumbprint_only(world: World) -> None:
    url = f"{DSTS}/dstsv2/{world.application.tenant_id}/oauth2/v2.0/token"
    x5t = b64url(sha1(world.certificate))
    assert refused(send(world, url, {"alg": "PS256", "x5t": x5t})) == (401, "invalid_client", [5002738])
    assert refused(send(world, url, {"alg": "RS256"})) == (401, "invalid_client", [5002723])
    assert world.entra.requests[-1].tenant == world.application.tenant_id


def test_adfs_names_the_issuer_of_its_tokens(world: World) -> None:
    base = "https://adfs.contoso.com"
    metadata = discover(world, f"{base}/adfs")
    x5t = b64url(sha1(world.certificate))
    token = send(world, metadata["token_endpoint"], {"alg": "RS256", "x5t": x5t, "x5t_s256": None})
    assert unverified(token.json()["access_token"])["iss"] == metadata["issuer"] == f"{base}/adfs"
    assert world.entra.requests[-1].url == f"{base}/adfs/oauth2/token"


@pytest.mark.parametrize("path", ["/NAME/b2c_1_x/oauth2/v2.0/token", "/tfp/NAME/b2c_1_x/oauth2/v2.0/token"])
def test_b2c_takes_its_own_endpoint_for_an_audience_and_no_other(world: World, path: str) -> None:
    url = B2C + path.replace("NAME", NAME)
    assert send(world, url).status == 200
    form = world.form(client_assertion=world.assertion(claims={"aud": f"{B2C}/{NAME}/v2.0"}))
    assert refused(world.post(form, url=url)) == (401, "invalid_client", [700023])


@pytest.mark.parametrize(
    ("called", "signed_for", "status"),
    [
        ("westeurope.login.microsoft.com", "login.microsoftonline.com", 200),
        ("westeurope.login.microsoft.com", "login.windows.net", 200),
        ("westeurope.login.microsoft.com", "login.microsoftonline.us", 401),
        ("usgovvirginia.login.microsoftonline.us", "login.microsoftonline.us", 200),
        ("usgovvirginia.login.microsoftonline.us", "login.microsoftonline.com", 401),
        ("login.microsoftonline.com", "westeurope.login.microsoft.com", 401),
        ("login.microsoftonline.com", "login.microsoftonline.us", 401),
        ("contoso.b2clogin.com", "b2clogin.com", 401),
    ],
)
def test_a_region_takes_what_was_signed_for_its_central_host(
    world: World, called: str, signed_for: str, status: int
) -> None:
    path = f"{NAME}/oauth2/v2.0/token"
    assertion = world.assertion(claims={"aud": f"https://{signed_for}/{path}"})
    assert world.post(world.form(client_assertion=assertion), url=f"https://{called}/{path}").status == status


@pytest.mark.parametrize(
    "path",
    [
        "/adfs/oauth2/v2.0/token",
        "/NAME/oauth2/token",
        "/dstsv2/NAME/oauth2/token",
        "/NAME/policy/oauth2/v2.0/token",
        "/tfp/NAME/oauth2/v2.0/token",
        "/tfp/NAME/b2c_1_x/y/oauth2/v2.0/token",
        "/oauth2/v2.0/token",
        "//oauth2/v2.0/token",
        "/NAME/oauth2/v2.0/token/",
    ],
)
def test_a_path_of_no_authority_is_not_found(world: World, path: str) -> None:
    response = send(world, HOST + path.replace("NAME", NAME))
    assert response.status == 404
    assert len(world.entra.requests) == 0


@pytest.mark.parametrize("prefix", ["/dstsv2/fabrikam.com", "/tfp/fabrikam.com/b2c_1_x", "/fabrikam.com/b2c_1_x"])
def test_an_unknown_tenant_is_refused_everywhere(world: World, prefix: str) -> None:
    metadata = world.get(f"{prefix}/v2.0/.well-known/openid-configuration")
    assert refused(metadata) == (400, "invalid_request", [90002])
    assert refused(send(world, f"{HOST}{prefix}/oauth2/v2.0/token")) == (400, "invalid_request", [90002])


def test_a_token_of_an_authority_stands_for_it_in_a_federated_credential(world: World) -> None:
    url = f"{CIAM}/{NAME}/oauth2/v2.0/token"
    token = send(world, url, scope="api://AzureADTokenExchange/.default").json()["access_token"]
    application = world.entra.add_application()
    application.trust_federated(issuer=unverified(token)["iss"], subject=unverified(token)["sub"])
    assert world.post(world.form(client_id=application.client_id, client_assertion=token)).status == 200
    tampered = sign({"alg": "RS256"}, {**unverified(token), "exp": 1}, rsa_key())
    assert refused(world.post(world.form(client_id=application.client_id, client_assertion=tampered)))[2] == [700027]
