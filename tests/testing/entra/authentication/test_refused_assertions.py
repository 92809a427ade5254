"""Every fault of an assertion is refused as Entra does: code, OAuth error, status and the gist of the text."""

from __future__ import annotations

from azure_certvar_credential.testing import Response
from tests.testing.entra.refusals import CLIENT, REQUEST, Answer, Send, Table, check, each, with_assertion, with_text
from tests.testing.kit import (
    DAY,
    HOST,
    NOW,
    World,
    b64url,
    certificate,
    ec_key,
    rsa_key,
    sha1,
    sha256,
    sign,
    standard,
)


def unregistered(world: World) -> Response:
    world.application.unregister(sha1(world.certificate).hex())
    return world.post()


def expired_certificate(world: World) -> Response:
    world.clock.advance(366 * DAY)
    return world.post()


def not_yet_valid_certificate(world: World) -> Response:
    world.clock.advance(-2 * DAY)
    return world.post()


def signed_by_another_key(world: World) -> Response:
    return world.post(world.form(client_assertion=world.assertion(key=rsa_key("other"))))


def elliptic_certificate(world: World) -> Response:
    cert = certificate(ec_key())
    world.application.register(cert)
    assertion = world.assertion({"alg": "RS256", "x5t_s256": b64url(sha256(cert))})
    return world.post(world.form(client_assertion=assertion))


def tampered_claims(world: World) -> Response:
    head, _, signature = world.assertion().split(".")
    payload = sign({"alg": "none"}, world.claims(aud=f"{HOST}/x"), None).split(".")[1]
    return world.post(world.form(client_assertion=f"{head}.{payload}.{signature}"))


def revoked(world: World) -> Response:
    world.application.revoke(world.certificate)
    return world.post()


def elliptic_signature(world: World) -> Response:
    return world.post(world.form(client_assertion=world.assertion({"alg": "ES256"}, key=ec_key())))


def symmetric_signature(world: World) -> Response:
    key = b"a secret of more than thirty-two bytes"
    return world.post(world.form(client_assertion=world.assertion({"alg": "HS256"}, key=key)))


NOT_VERIFIED = "The key was found, but use of the key to verify the signature failed"
FAULTS: Table = {
    (700027, *CLIENT): [
        (
            "an unregistered certificate",
            unregistered,
            (
                r"sign the client assertion is not registered on application\. \[Reason - The key was not found\., "
                r"Thumbprint of key used by client: '[0-9A-F]{64}'"
            ),
        ),
        ("an expired key", expired_certificate, "The key used is expired.*Found key 'Start="),
        ("a wrong key", signed_by_another_key, NOT_VERIFIED),
        ("an EC key", elliptic_certificate, NOT_VERIFIED),
        ("tampered claims", tampered_claims, NOT_VERIFIED),
        ("a thumbprint in hex", with_assertion({"x5t": "AB" * 20, "x5t_s256": None}), "key was not found"),
        (
            "a thumbprint in standard base64",
            with_assertion({"x5t_s256": standard(b"\xfb\xef\xff")}),
            "client: 'FBEFFF'",
        ),
        ("an unknown kid", with_assertion({"kid": "?", "x5t_s256": None}), "client: '3F'"),
    ],
    (700024, *CLIENT): [
        (
            "an assertion past its time",
            with_assertion(claims={"nbf": NOW - 2000, "exp": NOW - 300}),
            (
                r"Current time: 2027-01-15T08:00:00\.0000000Z, assertion valid from 2027-01-15T07:26:40\.0000000Z, "
                r"expiry time of assertion 2027-01-15T07:55:00\.0000000Z\."
            ),
        ),
        ("an assertion of the future", with_assertion(claims={"nbf": NOW + 301}), "not within its valid time range"),
        ("an issue time of the future", with_assertion(claims={"nbf": None, "iat": NOW + 301}), "valid from 2027-"),
        ("an end before the start", with_assertion(claims={"exp": NOW - 1}), "assertion 2027-01-15T07:59:59"),
        ("no start at all", with_assertion(claims={"nbf": None, "iat": None, "exp": 9}), "from 0001-01-01T"),
        ("a start before the calendar", with_assertion(claims={"nbf": -1e15, "exp": 9}), "from 0001-01-01T"),
        ("a start after the calendar", with_assertion(claims={"nbf": 1e15}), "from 9999-01-01T"),
    ],
    (700023, *CLIENT): [
        ("another audience", with_assertion(claims={"aud": "https://example.org"}), "audience claim does not match"),
        ("an audience that is a number", with_assertion(claims={"aud": 5}), "audience claim does not match"),
        ("other audiences", with_assertion(claims={"aud": ["a", {}]}), "audience claim does not match"),
    ],
    (700021, *CLIENT): [
        ("another client", with_assertion(claims={"iss": "x", "sub": "x"}), "doesn't match 'client_id'")
    ],
    (700022, *CLIENT): [("no subject", with_assertion(claims={"sub": None}), "subject claim")],
    (50048, *CLIENT): [("another subject", with_assertion(claims={"sub": "x"}), "Subject must match Issuer")],
    (90014, *REQUEST): [
        (
            f"no {name}",
            with_assertion(claims={name: None}),
            f"The required field '{name}' is missing from the credential",
        )
        for name in ("iss", "aud", "exp")
    ],
    (50027, *REQUEST): [
        ("no JWT", with_text("nonsense"), r"JWT token is invalid or malformed\."),
        ("two segments", with_text("e30.e30"), "three segments"),
        ("no base64", with_text("!.!.!"), "the header is not base64url"),
        ("no JSON", with_text("eA.e30.e30"), "the header is not JSON"),
        ("a header that is a list", with_text("W10.e30.e30"), "the header is not a JSON object"),
        ("a bottomless header", with_text(f"{b64url(b'[' * 90_000)}.e30.e30"), "the header is not JSON"),
        ("NaN", with_text(sign({"alg": "RS256"}, b'{"exp": NaN}', None)), "the payload is not JSON"),
        ("an exp that is a word", with_assertion(claims={"exp": "soon"}), "'exp' is not a number"),
        ("an exp that is true", with_assertion(claims={"exp": True}), "'exp' is not a number"),
        ("an exp without end", with_assertion(claims={"exp": "inf"}), "'exp' is not a time"),
        ("an exp beyond floats", with_assertion(claims={"exp": 10**400}), "'exp' is not a number"),
        ("a thumbprint that is a number", with_assertion({"x5t_s256": 5}), "x5t#S256 is not a string"),
        ("a critical extension", with_assertion({"crit": ["b64"], "b64": False}), "critical extensions"),
    ],
    (5002723, *CLIENT): [("no thumbprint", with_assertion({"x5t_s256": None}), "nor keyId")],
    (5002738, *CLIENT): [
        (
            "ES256",
            elliptic_signature,
            "'ES256' is not a supported signature algorithm. Supported signing algorithms are: 'RS256, .*PS256",
        ),
        ("HS256", symmetric_signature, "'HS256' is not a supported signature algorithm"),
        ("none", with_assertion({"alg": "none"}), "'none' is not a supported"),
        ("no alg", with_assertion({"alg": None}), "'None' is not a supported"),
        ("an alg that is a list", with_assertion({"alg": ["RS256"]}), "is not a supported"),
    ],
    (1000502, *CLIENT): [("a certificate of the future", not_yet_valid_certificate, "validity period")],
    (7000214, *CLIENT): [("a revoked certificate", revoked, "revoked")],
}


@each(FAULTS)
def test_a_faulty_assertion_is_refused_with_its_code(world: World, answer: Answer, send: Send, text: str) -> None:
    check(send(world), answer, text)
