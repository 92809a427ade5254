"""What production clients send is accepted, and refused in strict mode; what the standards want passes both."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_certvar_credential.testing.jose import MalformedError, decode, encode
from tests.testing.kit import NOW, World, b64url, certificate, der, padded, refused, rsa_key, sha1, sha256, standard

Make = Callable[[World], str]


def header(**changes: object) -> Make:
    return lambda world: world.assertion(changes)


def claims(**changes: object) -> Make:
    return lambda world: world.assertion(claims=changes)


def lines(data: bytes) -> str:
    text = standard(data)
    return "\n".join(text[i : i + 64] for i in range(0, len(text), 64))


def thumbprint(write: Callable[[bytes], str], name: str = "x5t_s256") -> Make:
    return lambda world: world.assertion({name: write(sha256(world.certificate))})


def x5c(write: Callable[[World], object]) -> Make:
    return lambda world: world.assertion({"x5c": write(world)})


# The clients of the table: what they send, and what strict mode says about it.
QUIRKS: list[tuple[str, Make, str]] = [
    ("times that are strings (MSAL.NET)", claims(nbf=str(NOW), exp=str(NOW + 600)), "'nbf' is not an integer"),
    ("an exp that is a string", claims(exp=str(NOW + 600)), "'exp' is not an integer"),
    ("times that are floats (MSAL Python)", claims(iat=NOW + 0.25, exp=NOW + 600.25), "'iat' is not an integer"),
    ("a float without fraction", claims(exp=NOW + 600.0), "'exp' is not an integer"),
    ("no iat (MSAL.NET)", claims(iat=None), "'iat' is missing"),
    ("no nbf (MSAL Python)", claims(nbf=None), "'nbf' is missing"),
    ("no jti", claims(jti=None), "'jti' is missing"),
    ("a jti that is a number", claims(jti=5), "'jti' is not a string"),
    ("half an hour (azure-identity aio)", claims(exp=NOW + 1800), "5 to 10 minutes"),
    ("four minutes", claims(exp=NOW + 299), "5 to 10 minutes"),
    ("padding in every segment (azure-identity aio)", lambda w: w.assertion(encode=padded), "without padding"),
    ("a thumbprint in padded base64url (MSAL Python)", thumbprint(padded), "without padding"),
    ("a thumbprint in standard base64 (MSAL Go)", thumbprint(standard), "without padding"),
    ("x5c as one string (MSAL.NET)", x5c(lambda w: standard(der(w.certificate))), "x5c is not an array"),
    ("line breaks inside x5c (MSAL Python)", x5c(lambda w: [lines(der(w.certificate))]), "not the base64 of a DER"),
    ("x5c in base64url", x5c(lambda w: [b64url(der(w.certificate))]), "not the base64 of a DER"),
    ("an empty x5c", x5c(lambda w: []), "x5c is not an array"),
    ("an x5c of numbers", x5c(lambda w: [1]), "x5c is not an array"),
    ("an x5c of nonsense", x5c(lambda w: ["AAAA"]), "not the base64 of a DER"),
    (
        "another certificate in x5c",
        x5c(lambda w: [standard(der(certificate(rsa_key("other"))))]),
        "does not begin with",
    ),
    ("no typ", header(typ=None), "typ is not JWT"),
    ("another typ", header(typ="at+jwt"), "typ is not JWT"),
    ("a wrong x5t beside x5t#S256", header(x5t=b64url(b"x" * 20)), "x5t is not the thumbprint"),
    ("a SHA-256 in x5t", lambda w: w.assertion({"x5t_s256": None, "x5t": b64url(sha256(w.certificate))}), "x5t is not"),
    ("an array as audience", lambda w: w.assertion(claims={"aud": [w.token_url, "x"]}), ""),
]
# The signature's last character has bits that mean nothing; base64 that sets them decodes to the same bytes.
IDS = [quirk[0] for quirk in QUIRKS]


@pytest.mark.parametrize("make", [quirk[1] for quirk in QUIRKS], ids=IDS)
def test_what_a_production_client_sends_is_accepted(world: World, make: Make) -> None:
    response = world.post(world.form(client_assertion=make(world)))
    assert response.status == 200, response.body


@pytest.mark.parametrize(("make", "reason"), [quirk[1:] for quirk in QUIRKS], ids=IDS)
def test_strict_mode_refuses_it_and_says_why(strict_world: World, make: Make, reason: str) -> None:
    response = strict_world.post(strict_world.form(client_assertion=make(strict_world)))
    assert refused(response) in [(400, "invalid_request", [50027]), (401, "invalid_client", [700023])]
    assert reason in response.json()["error_description"]


CORRECT: list[tuple[str, Make]] = [
    ("as Microsoft documents it", header()),
    ("RS256 with x5t", lambda w: w.assertion({"alg": "RS256", "x5t_s256": None, "x5t": b64url(sha1(w.certificate))})),
    ("both thumbprints", lambda w: w.assertion({"x5t": b64url(sha1(w.certificate))})),
    ("x5c, leaf first", x5c(lambda w: [standard(der(w.certificate)), standard(der(certificate(rsa_key("other"))))])),
    ("five minutes", claims(exp=NOW + 300)),
]


@pytest.mark.parametrize("make", [case[1] for case in CORRECT], ids=[case[0] for case in CORRECT])
def test_strict_mode_accepts_what_the_standards_want(strict_world: World, make: Make) -> None:
    response = strict_world.post(strict_world.form(client_assertion=make(strict_world)))
    assert response.status == 200, response.body


def test_an_assertion_may_be_used_again_unless_strict(world: World, strict_world: World) -> None:
    form = world.form()
    assert [world.post(form).status for _ in range(2)] == [200, 200]
    form = strict_world.form()
    assert strict_world.post(form).status == 200
    second = strict_world.post(form)
    assert refused(second) == (400, "invalid_request", [50027])
    assert "'jti' has been used before" in second.json()["error_description"]


def test_a_jti_is_forgotten_when_its_assertion_cannot_come_back(strict_world: World) -> None:
    def use() -> int:
        claims = {"jti": "the same"}
        return strict_world.post(strict_world.form(client_assertion=strict_world.assertion(claims=claims))).status

    assert use() == 200
    assert use() == 400
    strict_world.clock.advance(901)
    assert use() == 200


def test_strictness_can_be_switched_while_it_runs(world: World) -> None:
    form = world.form(client_assertion=world.assertion(encode=padded))
    assert world.post(form).status == 200
    world.entra.settings.strict = True
    assert world.post(form).status == 400


def test_line_breaks_and_single_strings_are_read_when_the_chain_matters(world: World) -> None:
    authority, ca_key = certificate(rsa_key("ca"), "CA"), rsa_key("ca")
    leaf = certificate(rsa_key(), "app.contoso.com", issuer=(authority, ca_key))
    application = world.entra.add_application(trusted_issuers=[("app.contoso.com", authority)])
    other = World(world.clock, world.entra, leaf, application)
    for chain in (standard(der(leaf)), [lines(der(leaf)), lines(der(authority))]):
        response = other.post(other.form(client_assertion=other.assertion({"x5c": chain})))
        assert response.status == 200, response.body


@given(st.binary(max_size=80))
def test_base64url_is_decoded_alike_with_and_without_strictness(data: bytes) -> None:
    text = encode(data)
    assert decode(text, "it", strict=False) == data
    assert decode(padded(data), "it", strict=False) == data
    assert decode(standard(data), "it", strict=False) == data
    if data:
        assert decode(text, "it", strict=True) == data


@pytest.mark.parametrize("text", ["AB", "AAB", "A", "AA==", "A+", "A A"])
def test_strict_base64url_has_one_spelling(text: str) -> None:
    with pytest.raises(MalformedError):
        decode(text, "it", strict=True)


@given(st.text(max_size=40))
def test_any_text_as_assertion_is_refused_and_never_breaks_the_endpoint(world_of_properties: World, text: str) -> None:
    response = world_of_properties.post(world_of_properties.form(client_assertion=text or "x"))
    assert response.status in (400, 401)


@given(
    st.dictionaries(
        st.sampled_from(["aud", "iss", "sub", "exp", "nbf", "iat", "jti"]),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats(allow_nan=False, allow_infinity=False)
            | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
            max_leaves=4,
        ),
        min_size=1,
    )
)
def test_any_claims_get_an_answer_of_entra(world_of_properties: World, changes: dict[str, object]) -> None:
    world = world_of_properties
    assertion = world.assertion(claims=json.loads(json.dumps(changes)))
    assert world.post(world.form(client_assertion=assertion)).status in (200, 400, 401)


@pytest.fixture(scope="module")
def world_of_properties() -> World:
    """One world for all the examples of a property, which would be slow to build and has no state that matters."""
    from azure_certvar_credential.testing import EntraEmulator
    from tests.testing.kit import Clock

    clock = Clock()
    entra = EntraEmulator(clock=clock)
    cert = certificate(rsa_key())
    return World(clock, entra, cert, entra.add_application(cert))
