"""A signature verifies if an independent library says so, and not otherwise."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from hypothesis import given, settings
from hypothesis import strategies as st
from jwt.algorithms import get_default_algorithms

from azure_certvar_credential.exceptions import ConfigurationError
from azure_certvar_credential.signers.algorithms import ALGORITHMS
from azure_certvar_credential.signers.verification import verify
from tests.certificates import making

RSA = making.rsa_key()
CURVES = {"secp256r1": making.ec_key(3), "secp384r1": making.ec_key(0, ec.SECP384R1)}
CURVES["secp521r1"] = making.ec_key(0, ec.SECP521R1)
PYJWT = get_default_algorithms()


def key_for(algorithm: str) -> Any:
    curve = ALGORITHMS[algorithm].curve
    return CURVES[curve] if curve else RSA


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@given(message=st.binary(max_size=200), data=st.data())
@settings(max_examples=15)
def test_what_pyjwt_signed_verifies_until_a_bit_is_changed(algorithm: str, message: bytes, data: st.DataObject) -> None:
    key = key_for(algorithm)
    signature = PYJWT[algorithm].sign(message, key)

    assert verify(key.public_key(), message, signature, algorithm)

    changed = bytearray(signature)
    changed[data.draw(st.integers(0, len(signature) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert not verify(key.public_key(), message, bytes(changed), algorithm)
    assert not verify(key.public_key(), message + b"\0", signature, algorithm)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@given(garbage=st.binary(max_size=300))
@settings(max_examples=30)
def test_garbage_of_any_length_does_not_verify(algorithm: str, garbage: bytes) -> None:
    assert not verify(key_for(algorithm).public_key(), b"message", garbage, algorithm)


@pytest.mark.parametrize("filling", [b"\x00", b"\xff"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_extreme_numbers_of_the_right_length_do_not_verify(algorithm: str, filling: bytes) -> None:
    key = key_for(algorithm)
    length = len(PYJWT[algorithm].sign(b"message", key))

    assert not verify(key.public_key(), b"message", filling * length, algorithm)


def test_another_family_hash_or_salt_does_not_verify() -> None:
    public_key = RSA.public_key()
    signature = PYJWT["PS256"].sign(b"message", RSA)
    for algorithm in ("RS256", "PS384", "PS512"):
        assert not verify(public_key, b"message", signature, algorithm)
    short_salt = RSA.sign(b"message", padding.PSS(padding.MGF1(hashes.SHA256()), 20), hashes.SHA256())
    assert not verify(public_key, b"message", short_salt, "PS256")


def test_der_is_no_jws_signature() -> None:
    key = CURVES["secp256r1"]
    assert not verify(key.public_key(), b"message", key.sign(b"message", ec.ECDSA(hashes.SHA256())), "ES256")


def test_another_key_does_not_verify() -> None:
    signature = PYJWT["PS256"].sign(b"message", RSA)
    assert not verify(making.rsa_key(1).public_key(), b"message", signature, "PS256")


@pytest.mark.parametrize("algorithm", ["none", "HS256", "ES256"])
def test_an_algorithm_that_does_not_fit_is_an_error_and_no_verdict(algorithm: str) -> None:
    with pytest.raises(ConfigurationError):
        verify(RSA.public_key(), b"message", b"signature", algorithm)
