"""Every fault around the assertion is refused with its code: form, tenant, application, scope, policy, path, method."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from azure_certvar_credential.testing import Request, Response
from tests.testing.entra.refusals import (
    CLIENT,
    REQUEST,
    SCOPE,
    UNAUTHORIZED,
    Answer,
    Send,
    Table,
    check,
    each,
    with_form,
)
from tests.testing.kit import HOST, NOW, STORAGE, World, b64url, refused, sha1


def to_tenant(name: str) -> Send:
    return lambda world: world.post(url=f"{HOST}/{name}/oauth2/v2.0/token")


def unknown_application(world: World) -> Response:
    client_id = "00000000-0000-4000-8000-000000000000"
    return world.post(world.form(client_id=client_id))


def disabled(world: World) -> Response:
    world.application.disable()
    return world.post()


def in_a_foreign_tenant(world: World) -> Response:
    tenant = world.entra.add_tenant()
    return world.post(url=f"{HOST}/{tenant.tenant_id}/oauth2/v2.0/token")


def blocked(world: World) -> Response:
    world.application.block_by_conditional_access("c1d2e3f4-0000-4000-8000-000000000001")
    return world.post()


def not_allowed(world: World) -> Response:
    app = world.entra.add_application(world.certificate, allowed_resources=["https://graph.microsoft.com/"])
    other = World(world.clock, world.entra, world.certificate, app)
    assert other.post(other.form(scope="https://graph.microsoft.com/.default")).status == 200
    return other.post()


FAULTS: Table = {
    (7000216, *CLIENT): [
        (
            "no assertion",
            with_form(client_assertion=None),
            "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type",
        ),
    ],
    (7000215, *CLIENT): [("a secret", with_form(client_assertion=None, client_secret="s"), "Invalid client secret")],
    (700016, *UNAUTHORIZED): [("an unknown application", unknown_application, "was not found in the directory")],
    (7000112, *UNAUTHORIZED): [("a disabled application", disabled, "is disabled")],
    (7000229, *UNAUTHORIZED): [("no service principal", in_a_foreign_tenant, "missing service principal")],
    (90002, *REQUEST): [("an unknown tenant", to_tenant("fabrikam.com"), "Tenant 'fabrikam.com' not found")],
    (900023, *REQUEST): [("an impossible tenant", to_tenant("no_tenant"), "neither a valid DNS name")],
    (50059, *REQUEST): [
        (f"the tenant {name}", to_tenant(name), "No tenant-identifying information")
        for name in ("common", "Organizations", "consumers")
    ],
    (900144, *REQUEST): [
        *(
            (f"no {name}", with_form(**{name: None}), f"must contain the following parameter: '{name}'")
            for name in ("grant_type", "client_id", "scope", "client_assertion_type")
        ),
        ("an empty scope", with_form(scope=""), "'scope'"),
    ],
    (70003, "unsupported_grant_type", 400): [("another grant", with_form(grant_type="password"), "'password'")],
    (1002012, *SCOPE): [("a delegated scope", with_form(scope="User.Read"), "scope User.Read is not valid")],
    (70011, *SCOPE): [
        ("two scopes", with_form(scope=f"{STORAGE} {STORAGE}"), "is not valid"),
        ("a scope without resource", with_form(scope="/.default"), "is not valid"),
    ],
    (53003, "invalid_grant", 400): [("a blocked application", blocked, "blocked by Conditional Access")],
    (501051, "invalid_grant", 400): [("a resource that is not assigned", not_allowed, "is not assigned")],
    (9002313, *REQUEST): [
        ("another assertion type", with_form(client_assertion_type="x"), "client_assertion_type is not supported"),
        ("claims that are no JSON", with_form(claims="{"), "claims parameter is not a JSON object"),
        ("claims that are a list", with_form(claims="[]"), "claims parameter is not a JSON object"),
        ("claims of lists", with_form(claims='{"access_token": [1]}'), "claims parameter is not a JSON object"),
        ("bottomless claims", with_form(claims="[" * 90_000), "claims parameter is not a JSON object"),
        ("a body that is no form", lambda world: world.post(b"\xff"), "not a form"),
        ("a thousand parameters", lambda world: world.post(b"a=b&" * 1000), "not a form"),
        ("a repeated parameter", lambda world: world.post(b"a=b&a=c"), "more than once"),
    ],
}


@each(FAULTS)
def test_a_faulty_request_is_refused_with_its_code(world: World, answer: Answer, send: Send, text: str) -> None:
    check(send(world), answer, text)


def test_a_resource_outside_the_known_ones_is_refused(make_world: Callable[..., World]) -> None:
    world = make_world(known_resources=["https://Storage.azure.com/"])
    assert world.post().status == 200
    response = world.post(world.form(scope="https://vault.azure.net/.default"))
    assert refused(response) == (400, "invalid_resource", [500011])
    assert "The resource principal named https://vault.azure.net was not found" in response.json()["error_description"]
    world.entra.add_resource("https://vault.azure.net")
    assert world.post(world.form(scope="https://vault.azure.net/.default")).status == 200


def test_conditional_access_says_which_policy_and_can_be_lifted(world: World) -> None:
    body = blocked(world).json()
    assert body["suberror"] == "message_only"
    assert body["claims"] == (
        '{"access_token":{"capolids":{"essential":true,"values":["c1d2e3f4-0000-4000-8000-000000000001"]}}}'
    )
    world.application.block_by_conditional_access()
    assert world.post().status == 200


def test_a_disabled_application_can_be_enabled_again(world: World) -> None:
    disabled(world)
    world.application.enable()
    assert world.post().status == 200


def test_a_service_principal_opens_another_tenant(world: World) -> None:
    tenant = world.entra.add_tenant(domains=("fabrikam.com",))
    world.application.add_service_principal(tenant)
    url = f"{HOST}/fabrikam.com/oauth2/v2.0/token"
    assertion = world.assertion(claims={"aud": url})
    assert world.post(world.form(client_assertion=assertion), url=url).status == 200
    # What azure-identity's async credential sends: the audience of the home tenant.
    assert refused(world.post(url=url)) == (401, "invalid_client", [700023])


@pytest.mark.parametrize("skew", [0, 300])
@pytest.mark.parametrize("side", ["early", "late"])
def test_the_clock_may_be_off_by_the_tolerance_and_no_more(
    make_world: Callable[..., World], skew: int, side: str
) -> None:
    world = make_world(clock_skew=skew)

    def answer(off: int) -> int:
        claims = {"nbf": NOW + off} if side == "early" else {"nbf": NOW - 600, "exp": NOW - off + 1}
        return world.post(world.form(client_assertion=world.assertion(claims=claims))).status

    assert answer(skew) == 200
    assert answer(skew + 1) == 401


def test_wrong_methods_and_paths_are_told_apart(world: World) -> None:
    wrong_method = world.entra.handle(Request("GET", world.token_url))
    assert refused(wrong_method) == (405, "invalid_request", [900561])
    assert wrong_method.headers["Allow"] == "POST"
    assert world.get("/nothing/here").status == 404
    assert world.entra.handle(Request("POST", f"{HOST}/common/discovery/keys")).status == 405
    assert world.entra.handle(Request("DELETE", f"{HOST}/protected")).status == 405


def test_a_body_of_more_than_a_mebibyte_is_not_looked_at(world: World) -> None:
    assert world.post(b"a" * ((1 << 20) + 1)).status == 413


def test_adfs_takes_rs256_and_a_sha1_thumbprint_only(world: World) -> None:
    url = f"{HOST}/adfs/oauth2/token"
    x5t = b64url(sha1(world.certificate))

    def answer(header: dict[str, object]) -> Response:
        return world.post(world.form(client_assertion=world.assertion(header, {"aud": url})), url=url)

    adfs = answer({"alg": "RS256", "x5t": x5t, "x5t_s256": None})
    assert adfs.status == 200, adfs.body
    assert refused(answer({"alg": "PS256", "x5t": x5t})) == (401, "invalid_client", [5002738])
    assert refused(answer({"alg": "RS256"})) == (401, "invalid_client", [5002723])
    assert world.entra.requests[0].tenant == "adfs"
