"""A middle tier exchanges a user's token for one of a downstream resource."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest

from azure_certvar_credential.testing import PROTECTED_RESOURCE, signing
from tests.testing.entra.grants.middle_tier import MAIL, SEND, exchange, user_token
from tests.testing.entra.refusals import GRANT, check
from tests.testing.kit import HOST, NOW, World, refused, unverified


@pytest.mark.parametrize("version", [1, 2])
def test_the_answer_is_a_token_of_the_user_for_the_downstream_resource(world: World, version: int) -> None:
    world.entra.add_resource(PROTECTED_RESOURCE, token_version=version)
    user = world.entra.add_user("Lee Gu")
    response = exchange(world, token={"user": user})
    body = response.json()
    assert response.status == 200, body
    assert set(body) == {"token_type", "scope", "expires_in", "ext_expires_in", "access_token"}
    assert body["scope"] == "api://protected/user_impersonation api://protected/.default"
    claims = unverified(body["access_token"])
    assert (claims["oid"], claims["tid"], claims["name"]) == (user.object_id, user.tenant_id, "Lee Gu")
    assert (claims["scp"], claims["ver"]) == ("user_impersonation", f"{version}.0")
    assert not {"roles", "idp", "idtyp"} & set(claims)
    if version == 1:
        assert claims["aud"] == PROTECTED_RESOURCE
        assert claims["upn"] == claims["unique_name"] == "lee.gu@contoso.onmicrosoft.com"
        assert (claims["appid"], claims["appidacr"], claims["amr"]) == (world.application.client_id, "2", ["pwd"])
    else:
        assert claims["preferred_username"] == "lee.gu@contoso.onmicrosoft.com"
        assert (claims["azp"], claims["azpacr"]) == (world.application.client_id, "2")
        assert not {"upn", "amr", "appid"} & set(claims)


def test_the_subject_of_a_user_is_another_one_for_every_application(world: World) -> None:
    user = world.entra.add_user()
    tokens = [
        exchange(world, scope, token={"user": user}).json()["access_token"] for scope in (MAIL, SEND, "api://a/b")
    ]
    subjects = [unverified(token)["sub"] for token in tokens]
    assert subjects[0] == subjects[1] != subjects[2]
    assert user.object_id not in subjects


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("uris", [(), ("https://contoso.com/orders/",)], ids=["api", "a URI of its own"])
def test_the_token_of_the_front_end_is_for_the_middle_tier(world: World, version: int, uris: tuple[str, ...]) -> None:
    application = world.entra.add_application(world.certificate, identifier_uris=uris)
    middle = World(world.clock, world.entra, world.certificate, application)
    token = user_token(middle, version=version, scopes=("access_as_user", "Orders.Read"))
    claims = unverified(token)
    name = uris[0].rstrip("/") if uris else f"api://{application.client_id}"
    assert claims["aud"] == (name if version == 1 else application.client_id)
    assert claims["scp"] == "access_as_user Orders.Read"
    assert (claims["iat"], claims["exp"]) == (NOW, NOW + 3599)
    assert claims.get("azpacr", claims.get("appidacr")) == "0"
    assert exchange(middle, assertion=token).status == 200
    assert refused(exchange(world, assertion=token)) == (400, "invalid_grant", [500131])


def test_the_front_ends_token_is_issued_by_the_authority_that_is_named(world: World) -> None:
    token = user_token(world, authority="https://localhost:8443/")
    assert unverified(token)["iss"] == f"https://localhost:8443/{world.application.tenant_id}/v2.0"
    assert unverified(user_token(world, version=1, user=world.entra.add_user("B")))["iss"].startswith("https://sts.")


def test_several_permissions_of_one_resource_can_be_asked_for(world: World) -> None:
    body = exchange(world, f"{MAIL} {SEND} openid profile").json()
    assert body["scope"] == f"{MAIL} {SEND}"
    claims = unverified(body["access_token"])
    assert (claims["aud"], claims["scp"]) == ("https://graph.microsoft.com", "Mail.Read Mail.Send")
    assert claims["idtyp"] == "user"


def test_a_permission_without_a_resource_is_one_of_graph(world: World) -> None:
    assert exchange(world, "Mail.Read").json()["scope"] == MAIL


def test_an_id_token_and_client_info_come_when_they_are_asked_for(world: World) -> None:
    user = world.entra.add_user()
    body = exchange(world, f"{MAIL} openid", client_info="1", token={"user": user}).json()
    claims = jwt.decode(
        body["id_token"],
        signing.signing_key().private_key.public_key(),
        algorithms=["RS256"],
        audience=world.application.client_id,
        issuer=f"{HOST}/{user.tenant_id}/v2.0",
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
    )
    assert (claims["oid"], claims["preferred_username"]) == (user.object_id, user.user_principal_name)
    info = body["client_info"]
    assert json.loads(jwt.utils.base64url_decode(info)) == {"uid": user.object_id, "utid": user.tenant_id}


def test_consent_decides_which_permissions_there_are(world: World) -> None:
    application = world.entra.add_application(world.certificate, delegated_scopes=[MAIL])
    middle = World(world.clock, world.entra, world.certificate, application)
    token = user_token(middle)
    default = "https://graph.microsoft.com/.default"
    assert exchange(middle, default, assertion=token).json()["scope"] == f"{MAIL} {default}"
    assert exchange(middle, MAIL.lower(), assertion=token).json()["scope"] == MAIL
    for scope in (SEND, f"{MAIL} {SEND}", "api://protected/.default"):
        response = exchange(middle, scope, assertion=token)
        check(response, (65001, *GRANT), f"consented to use the application with ID '{application.client_id}'")
        assert response.json()["suberror"] == "consent_required"
    application.consent(SEND)
    claims = unverified(exchange(middle, default, assertion=token).json()["access_token"])
    assert claims["scp"] == "Mail.Read Mail.Send"


def test_consent_for_one_resource_is_none_for_another_whose_name_it_begins_with(world: World) -> None:
    application = world.entra.add_application(world.certificate, delegated_scopes=["api://orders/archive/Read"])
    middle = World(world.clock, world.entra, world.certificate, application)
    token = user_token(middle)
    assert exchange(middle, "api://orders/archive/.default", assertion=token).status == 200
    for scope in ("api://orders/.default", "api://orders/Read", "api://orders/archive/read/.default"):
        assert refused(exchange(middle, scope, assertion=token))[2] == [65001]


def test_an_application_with_every_permission_needs_no_consent(world: World) -> None:
    world.application.consent(MAIL)
    assert world.application.consented_scopes is None


@pytest.mark.parametrize("code", [50076, 50079])
@pytest.mark.parametrize("claims", [None, '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'])
def test_a_resource_can_demand_more_of_a_user(world: World, code: int, claims: str | None) -> None:
    user = world.entra.add_user()
    early = user_token(world, user=user)
    demanded = world.entra.require_step_up("api://Protected/", code=code, claims=claims)
    assert claims in (None, demanded)
    response = exchange(world, assertion=early)
    check(response, (code, "interaction_required", 400), "multi-factor authentication")
    assert response.json()["claims"] == demanded
    assert response.json()["suberror"] == "basic_action"
    # The middle tier cannot answer for the user.
    assert refused(exchange(world, assertion=early, claims=demanded))[2] == [code]
    assert exchange(world, MAIL, assertion=early).status == 200
    answer = user_token(world, user=user, claims=demanded, version=1)
    assert unverified(answer)["amr"] == ["pwd", "mfa"]
    token = exchange(world, assertion=answer).json()["access_token"]
    assert unverified(token)["amr"] == ["pwd", "mfa"]
    world.entra.lift_step_up(PROTECTED_RESOURCE)
    assert exchange(world, assertion=early).status == 200


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"code": 50074}, "not 50074"),
        ({"claims": "{}"}, "requests nothing"),
        ({"claims": "{"}, "not JSON"),
    ],
)
def test_a_demand_has_to_be_one(world: World, options: dict[str, Any], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        world.entra.require_step_up(PROTECTED_RESOURCE, **options)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"scopes": ()}, "at least one scope"),
        ({"version": 3}, "must be 1 or 2, not 3"),
        ({"claims": "["}, "not JSON"),
    ],
)
def test_a_user_token_has_to_be_possible(world: World, options: dict[str, Any], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        user_token(world, **options)


def test_users_have_names_of_their_own(world: World) -> None:
    world.entra.add_user()
    with pytest.raises(ValueError, match=r"a user already has the name adele\.vance@contoso\.onmicrosoft\.com"):
        world.entra.add_user("ADELE  Vance")
    tenant = world.entra.add_tenant()
    user = world.entra.add_user(tenant=tenant)
    assert user.user_principal_name == f"adele.vance@{tenant.tenant_id}.onmicrosoft.com"


def test_what_is_secret_is_not_recorded(world: World) -> None:
    token = user_token(world)
    response = exchange(world, "api://protected/.default offline_access", assertion=token)
    entry = world.entra.requests[-1]
    assert entry.form["requested_token_use"] == "on_behalf_of"
    assert "assertion" not in entry.form
    assert token not in repr(entry)
    refresh_token = response.json()["refresh_token"]
    world.post(world.form(grant_type="refresh_token", refresh_token=refresh_token))
    assert "refresh_token" not in world.entra.requests[-1].form
    assert refresh_token not in repr(world.entra.requests[-1])
