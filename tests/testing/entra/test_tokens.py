"""The answer to a good request: body, headers, and a token that a resource server can verify."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import pytest

from azure_certvar_credential.testing import signing
from azure_certvar_credential.testing.entra import tokens
from azure_certvar_credential.testing.entra.directory import resources
from tests.testing.kit import HOST, NOW, STORAGE, World, certificate, refused, rsa_key

CP1 = json.dumps({"access_token": {"xms_cc": {"values": ["CP1"]}}})


def verified(world: World, token: str, audience: str) -> dict[str, Any]:
    """Verify a token as a resource server does: with the key that the published set has under its ``kid``."""
    keys = jwt.PyJWKSet.from_dict(world.get(f"/{world.application.tenant_id}/discovery/v2.0/keys").json())
    claims: dict[str, Any] = jwt.decode(
        token,
        keys[jwt.get_unverified_header(token)["kid"]].key,
        algorithms=["RS256"],
        audience=audience,
        # The world's clock stands at a time of its own.
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
    )
    return claims


def test_the_answer_has_the_form_of_entra(world: World) -> None:
    response = world.post()
    body = response.json()
    assert response.status == 200
    assert {k: v for k, v in body.items() if k != "access_token"} == {
        "token_type": "Bearer",
        "expires_in": 3599,
        "ext_expires_in": 3599,
    }
    assert response.headers["Cache-Control"] == "no-store, no-cache"
    assert response.headers["Pragma"] == "no-cache"
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    assert response.headers["Content-Length"] == str(len(response.body))
    assert response.headers["Date"] == "Fri, 15 Jan 2027 08:00:00 GMT"
    uuid.UUID(response.headers["x-ms-request-id"])
    assert "client-request-id" not in response.headers


def test_a_token_of_version_1_is_what_storage_wants(world: World) -> None:
    token = world.token()
    claims = verified(world, token, "https://storage.azure.com")
    tenant_id, issuer = world.application.tenant_id, f"https://sts.windows.net/{world.application.tenant_id}/"
    uti, oid = claims.pop("uti"), claims.pop("oid")
    assert claims == {
        "aud": "https://storage.azure.com",
        "iss": issuer,
        "idp": issuer,
        "iat": NOW,
        "nbf": NOW,
        "exp": NOW + 3599,
        "appid": world.application.client_id,
        "appidacr": "2",
        "sub": oid,
        "tid": tenant_id,
        "ver": "1.0",
    }
    assert all(type(claims[name]) is int for name in ("iat", "nbf", "exp"))
    assert uti
    header = jwt.get_unverified_header(token)
    assert header == {"typ": "JWT", "alg": "RS256", "kid": header["x5t"], "x5t": header["x5t"]}


def test_a_resource_may_want_version_2(world: World) -> None:
    resource = "api://3f2504e0-4f89-41d3-9a0c-0305e82c3301"
    world.entra.add_resource(resource, token_version=2)
    claims = verified(world, world.token(f"{resource}/.default"), "3f2504e0-4f89-41d3-9a0c-0305e82c3301")
    assert claims["ver"] == "2.0"
    assert claims["iss"] == f"{HOST}/{world.application.tenant_id}/v2.0"
    assert (claims["azp"], claims["azpacr"]) == (world.application.client_id, "2")
    assert not {"appid", "appidacr", "idp"} & set(claims)


def test_a_resource_without_a_guid_has_the_same_one_every_time() -> None:
    assert resources.resource_client_id("api://orders") == resources.resource_client_id("api://orders")
    assert resources.resource_client_id("api://orders") != resources.resource_client_id("api://bills")


def test_there_are_two_versions_of_tokens(world: World) -> None:
    with pytest.raises(ValueError, match="must be 1 or 2, not 3"):
        world.entra.add_resource("api://x", token_version=3)


@pytest.mark.parametrize(
    ("scope", "audience"),
    [
        ("https://management.azure.com//.default", "https://management.azure.com"),
        ("https://management.azure.com/.default", "https://management.azure.com"),
        ("00000003-0000-0000-c000-000000000000/.default", "00000003-0000-0000-c000-000000000000"),
        ("api://orders/.default", "api://orders"),
    ],
)
def test_the_audience_is_the_resource_without_a_slash_at_its_end(world: World, scope: str, audience: str) -> None:
    assert verified(world, world.token(scope), audience)["aud"] == audience


def test_the_roles_of_the_application_are_in_the_token(world: World) -> None:
    application = world.entra.add_application(world.certificate, roles=["Orders.Read", "Orders.Write"])
    other = World(world.clock, world.entra, world.certificate, application)
    assert verified(world, other.token(), "https://storage.azure.com")["roles"] == ["Orders.Read", "Orders.Write"]


@pytest.mark.parametrize(
    ("claims", "capabilities"),
    [
        (CP1, ["CP1"]),
        ('{"access_token":{"xms_cc":{"values":["CP2"]}}}', None),
        ('{"access_token":{"xms_cc":null}}', None),
        ('{"access_token":{}}', None),
        ('{"id_token":{"xms_cc":{"values":["CP1"]}}}', None),
        (None, None),
    ],
)
def test_the_token_says_whether_the_client_handles_challenges(
    world: World, claims: str | None, capabilities: list[str] | None
) -> None:
    token = world.token(**({"claims": claims} if claims else {}))
    assert verified(world, token, "https://storage.azure.com").get("xms_cc") == capabilities


def test_lifetimes_can_be_chosen_and_changed(make_world: Callable[..., World]) -> None:
    world = make_world(token_lifetime=7200, refresh_in=3600, numbers_as_strings=True)
    body = world.post().json()
    assert (body["expires_in"], body["ext_expires_in"], body["refresh_in"]) == ("7200", "7200", "3600")
    assert verified(world, body["access_token"], "https://storage.azure.com")["exp"] == NOW + 7200
    world.entra.settings.numbers_as_strings = False
    world.entra.settings.token_lifetime = 5
    body = world.post().json()
    assert (body["expires_in"], body["refresh_in"]) == (5, 3600)


def test_an_error_has_the_form_of_entra(world: World) -> None:
    response = world.post(world.form(scope="x"))
    body = response.json()
    trace_id, correlation_id = body["trace_id"], body["correlation_id"]
    uuid.UUID(trace_id)
    uuid.UUID(correlation_id)
    assert response.headers["x-ms-request-id"] == trace_id
    assert body["timestamp"] == "2027-01-15 08:00:00Z"
    assert body["error_uri"] == f"{HOST}/error?code=1002012"
    assert body["error_description"].endswith(
        f" Trace ID: {trace_id} Correlation ID: {correlation_id} Timestamp: 2027-01-15 08:00:00Z"
    )
    assert set(body) == {
        "error",
        "error_description",
        "error_codes",
        "timestamp",
        "trace_id",
        "correlation_id",
        "error_uri",
    }


def test_the_clients_request_id_comes_back_if_it_asks(world: World) -> None:
    request_id = "7d1a5a4e-2d0e-4a36-a3a1-9d3a6b1c2d3e"
    bad = world.form(scope="x")
    silent = world.post(bad, client_request_id=request_id)
    asked = world.post(bad, client_request_id=request_id, return_client_request_id="true")
    assert silent.json()["correlation_id"] == asked.json()["correlation_id"] == request_id
    assert "client-request-id" not in silent.headers
    assert asked.headers["client-request-id"] == request_id
    assert world.post(bad, client_request_id="no guid").json()["correlation_id"] != "no guid"


def test_the_process_has_one_signing_key_however_many_ask_first() -> None:
    signing._make_signing_key.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: signing.signing_key(), range(8)))
    assert len({id(key) for key in made}) == 1
    assert "private" not in repr(made[0])


def test_many_threads_are_answered_at_once(world: World) -> None:
    forms = [world.form() for _ in range(50)]
    with ThreadPoolExecutor(50) as pool:
        responses = list(pool.map(world.post, forms))
    assert {response.status for response in responses} == {200}
    assert len(world.entra.requests) == 50
    assert len({response.json()["access_token"] for response in responses}) == 50


def test_the_record_tells_what_was_sent_and_hides_what_is_secret(world: World) -> None:
    form = world.form(client_secret="hush", claims=CP1)
    response = world.post(form, x_client_sku="tests")
    (entry,) = world.entra.requests
    assert entry.path == f"/{world.application.tenant_id}/oauth2/v2.0/token"
    assert entry.tenant == world.application.tenant_id
    assert entry.form["scope"] == STORAGE
    assert not {"client_assertion", "client_secret"} & set(entry.form)
    assert entry.assertion == form["client_assertion"]
    assert entry.assertion_header == world.header()
    assert entry.assertion_claims is not None
    assert entry.assertion_claims["aud"] == world.token_url
    assert entry.headers["x-client-sku"] == "tests"
    assert (entry.status, entry.error_codes, entry.fault) == (200, (), None)
    token = response.json()["access_token"]
    for secret in (form["client_assertion"], token, "hush"):
        assert secret not in repr(entry)
        assert secret not in repr(response)
        assert secret not in repr(world.entra.requests)
        assert secret not in repr(world.entra)
    request = world.post(b"garbage&client_assertion=x.y.z")
    assert world.entra.requests[-1].assertion_header is None
    assert world.entra.requests[-1].error_codes == (900144,) == tuple(refused(request)[2])
    world.post(b"\xff")
    assert world.entra.requests[-1].form == {}


def test_the_record_is_bounded_and_can_be_cleared(make_world: Callable[..., World]) -> None:
    world = make_world(max_records=3)
    for number in range(5):
        world.post(b"scope=%d" % number)
    assert [entry.form["scope"] for entry in world.entra.requests] == ["2", "3", "4"]
    assert [entry.form["scope"] for entry in world.entra.requests[1:]] == ["3", "4"]
    world.entra.requests.clear()
    assert len(world.entra.requests) == 0


def test_only_token_requests_are_recorded(world: World) -> None:
    world.get("/protected")
    world.get("/common/discovery/keys")
    assert len(world.entra.requests) == 0


def test_secrets_do_not_show_in_any_repr(world: World) -> None:
    text = repr((world.entra, world.application, world.entra.tenant, world.entra.settings))
    assert re.fullmatch(r"[\x20-\x7e]+", text)
    assert "BEGIN" not in text


def test_tokens_that_were_issued_long_ago_are_forgotten(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_MAX_ISSUED", 2)
    challenge = world.entra.challenge_next(CP1)
    old = world.token("api://protected/.default", claims=challenge)
    assert world.get("/protected", authorization=f"Bearer {old}").status == 200
    for _ in range(2):
        world.token()
    assert world.get("/protected", authorization=f"Bearer {old}").status == 401


def test_a_second_certificate_signs_for_the_same_application(world: World) -> None:
    second = certificate(rsa_key("other"))
    thumbprint = world.application.register(second)
    assert len(thumbprint) == 40
    other = World(world.clock, world.entra, second, world.application)
    assert other.post(other.form(client_assertion=other.assertion(key=rsa_key("other")))).status == 200
    assert world.post().status == 200
