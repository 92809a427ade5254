"""The client assertion: what is in it, for whom, and how it is written."""

from __future__ import annotations

import json
import re
from base64 import b64decode, urlsafe_b64decode
from typing import Any

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from azure_certvar_credential._core.client_authentication.assertion import (
    LIFETIME,
    compact,
    encoded_header,
    signing_input,
)
from azure_certvar_credential.signers.encoding import base64url
from tests.core.certificates import certificate

RSA_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
ALGORITHMS = [*RSA_ALGORITHMS, "ES256", "ES384", "ES512"]
STRICT = re.compile(r"[A-Za-z0-9_-]+")
ENDPOINT = "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token"


def decoded(segment: str) -> Any:
    assert STRICT.fullmatch(segment)
    return json.loads(urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))


def claims_of(message: bytes) -> dict[str, Any]:
    claims: dict[str, Any] = decoded(message.decode("ascii").split(".")[1])
    return claims


def message(**changed: Any) -> bytes:
    arguments: dict[str, Any] = {
        "client_id": "a-client",
        "audience": ENDPOINT,
        "issued_at": 1_800_000_000.75,
        "jti": "an-id",
        **changed,
    }
    return signing_input(encoded_header(certificate(), "PS256"), **arguments)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_header_names_algorithm_type_and_sha256_thumbprint(algorithm: str) -> None:
    header = decoded(encoded_header(certificate(), algorithm))
    assert header["alg"] == algorithm
    assert header["typ"] == "JWT"
    assert header["x5t#S256"] == certificate().x5t_s256
    assert "x5c" not in header


@pytest.mark.parametrize(("algorithm", "sha1"), [(name, name.startswith("RS")) for name in ALGORITHMS])
def test_the_sha1_thumbprint_is_there_for_verifiers_of_rs_algorithms(algorithm: str, sha1: bool) -> None:
    header = decoded(encoded_header(certificate(), algorithm))
    assert header.get("x5t") == (certificate().x5t if sha1 else None)


def test_adfs_gets_the_sha1_thumbprint_alone() -> None:
    header = decoded(encoded_header(certificate(), "RS256", sha1_only=True))
    assert header == {"alg": "RS256", "typ": "JWT", "x5t": certificate().x5t}


def test_x5c_is_an_array_of_unwrapped_standard_base64_leaf_first() -> None:
    header = decoded(encoded_header(certificate(), "PS256", with_chain=True))
    assert header["x5c"] == list(certificate().x5c)
    leaf, issuer = [x509.load_der_x509_certificate(b64decode(text, validate=True)) for text in header["x5c"]]
    assert leaf.subject.rfc4514_string() == "CN=one"
    assert leaf.issuer == issuer.subject


def test_headers_of_different_certificates_differ() -> None:
    # The encoded header is cached; the cache must not confuse certificates or options.
    seen = {
        encoded_header(certificate(name), algorithm, sha1_only=sha1, with_chain=chain)
        for name in ("one", "two")
        for algorithm in ("RS256", "PS256")
        for sha1 in (False, True)
        for chain in (False, True)
    }
    assert len(seen) == 16


def test_the_claims_are_those_of_rfc_7523_with_integer_times_ten_minutes_apart() -> None:
    assert claims_of(message()) == {
        "aud": ENDPOINT,
        "iss": "a-client",
        "sub": "a-client",
        "jti": "an-id",
        "iat": 1_800_000_000,
        "nbf": 1_800_000_000,
        "exp": 1_800_000_600,
    }
    assert LIFETIME == 600


@given(
    issued_at=st.floats(0, 253402300799),
    jti=st.text(min_size=1),
    client_id=st.text(min_size=1),
    audience=st.text(min_size=1),
)
def test_any_claims_come_back_unchanged_with_integer_times(
    issued_at: float, jti: str, client_id: str, audience: str
) -> None:
    signed = message(issued_at=issued_at, jti=jti, client_id=client_id, audience=audience)
    claims = claims_of(signed)
    assert (claims["jti"], claims["iss"], claims["sub"], claims["aud"]) == (jti, client_id, client_id, audience)
    assert all(type(claims[name]) is int for name in ("iat", "nbf", "exp"))
    assert claims["iat"] == claims["nbf"] == int(issued_at) <= issued_at
    assert claims["exp"] - claims["nbf"] == LIFETIME


@given(st.binary())
def test_base64url_is_strict_and_loses_nothing(octets: bytes) -> None:
    text = base64url(octets)
    assert re.fullmatch(r"[A-Za-z0-9_-]*", text)
    assert urlsafe_b64decode(text + "=" * (-len(text) % 4)) == octets


@given(jti=st.text(min_size=1), signature=st.binary(min_size=1, max_size=600), chain=st.booleans())
def test_a_compact_assertion_is_three_strict_segments(jti: str, signature: bytes, chain: bool) -> None:
    header = encoded_header(certificate(), "PS256", with_chain=chain)
    signed = signing_input(header, client_id="c", audience=ENDPOINT, issued_at=0, jti=jti)
    segments = compact(signed, signature).split(".")
    assert len(segments) == 3
    assert all(STRICT.fullmatch(segment) for segment in segments)
    assert ".".join(segments[:2]).encode() == signed
