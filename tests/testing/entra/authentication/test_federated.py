"""A certificate's token for the exchange, with a managed identity path, authenticates the next application."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from azure_certvar_credential.testing import Application, Response, signing
from tests.testing.entra.refusals import CLIENT, REQUEST, UNAUTHORIZED, Answer, check, with_assertion
from tests.testing.kit import HOST, NOW, World, refused, rsa_key, sign, unverified

EXCHANGE = "api://AzureADTokenExchange/.default"
FMI = "api://AzureFMITokenExchange/.default"
PATH = "workers/7"


def issuer(world: World) -> str:
    return f"{HOST}/{world.application.tenant_id}/v2.0"


def child(world: World, **changes: str) -> Application:
    """An application that trusts the tokens which the world's own gets with the path."""
    application = world.entra.add_application()
    trust = {"issuer": issuer(world), "subject": world.application.fmi_subject(PATH)}
    application.trust_federated(**{**trust, **changes})
    return application


def present(world: World, application: Application, assertion: str, **changes: str | None) -> Response:
    return world.post(world.form(client_id=application.client_id, client_assertion=assertion, **changes))


@pytest.mark.parametrize("scope", [EXCHANGE, FMI, "api://orders/.default"])
def test_the_path_is_in_the_subject_of_the_token(world: World, scope: str) -> None:
    claims = unverified(world.token(scope, fmi_path=PATH))
    assert claims["sub"] == world.application.fmi_subject(PATH)
    assert claims["oid"] == world.application.object_ids[world.application.tenant_id]
    assert world.entra.requests[-1].form["fmi_path"] == PATH


def test_the_subject_is_written_as_entra_writes_it(world: World) -> None:
    tenant = world.entra.add_tenant("975f013f-7f24-47e8-a7d3-abc4752bf346")
    application = world.entra.add_application(tenant=tenant, client_id="ef403b6c-5f3e-40ac-8685-28eed2922ad5")
    # Seen in a federated identity credential of Entra.
    prefix = "/eid1/c/pub/t/PwFflyR_6Een06vEdSvzRg/a/bDtA7z5frECGhSju0pIq1Q"
    assert application.fmi_subject("workspaces/d0708f52") == f"{prefix}/workspaces/d0708f52"
    assert application.fmi_subject("/workspaces/d0708f52") == f"{prefix}/workspaces/d0708f52"
    home = application.fmi_subject("x", tenant=world.entra.tenant)
    assert home != application.fmi_subject("x")


def test_a_token_for_the_exchange_has_the_form_of_entras(world: World) -> None:
    claims = unverified(world.token(EXCHANGE))
    assert (claims["aud"], claims["ver"]) == ("fb60f99c-7a34-4190-8149-302f77469936", "2.0")
    assert (claims["iss"], claims["idtyp"]) == (issuer(world), "app")
    assert claims["sub"] == claims["oid"]


def test_the_token_authenticates_the_application_that_trusts_it(world: World) -> None:
    application = child(world)
    response = present(world, application, world.token(EXCHANGE, fmi_path=PATH))
    assert response.status == 200, response.body
    claims = unverified(response.json()["access_token"])
    assert claims["appid"] == application.client_id
    assert claims["sub"] == application.object_ids[application.tenant_id]
    assert world.entra.requests[-1].assertion_claims is not None
    assert world.entra.requests[-1].assertion_claims["sub"] == world.application.fmi_subject(PATH)


def test_the_chain_can_go_on(world: World) -> None:
    application = child(world)
    third = world.entra.add_application()
    third.trust_federated(issuer=issuer(world), subject=application.object_ids[application.tenant_id])
    second = present(world, application, world.token(EXCHANGE, fmi_path=PATH), scope=EXCHANGE).json()["access_token"]
    assert present(world, third, second).status == 200


@pytest.mark.parametrize(
    "audience",
    ["api://AzureFMITokenExchange", None],
    ids=["the identifier", "the application id"],
)
def test_the_audience_may_be_another_exchange(world: World, audience: str | None) -> None:
    token = world.token(FMI, fmi_path=PATH)
    application = child(world, audience=audience or unverified(token)["aud"])
    assert present(world, application, token).status == 200


def test_one_of_several_credentials_has_to_fit_as_a_whole(world: World) -> None:
    application = child(world, subject="somebody else's")
    token = world.token(EXCHANGE, fmi_path=PATH)
    assert refused(present(world, application, token))[2] == [700213]
    subject = world.application.fmi_subject(PATH)
    application.trust_federated(issuer=f"{HOST}/somewhere/v2.0", subject=subject)
    assert refused(present(world, application, token))[2] == [700213]
    application.trust_federated(issuer=issuer(world), subject=subject)
    assert present(world, application, token).status == 200
    assert len(application.federated_credentials) == 3


def test_the_rules_of_certificates_are_not_asked(make_world: Callable[..., World]) -> None:
    world = make_world(strict=True)
    application = child(world)
    token = world.token(EXCHANGE, fmi_path=PATH)
    # Once more with the same one: it is no assertion with a jti that was used.
    assert present(world, application, token).status == present(world, application, token).status == 200


def test_an_application_with_a_certificate_can_have_both(world: World) -> None:
    world.application.trust_federated(issuer=issuer(world), subject=world.application.fmi_subject(PATH))
    assert present(world, world.application, world.token(EXCHANGE, fmi_path=PATH)).status == 200
    assert world.post().status == 200


def forged(key: Any = None, **changes: Any) -> Callable[[World], Response]:
    """The right token with other claims, by default under the emulator's own key."""

    def send(world: World) -> Response:
        application = child(world)
        claims = {**unverified(world.token(EXCHANGE, fmi_path=PATH)), **changes}
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": "RS256", "typ": "JWT"}
        return present(world, application, sign(header, claims, key or signing.signing_key().private_key))

    return send


def in_other_letters(world: World) -> Response:
    application = child(world, issuer=issuer(world).upper())
    return present(world, application, world.token(EXCHANGE, fmi_path=PATH))


def of_another_path(world: World) -> Response:
    return present(world, child(world), world.token(EXCHANGE, fmi_path="workers/8"))


def of_no_path(world: World) -> Response:
    return present(world, child(world), world.token(EXCHANGE))


def for_something_else(world: World) -> Response:
    return present(
        world,
        child(world, issuer=f"https://sts.windows.net/{world.application.tenant_id}/"),
        world.token("api://orders/.default", fmi_path=PATH),
    )


def without_trust(world: World) -> Response:
    return present(world, world.entra.add_application(), world.token(EXCHANGE))


def disabled(world: World) -> Response:
    application = child(world)
    application.disable()
    return present(world, application, world.token(EXCHANGE, fmi_path=PATH))


@pytest.mark.parametrize(
    ("send", "answer", "text"),
    [
        (without_trust, (700211, *CLIENT), f"presented assertion issuer '{HOST}/"),
        (forged(iss="https://example.org/"), (700211, *CLIENT), r"assertion issuer 'https://example\.org/'"),
        (in_other_letters, (700211, *CLIENT), "No matching federated identity record found"),
        (of_another_path, (700213, *CLIENT), "presented assertion subject '/eid1/c/pub/t/.*/workers/8'"),
        (of_no_path, (700213, *CLIENT), "presented assertion subject"),
        (forged(sub=None), (700213, *CLIENT), "subject 'None'"),
        (for_something_else, (700212, *CLIENT), "presented assertion audience 'api://orders'"),
        (forged(rsa_key("other")), (700027, *CLIENT), "The key was not found"),
        (forged(nbf=NOW - 4000, exp=NOW - 300), (700024, *CLIENT), "not within its valid time range"),
        (forged(nbf=NOW + 301), (700024, *CLIENT), "not within its valid time range"),
        (forged(exp=None), (50027, *REQUEST), "'exp' is not a number"),
        (disabled, (7000112, *UNAUTHORIZED), "is disabled"),
        (with_assertion(claims={"iss": "x", "sub": "x"}), (700021, *CLIENT), "doesn't match 'client_id'"),
    ],
    ids=[
        "no credential",
        "another issuer",
        "an issuer in capitals",
        "another path",
        "no path",
        "no subject",
        "another audience",
        "another key",
        "expired",
        "of the future",
        "no end",
        "disabled",
        "no URL for an issuer",
    ],
)
def test_a_token_that_does_not_fit_is_refused(
    world: World, send: Callable[[World], Response], answer: Answer, text: str
) -> None:
    check(send(world), answer, text)
