"""Every fault of an exchange on behalf of a user is refused as Entra does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from azure_certvar_credential.testing import Application, Response, User, signing
from tests.testing.entra.grants.middle_tier import MAIL, exchange, user_token
from tests.testing.entra.refusals import CLIENT, GRANT, REQUEST, SCOPE, UNAUTHORIZED, Answer, Send, Table, check, each
from tests.testing.kit import NOW, World, padded, refused, rsa_key, sign, unverified


def with_token(**options: Any) -> Send:
    return lambda world: exchange(world, token=options)


def with_text(make: Callable[[str], str]) -> Send:
    return lambda world: exchange(world, assertion=make(user_token(world)))


def with_changes(**changes: Any) -> Send:
    return lambda world: exchange(world, **changes)


def forged(key: Any = None, algorithm: str = "RS256", **changes: Any) -> Send:
    """A user's token with other claims, by default under the emulator's own key."""

    def send(world: World) -> Response:
        claims = {**unverified(user_token(world)), **changes}
        claims = {name: value for name, value in claims.items() if value is not None}
        signed = sign({"alg": algorithm, "typ": "JWT"}, claims, key or signing.signing_key().private_key)
        return exchange(world, assertion=signed)

    return send


def app_only(world: World) -> Response:
    return exchange(world, assertion=world.token(f"api://{world.application.client_id}/.default"))


def id_token(world: World) -> Response:
    return exchange(world, assertion=exchange(world, f"{MAIL} openid").json()["id_token"])


def for_another(world: World) -> Response:
    other = world.entra.add_application()
    return exchange(world, assertion=world.entra.issue_user_token(world.entra.add_user(), other))


def downstream_again(world: World) -> Response:
    return exchange(world, assertion=exchange(world).json()["access_token"])


def of_another_tenant(world: World) -> Response:
    user = world.entra.add_user(tenant=world.entra.add_tenant())
    return exchange(world, token={"user": user})


def of_a_stranger(world: World) -> Response:
    return exchange(
        world, token={"user": User("00000000-0000-4000-8000-000000000000", world.application.tenant_id, "x@y", "X")}
    )


def blocked(world: World) -> Response:
    world.application.block_by_conditional_access("c1d2e3f4-0000-4000-8000-000000000001")
    return exchange(world)


NOT_VERIFIED = "Assertion failed signature validation"
FAULTS: Table = {
    (50013, *GRANT): [
        ("another key", forged(rsa_key("other")), NOT_VERIFIED),
        ("another algorithm", forged(algorithm="RS512"), NOT_VERIFIED),
        ("none", forged(algorithm="none"), NOT_VERIFIED),
    ],
    (50027, *REQUEST): [
        ("garbage", with_text(lambda _: "garbage"), "three segments"),
        ("padding", with_text(lambda token: f"{token}=="), "not base64url without padding"),
        ("no end", forged(exp=None), "'exp' is not an integer"),
        ("no start", forged(nbf=None), "'nbf' is not an integer"),
    ],
    (500131, *GRANT): [
        ("another application's", for_another, "Assertion audience does not match the Client app presenting"),
        ("the downstream resource's", downstream_again, "audience in the assertion was 'api://protected'"),
        ("no audience", forged(aud=None), "was 'None'"),
        ("audiences", forged(aud=["a"]), "was '"),
    ],
    (500133, *GRANT): [
        ("expired", with_token(lifetime=-300), r"expiry time of assertion 2027-01-15T07:55:00\.0000000Z"),
        ("of the future", forged(nbf=NOW + 301), "not within its valid time range"),
    ],
    (7000114, *UNAUTHORIZED): [("app-only", app_only, "not allowed to make application on-behalf-of calls")],
    (240002, *GRANT): [("an ID token", id_token, "Input id_token cannot be used as 'urn:.*jwt-bearer' grant")],
    (50020, *GRANT): [("another tenant's user", of_another_tenant, "does not exist in tenant")],
    (50034, *GRANT): [("an unknown user", of_a_stranger, "does not exist in the")],
    (53003, *GRANT): [("a blocked application", blocked, "blocked by Conditional Access")],
    (70011, *SCOPE): [
        ("no resource's scope", with_changes(scope="openid offline_access"), "is not valid"),
        ("no permission", with_changes(scope="api://protected/"), "is not valid"),
        ("a permission of nothing", with_changes(scope="/Mail.Read"), "is not valid"),
        ("a quotation mark", with_changes(scope='api://protected/"'), "is not valid"),
        ("default beside another", with_changes(scope=f"{MAIL} https://graph.microsoft.com/.default"), "is not valid"),
    ],
    (28000, *REQUEST): [("two resources", with_changes(scope=f"{MAIL} api://protected/A"), "more than one resource")],
    (900144, *REQUEST): [
        (f"no {name}", with_changes(**{name: None}), f"parameter: '{name}'") for name in ("requested_token_use",)
    ]
    + [
        ("no scope", lambda world: world.post(world.obo_form(user_token(world), scope="")), "'scope'"),
        ("no user assertion", lambda world: world.post(world.obo_form("")), "parameter: 'assertion'"),
    ],
    (9002313, *REQUEST): [
        ("another use", with_changes(requested_token_use="x"), "requested_token_use is not supported")
    ],
    (7000218, *CLIENT): [("no client assertion", with_changes(client_assertion=None), "must contain the following")],
}


@each(FAULTS)
def test_a_faulty_exchange_is_refused_with_its_code(world: World, answer: Answer, send: Send, text: str) -> None:
    check(send(world), answer, text)


def test_a_token_in_other_base64_is_not_one_of_entras(world: World) -> None:
    claims = unverified(user_token(world))
    token = sign({"alg": "RS256", "typ": "JWT"}, claims, signing.signing_key().private_key, encode=padded)
    assert refused(exchange(world, assertion=token))[2] == [50027]


@pytest.mark.parametrize("skew", [0, 300])
def test_the_clock_may_be_off_by_the_tolerance(make_world: Callable[..., World], skew: int) -> None:
    world = make_world(clock_skew=skew)
    token = user_token(world, lifetime=10)
    world.clock.advance(9 + skew)
    assert exchange(world, assertion=token).status == 200
    world.clock.advance(1)
    assert refused(exchange(world, assertion=token))[2] == [500133]


def test_an_unknown_downstream_resource_is_refused(make_world: Callable[..., World]) -> None:
    world = make_world(known_resources=["https://graph.microsoft.com"])
    assert exchange(world, MAIL).status == 200
    assert refused(exchange(world, token={"user": world.entra.add_user("B")})) == (400, "invalid_resource", [500011])
    other: Application = world.entra.add_application()
    scope = f"api://{other.client_id}/.default"
    assert exchange(world, scope, token={"user": world.entra.add_user("C")}).status == 200
