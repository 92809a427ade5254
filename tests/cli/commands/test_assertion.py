"""``certvar assertion`` shows the five steps of a client assertion, and checks one with Entra's codes."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import jwt
import pytest

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.testing import EntraEmulator
from tests.certificates import making
from tests.cli.commands.conftest import pfx
from tests.cli.commands.kit import Ran, certvar, documented

TENANT, CLIENT = "contoso.onmicrosoft.com", "11111111-2222-3333-4444-555555555555"
ENDPOINT = f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"


def run(certificate: ClientCertificate, *arguments: str, stdin: str | None = None) -> Ran:
    return certvar(
        "assertion",
        *arguments,
        stdin=stdin,
        AZURE_CLIENT_CERTIFICATE=pfx(certificate),
        AZURE_TENANT_ID=TENANT,
        AZURE_CLIENT_ID=CLIENT,
    )


def part(text: str) -> Any:
    return json.loads(urlsafe_b64decode(text + "=="))


def signed(certificate: ClientCertificate, header: dict[str, Any], **claims: Any) -> str:
    """Return an assertion by PyJWT; None leaves a claim out."""
    now, algorithm = int(time.time()), header.pop("alg", "PS256")
    all_claims = {"aud": ENDPOINT, "iss": CLIENT, "sub": CLIENT, "jti": "1", "nbf": now, "exp": now + 600, **claims}
    return jwt.encode(
        {name: value for name, value in all_claims.items() if value is not None},
        "a secret that both sides share, 32 octets long" if algorithm == "HS256" else making.rsa_key(),
        algorithm=algorithm,
        headers={"x5t#S256": certificate.x5t_s256, **header},
    )


def test_it_shows_the_five_steps_without_the_signature(certificate: ClientCertificate) -> None:
    ran = run(certificate)

    assert ran.code == 0
    for number in range(1, 6):
        assert f"\n{number}. " in f"\n{ran.out}"
    for shown in ('"PS256"', certificate.x5t_s256, CLIENT, "login.microsoftonline.com", "(342 characters"):
        assert shown in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80


def test_with_show_token_the_shown_parts_are_the_assertion(certificate: ClientCertificate) -> None:
    ran = run(certificate, "--json", "--show-token")

    shown = ran.json
    header, claims, signature = shown["assertion"].split(".")
    assert part(header) == shown["header"]
    assert part(claims) == shown["claims"]
    assert (shown["signing_input"], shown["signature"]) == (f"{header}.{claims}", signature)
    key = certificate.leaf.public_key()
    assert jwt.decode(shown["assertion"], key, algorithms=["PS256"], audience=ENDPOINT)["iss"] == CLIENT  # type: ignore[arg-type]


def test_json_without_it_has_no_signature(certificate: ClientCertificate) -> None:
    ran = run(certificate, "--json")

    assert list(ran.json) == ["header", "claims", "signing_input", "signature", "assertion"]
    assert set(ran.json) <= documented("assertion")
    assert (ran.json["signature"], ran.json["assertion"]) == (None, None)


@pytest.mark.parametrize(
    ("options", "algorithm", "audience"),
    [
        (["--algorithm", "RS256"], "RS256", ENDPOINT),
        (["--audience", "https://idp.example/token"], "PS256", "https://idp.example/token"),
        (["--authority", "login.microsoftonline.us"], "PS256", ENDPOINT.replace(".com/", ".us/", 1)),
    ],
    ids=["algorithm", "audience", "authority"],
)
def test_options_change_it(certificate: ClientCertificate, options: list[str], algorithm: str, audience: str) -> None:
    shown = run(certificate, "--json", *options).json

    assert (shown["header"]["alg"], shown["claims"]["aud"]) == (algorithm, audience)


def test_what_it_makes_it_takes(certificate: ClientCertificate) -> None:
    made = run(certificate, "--compact").out

    checked = run(certificate, "--verify", stdin=made)

    assert checked.code == 0, checked.out
    assert checked.out.startswith("✔ ")


def test_the_public_half_is_enough_to_check(certificate: ClientCertificate) -> None:
    made = run(certificate, "--compact").out

    ran = certvar("assertion", "--verify", "--json", "-c", "env:PUBLIC", stdin=made, PUBLIC=certificate.public_pem())

    assert (ran.code, ran.json["valid"], ran.json["refusal"]) == (0, True, None)


@pytest.mark.parametrize(
    ("code", "header", "claims"),
    [
        (700024, {}, {"nbf": 1_000, "exp": 2_000}),
        (5002738, {"alg": "HS256"}, {}),
        (700022, {}, {"sub": None}),
        (50048, {}, {"sub": "somebody else"}),
        (90014, {}, {"exp": None}),
        (700021, {}, {"iss": "other", "sub": "other"}),
        (700023, {}, {"aud": "https://login.microsoftonline.com/fabrikam.example/oauth2/v2.0/token"}),
        (700027, {"x5t#S256": urlsafe_b64encode(bytes(32)).rstrip(b"=").decode()}, {}),
        (5002723, {"x5t#S256": None}, {}),
    ],
    ids=str,
)
def test_it_names_what_is_wrong_by_entras_code(
    certificate: ClientCertificate, code: int, header: dict[str, Any], claims: dict[str, Any]
) -> None:
    wrong = signed(certificate, dict(header), **claims)

    ran = run(certificate, "--verify", "--json", stdin=wrong)

    assert ran.code == 1
    assert ran.json["refusal"]["codes"] == [code]
    assert ran.json["refusal"]["hint"]


def test_another_key_is_an_invalid_signature(certificate: ClientCertificate, another: ClientCertificate) -> None:
    header, claims, _ = signed(certificate, {}).split(".")
    _, _, signature = run(another, "--compact").out.strip().split(".")

    ran = run(certificate, "--verify", stdin=f"{header}.{claims}.{signature}")

    assert ran.code == 1
    assert "AADSTS700027" in ran.out
    assert signature not in ran.out


@pytest.mark.parametrize("text", ["", "a.b", "hunter2", "a.b.c.d"])
def test_what_is_no_jwt_is_not_repeated(certificate: ClientCertificate, text: str) -> None:
    ran = run(certificate, "--verify", stdin=text)

    assert ran.code == 1
    assert "no JWT" in ran.err
    assert "hunter2" not in ran.err


def test_it_asks_for_tenant_and_client(certificate: ClientCertificate) -> None:
    ran = certvar("assertion", AZURE_CLIENT_CERTIFICATE=pfx(certificate))

    assert ran.code == 2
    assert "--tenant and --client" in ran.err


def test_nothing_is_sent(certificate: ClientCertificate) -> None:
    entra = EntraEmulator()
    application = entra.add_application(certificate.public_der())
    with entra.serve() as server:
        certvar(
            "assertion",
            AZURE_CLIENT_CERTIFICATE=pfx(certificate),
            AZURE_TENANT_ID=application.tenant_id,
            AZURE_CLIENT_ID=application.client_id,
            AZURE_AUTHORITY_HOST=server.authority,
        )

    assert len(entra.requests) == 0
