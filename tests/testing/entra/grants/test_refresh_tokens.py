"""A refresh token stands for the user's sign-in, for one application in one tenant, until it ends."""

from __future__ import annotations

from typing import Any

import pytest

from azure_certvar_credential.testing import PROTECTED_RESOURCE, Response, User
from azure_certvar_credential.testing.entra.grants import sessions
from tests.testing.entra.grants.middle_tier import MAIL
from tests.testing.entra.refusals import GRANT, check
from tests.testing.kit import DAY, HOST, World, refused, unverified


def begin(world: World, user: User | None = None, scope: str = f"{MAIL} offline_access") -> str:
    assertion = world.entra.issue_user_token(user or world.entra.add_user(), world.application)
    return str(world.post(world.obo_form(assertion, scope)).json()["refresh_token"])


def refresh(world: World, token: str | None, **changes: Any) -> Response:
    url = changes.pop("url", None)
    form = world.form(**{"grant_type": "refresh_token", "refresh_token": token, "scope": None, **changes})
    return world.post(form, url=url)


def test_the_scope_offline_access_requests_one(world: World) -> None:
    assertion = world.entra.issue_user_token(world.entra.add_user(), world.application)
    assert "refresh_token" not in world.post(world.obo_form(assertion, MAIL)).json()
    assert "refresh_token" in world.post(world.obo_form(assertion, f"offline_access {MAIL}")).json()


def test_it_earns_the_next_token_of_the_same_user_and_the_next_refresh_token(world: World) -> None:
    user = world.entra.add_user()
    first = begin(world, user)
    body = refresh(world, first).json()
    claims = unverified(body["access_token"])
    assert (claims["oid"], claims["scp"], body["scope"]) == (user.object_id, "Mail.Read", MAIL)
    assert body["refresh_token"] not in (None, first)
    # Entra leaves the old one valid.
    assert refresh(world, first).status == refresh(world, body["refresh_token"]).status == 200


def test_it_earns_tokens_of_other_resources(world: World) -> None:
    body = refresh(world, begin(world), scope="api://protected/Orders.Read").json()
    assert unverified(body["access_token"])["aud"] == PROTECTED_RESOURCE
    assert "refresh_token" not in body


def test_it_outlives_the_users_assertion(world: World) -> None:
    token = begin(world)
    world.clock.advance(DAY)
    assert refresh(world, token).status == 200


def test_it_needs_the_consent_of_the_user_still(world: World) -> None:
    application = world.entra.add_application(world.certificate, delegated_scopes=[MAIL])
    middle = World(world.clock, world.entra, world.certificate, application)
    assert refused(refresh(middle, begin(middle), scope="https://graph.microsoft.com/Mail.Send"))[2] == [65001]


def test_a_demand_of_the_resource_holds_for_it_too(world: World) -> None:
    user = world.entra.add_user()
    early = begin(world, user, "api://protected/A offline_access")
    claims = world.entra.require_step_up(PROTECTED_RESOURCE)
    response = refresh(world, early)
    check(response, (50076, "interaction_required", 400), "multi-factor")
    assert response.json()["claims"] == claims
    assertion = world.entra.issue_user_token(user, world.application, claims=claims)
    body = world.post(world.obo_form(assertion, "api://protected/A offline_access")).json()
    assert refresh(world, body["refresh_token"]).status == 200


def test_it_has_to_be_there(world: World) -> None:
    check(refresh(world, None), (900144, "invalid_request", 400), "'refresh_token'")
    check(refresh(world, "1.garbage"), (70000, *GRANT), "'refresh_token' is not valid")


def test_it_is_bound_to_its_application(world: World) -> None:
    other = World(world.clock, world.entra, world.certificate, world.entra.add_application(world.certificate))
    check(refresh(other, begin(world)), (700007, *GRANT), "issued for a different client id")


def test_it_is_bound_to_its_tenant(world: World) -> None:
    tenant = world.entra.add_tenant(domains=("fabrikam.com",))
    world.application.add_service_principal(tenant)
    url = f"{HOST}/fabrikam.com/oauth2/v2.0/token"
    assertion = world.assertion(claims={"aud": url})
    check(refresh(world, begin(world), url=url, client_assertion=assertion), (700005, *GRANT), "another tenant")


def test_it_ends_after_its_time(world: World) -> None:
    token = begin(world)
    world.entra.settings.refresh_token_lifetime = 60
    world.clock.advance(59)
    assert refresh(world, token).status == 200
    world.clock.advance(1)
    check(refresh(world, token), (700082, *GRANT), r"issued on 2027-01-15T08:00:00\.0000000Z and was inactive for")


def test_it_can_be_revoked_for_a_user_and_for_all(world: World) -> None:
    adele, lee = world.entra.add_user(), world.entra.add_user("Lee Gu")
    of_adele, of_lee = begin(world, adele), begin(world, lee)
    assert world.entra.revoke_refresh_tokens(adele) == 1
    check(refresh(world, of_adele), (50173, *GRANT), "expired due to it being revoked")
    assert refresh(world, of_lee).status == 200
    assert refresh(world, begin(world, adele)).status == 200
    assert world.entra.revoke_refresh_tokens() >= 2
    assert refused(refresh(world, of_lee))[2] == [50173]
    assert world.entra.revoke_refresh_tokens() == 0


def test_only_so_many_are_remembered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "_MAX_REFRESH_TOKENS", 1)
    user = world.entra.add_user()
    old, new = begin(world, user), begin(world, user)
    assert refused(refresh(world, old))[2] == [70000]
    assert refresh(world, new).status == 200
