"""The resource behind the tokens verifies as a real one does, and can challenge."""

from __future__ import annotations

import base64
import json

import jwt
import pytest

from azure_certvar_credential.testing import PROTECTED_RESOURCE, signing
from tests.testing.kit import HOST, NOW, World, rsa_key

SCOPE = f"{PROTECTED_RESOURCE}/.default"


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("path", ["/protected", "/protected/orders/7"])
def test_a_caller_with_a_token_learns_who_it_is(world: World, path: str, version: int) -> None:
    world.entra.add_resource(PROTECTED_RESOURCE, token_version=version)
    response = world.get(path, **bearer(world.token(SCOPE)))
    body = response.json()
    assert response.status == 200
    assert (body["appid"], body["tid"]) == (world.application.client_id, world.application.tenant_id)
    assert (body["path"], body["ver"]) == (path, f"{version}.0")


@pytest.mark.parametrize("headers", [{}, {"authorization": "Basic dTpw"}, {"authorization": "Bearer "}])
def test_without_a_bearer_token_it_says_where_to_get_one(world: World, headers: dict[str, str]) -> None:
    response = world.get("/protected", **headers)
    assert response.status == 401
    assert response.headers["WWW-Authenticate"] == f'Bearer authorization_uri="{HOST}/common/oauth2/authorize"'


def forged(world: World, **changes: object) -> str:
    """A token with our own signature under changed claims; None takes one away."""
    claims = jwt.decode(world.token(SCOPE), options={"verify_signature": False})
    claims = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    return jwt.encode(claims, signing.signing_key().private_key, algorithm="RS256")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"aud": "https://storage.azure.com"}, "Audience doesn't match"),
        ({"exp": NOW}, "not valid at this time"),
        ({"nbf": NOW + 1}, "not valid at this time"),
        ({"tid": "00000000-0000-4000-8000-000000000000"}, "tenant is unknown"),
        ({"uti": None}, "missing the 'uti' claim"),
    ],
)
def test_a_token_for_somebody_or_something_else_is_refused(
    world: World, changes: dict[str, object], reason: str
) -> None:
    assert world.get("/protected", **bearer(forged(world))).status == 200
    response = world.get("/protected", **bearer(forged(world, **changes)))
    assert response.status == 401
    challenge = response.headers["WWW-Authenticate"].replace("\\", "")
    assert 'error="invalid_token"' in challenge
    assert reason.replace('"', "'") in challenge


def test_a_token_of_another_key_is_refused(world: World) -> None:
    claims = jwt.decode(world.token(SCOPE), options={"verify_signature": False})
    response = world.get("/protected", **bearer(jwt.encode(claims, rsa_key(), algorithm="RS256")))
    assert response.status == 401
    assert "Signature verification failed" in response.headers["WWW-Authenticate"]


def test_an_expired_token_is_refused_by_the_emulators_clock(world: World) -> None:
    token = world.token(SCOPE)
    world.clock.advance(3598)
    assert world.get("/protected", **bearer(token)).status == 200
    world.clock.advance(1)
    assert world.get("/protected", **bearer(token)).status == 401


def test_a_challenge_is_met_only_by_a_token_issued_in_answer_to_it(world: World) -> None:
    claims = world.entra.challenge_next()
    assert json.loads(claims) == {"access_token": {"nbf": {"essential": True, "value": str(NOW)}}}
    early = world.token(SCOPE)
    response = world.get("/protected", **bearer(early))
    encoded = base64.b64encode(claims.encode()).decode()
    assert response.status == 401
    assert response.headers["WWW-Authenticate"] == (
        f'Bearer realm="", authorization_uri="{HOST}/common/oauth2/authorize", '
        f'error="insufficient_claims", claims="{encoded}"'
    )
    merged = json.loads(claims)
    merged["access_token"]["xms_cc"] = {"values": ["CP1"]}
    answer = world.token(SCOPE, claims=json.dumps(merged))
    assert world.get("/protected", **bearer(answer)).status == 200
    assert world.get("/protected", **bearer(early)).status == 401
    assert world.get("/protected", **bearer(world.token(SCOPE))).status == 401


def test_a_second_challenge_is_not_met_by_the_answer_to_the_first(world: World) -> None:
    claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'
    assert world.entra.challenge_next(claims) == claims
    first = world.token(SCOPE, claims=claims)
    assert world.get("/protected", **bearer(first)).status == 200
    world.entra.challenge_next(claims)
    assert world.get("/protected", **bearer(first)).status == 401
    assert world.get("/protected", **bearer(world.token(SCOPE, claims=claims))).status == 200


@pytest.mark.parametrize("claims", ["", "[]", "{}", '{"access_token":{}}', '{"access_token":5}'])
def test_a_challenge_has_to_ask_for_something(world: World, claims: str) -> None:
    with pytest.raises(ValueError, match="claims"):
        world.entra.challenge_next(claims)


@pytest.fixture
def delegated(world: World) -> str:
    """A token on a user's behalf, with one permission."""
    assertion = world.entra.issue_user_token(world.entra.add_user(), world.application)
    response = world.post(world.obo_form(assertion, f"{PROTECTED_RESOURCE}/Orders.Read"))
    return str(response.json()["access_token"])


@pytest.mark.parametrize("path", ["/protected", "/protected/user", "/protected/user/Orders.Read/7"])
def test_a_delegated_token_says_who_is_behind_it(world: World, delegated: str, path: str) -> None:
    response = world.get(path, **bearer(delegated))
    body = response.json()
    assert response.status == 200
    assert (body["name"], body["scp"]) == ("Adele Vance", "Orders.Read")
    assert body["upn"] == "adele.vance@contoso.onmicrosoft.com"


@pytest.mark.parametrize(
    ("path", "needed"),
    [("/protected/user", ""), ("/protected/user/Orders.Write", ', scope="Orders.Write"')],
)
def test_a_token_that_does_not_allow_it_is_refused_and_told_why(
    world: World, delegated: str, path: str, needed: str
) -> None:
    token = delegated if needed else world.token(SCOPE)
    response = world.get(path, **bearer(token))
    assert response.status == 403
    assert response.json() == {"error": "forbidden"}
    assert response.headers["WWW-Authenticate"].endswith(f'error="insufficient_scope"{needed}')


def test_where_users_are_wanted_a_foreign_token_is_none(world: World) -> None:
    user = world.entra.issue_user_token(world.entra.add_user(), world.application)
    assert world.get("/protected/user", **bearer(user)).status == 401
    assert world.get("/protected/user").status == 401
