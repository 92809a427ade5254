"""Assertions verified by two implementations of JOSE that nobody here wrote."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwk
from joserfc import jwt as joserfc_jwt

from azure_certvar_credential._core.client_authentication.assertion import compact, encoded_header, signing_input
from azure_certvar_credential.certificates import ClientCertificate
from tests.core.certificates import certificate

ENDPOINT = "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token"
NOW = 1_800_000_000.25
CASES = [
    *[(name, "RSA") for name in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")],
    *[("ES256", "P-256"), ("ES384", "P-384"), ("ES512", "P-521")],
]
CLAIMS = {
    "aud": ENDPOINT,
    "iss": "a-client",
    "sub": "a-client",
    "jti": "an-id",
    "iat": 1_800_000_000,
    "nbf": 1_800_000_000,
    "exp": 1_800_000_600,
}


def assertion(signed_by: ClientCertificate, algorithm: str, *, with_chain: bool = False) -> str:
    header = encoded_header(signed_by, algorithm, with_chain=with_chain)
    message = signing_input(header, client_id="a-client", audience=ENDPOINT, issued_at=NOW, jti="an-id")
    return compact(message, signed_by.signer.sign(message, algorithm))


def public_pem(owner: ClientCertificate) -> bytes:
    return owner.signer.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def claims_by_pyjwt(token: str, owner: ClientCertificate, algorithm: str) -> dict[str, Any]:
    # The times are those of the test, not of the day on which it runs.
    options: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    claims: dict[str, Any] = jwt.decode(token, public_pem(owner), [algorithm], options=options, audience=ENDPOINT)
    return claims


@pytest.mark.parametrize(("algorithm", "key"), CASES)
def test_pyjwt_verifies_every_algorithm(algorithm: str, key: str) -> None:
    signed_by = certificate(key=key)
    assert claims_by_pyjwt(assertion(signed_by, algorithm), signed_by, algorithm) == CLAIMS


@pytest.mark.parametrize(("algorithm", "key"), CASES)
def test_joserfc_verifies_every_algorithm(algorithm: str, key: str) -> None:
    signed_by = certificate(key=key)
    public = (jwk.RSAKey if key == "RSA" else jwk.ECKey).import_key(public_pem(signed_by))
    token = joserfc_jwt.decode(assertion(signed_by, algorithm), public, algorithms=[algorithm])
    assert token.claims == CLAIMS
    assert token.header["alg"] == algorithm


@pytest.mark.parametrize(("algorithm", "key"), CASES)
def test_an_altered_assertion_and_another_key_are_noticed(algorithm: str, key: str) -> None:
    signed_by = certificate(key=key)
    header, claims, signature = assertion(signed_by, algorithm).split(".")
    altered = f"{header}.{claims[:-4]}{'AAAA' if claims[-4:] != 'AAAA' else 'BBBB'}.{signature}"
    with pytest.raises(jwt.InvalidSignatureError):
        claims_by_pyjwt(altered, signed_by, algorithm)
    with pytest.raises(jwt.InvalidSignatureError):
        claims_by_pyjwt(assertion(signed_by, algorithm), certificate("two", key), algorithm)


@pytest.mark.parametrize("with_chain", [False, True])
@pytest.mark.parametrize(("algorithm", "key"), CASES)
def test_every_segment_and_thumbprint_is_strict_base64url(algorithm: str, key: str, with_chain: bool) -> None:
    token = assertion(certificate(key=key), algorithm, with_chain=with_chain)
    assert re.fullmatch(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", token)
    header = jwt.get_unverified_header(token)
    thumbprints = [value for name, value in header.items() if name.startswith("x5t")]
    assert len(thumbprints) == 1 + algorithm.startswith("RS")
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", value) for value in thumbprints)


@pytest.mark.parametrize(("algorithm", "key"), CASES)
def test_the_leaf_in_x5c_verifies_the_signature(algorithm: str, key: str) -> None:
    token = assertion(certificate(key=key), algorithm, with_chain=True)
    leaf = x509.load_der_x509_certificate(b64decode(jwt.get_unverified_header(token)["x5c"][0], validate=True))
    pem = leaf.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert (
        jwt.decode(
            token,
            pem,
            [algorithm],
            options={"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False},
        )
        == CLAIMS
    )
