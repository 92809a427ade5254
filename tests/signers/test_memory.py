"""The in-memory signer makes JWS signatures that an independent library verifies."""

from __future__ import annotations

import copy
import pickle

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from jwt.algorithms import get_default_algorithms

from azure_certvar_credential.exceptions import ConfigurationError
from azure_certvar_credential.signers.algorithms import ALGORITHMS
from azure_certvar_credential.signers.keys import PrivateKey
from azure_certvar_credential.signers.memory import MemorySigner
from azure_certvar_credential.signers.protocol import Signer
from tests.certificates import making
from tests.certificates.secrecy import assert_tells_nothing, secrets_of

KEYS: dict[str, PrivateKey] = {
    "RSA 2048": making.rsa_key(),
    "EC secp256r1": making.ec_key(3),
    "EC secp384r1": making.ec_key(0, ec.SECP384R1),
    "EC secp521r1": making.ec_key(0, ec.SECP521R1),
}
FITS = {
    (algorithm, key)
    for algorithm, row in ALGORITHMS.items()
    for key in KEYS
    if key == (f"EC {row.curve}" if row.curve else "RSA 2048")
}
VERIFIERS = get_default_algorithms()


@pytest.mark.parametrize(("algorithm", "key"), sorted(FITS))
@given(message=st.binary(max_size=300))
@settings(max_examples=10)
def test_pyjwt_verifies_every_algorithm(algorithm: str, key: str, message: bytes) -> None:
    signer = MemorySigner(KEYS[key])

    signature = signer.sign(message, algorithm)

    assert VERIFIERS[algorithm].verify(message, signer.public_key, signature)
    assert not VERIFIERS[algorithm].verify(message + b"x", signer.public_key, signature)


@pytest.mark.parametrize(
    ("algorithm", "key"), sorted({(algorithm, key) for algorithm in ALGORITHMS for key in KEYS} - FITS)
)
def test_an_algorithm_that_does_not_fit_names_both(algorithm: str, key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        MemorySigner(KEYS[key]).sign(b"message", algorithm)

    assert f"algorithm {algorithm} needs" in str(caught.value)
    assert key in str(caught.value)


@pytest.mark.parametrize("algorithm", ["none", "HS256", "", "ps256", "RSA-OAEP"])
def test_an_algorithm_of_another_kind_is_refused(algorithm: str) -> None:
    with pytest.raises(ConfigurationError, match="is not one of"):
        MemorySigner(KEYS["RSA 2048"]).sign(b"message", algorithm)


@pytest.mark.parametrize("key", KEYS)
def test_ecdsa_signatures_have_the_length_of_the_curve(key: str) -> None:
    # RFC 7518 section 3.4; r or s is shorter once in 128 signatures and has to be filled up.
    private_key = KEYS[key]
    if isinstance(private_key, rsa.RSAPrivateKey):
        assert len(MemorySigner(private_key).sign(b"message", "PS256")) == 256
        return
    length = 2 * ((private_key.curve.key_size + 7) // 8)
    algorithm = next(name for name, row in ALGORITHMS.items() if row.curve == private_key.curve.name)
    signer = MemorySigner(private_key)

    assert {len(signer.sign(b"message", algorithm)) for _ in range(300)} == {length}


def test_the_salt_of_pss_is_as_long_as_the_hash() -> None:
    key = making.rsa_key()
    signature = MemorySigner(key).sign(b"message", "PS384")

    key.public_key().verify(signature, b"message", padding.PSS(padding.MGF1(hashes.SHA384()), 48), hashes.SHA384())
    with pytest.raises(InvalidSignature):
        key.public_key().verify(signature, b"message", padding.PSS(padding.MGF1(hashes.SHA384()), 32), hashes.SHA384())


def test_it_is_a_signer_and_gives_both_halves() -> None:
    key = making.rsa_key()
    signer = MemorySigner(key)

    assert isinstance(signer, Signer)
    assert signer.private_key is key
    assert signer.public_key == key.public_key()


@pytest.mark.parametrize("key", KEYS)
def test_repr_names_the_kind_of_key_only(key: str) -> None:
    signer = MemorySigner(KEYS[key])
    assert repr(signer) == f"<MemorySigner {key} at {id(signer):#x}>"


@pytest.mark.parametrize("act", [pickle.dumps, copy.copy, copy.deepcopy])
def test_it_is_neither_pickled_nor_copied(act: object) -> None:
    assert callable(act)
    with pytest.raises(TypeError, match="cannot be pickled or copied") as caught:
        act(MemorySigner(making.rsa_key()))

    assert_tells_nothing(caught.value, secrets_of())
