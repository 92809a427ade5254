"""The public half of a key is read from any usual form, and nothing else is taken for one."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from azure_certvar_credential.exceptions import CertificateFormatError, ConfigurationError, UnsupportedKeyError
from azure_certvar_credential.signers.algorithms import ALGORITHMS
from azure_certvar_credential.signers.keys import PublicKey, described, fitting, signature_length
from azure_certvar_credential.signers.public_keys import public_key_from
from tests.certificates import making
from tests.certificates.secrecy import assert_tells_nothing, secrets_of

RSA = making.rsa_key()
EC = making.ec_key(3)
CERTIFICATES = {"RSA": making.self_signed("rsa", RSA), "EC": making.self_signed("ec", EC)}
KEYS: dict[str, PublicKey] = {"RSA": RSA.public_key(), "EC": EC.public_key()}


def forms(certificate: x509.Certificate, key: PublicKey) -> dict[str, object]:
    pem = certificate.public_bytes(Encoding.PEM)
    spki = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return {
        "key": key,
        "certificate": certificate,
        "certificate PEM": pem,
        "certificate PEM text": pem.decode(),
        "certificate PEM after a comment": b"subject=CN = leaf\n" + pem,
        "certificate DER": certificate.public_bytes(Encoding.DER),
        "certificate DER view": memoryview(certificate.public_bytes(Encoding.DER)),
        "key PEM": spki,
        "key PEM text": f"\n{spki.decode()}\n",
        "key DER": key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "certificate PEM before its private key": pem + making.key_bytes(RSA, Encoding.PEM),
    }


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("form", forms(CERTIFICATES["RSA"], KEYS["RSA"]))
def test_every_form_gives_the_same_key(kind: str, form: str) -> None:
    assert public_key_from(forms(CERTIFICATES[kind], KEYS[kind])[form]) == KEYS[kind]


@pytest.mark.parametrize(
    ("source", "error", "words"),
    [
        (RSA, CertificateFormatError, "public_key is a private key (RSAPrivateKey)"),
        (making.key_bytes(RSA, Encoding.PEM), CertificateFormatError, "private key in PEM"),
        (making.key_bytes(EC, Encoding.PEM).decode(), CertificateFormatError, "private key in PEM"),
        (making.key_bytes(RSA, Encoding.DER), CertificateFormatError, "neither a certificate nor a public key"),
        (b"", CertificateFormatError, "the 0 bytes"),
        ("hunter2", CertificateFormatError, "the 7 bytes"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", CertificateFormatError, "neither"),
        (CERTIFICATES["RSA"].public_bytes(Encoding.DER)[:-1], CertificateFormatError, "neither"),
        (None, CertificateFormatError, "of type NoneType"),
        (object(), CertificateFormatError, "of type object"),
        (ed25519.Ed25519PrivateKey.generate().public_key(), UnsupportedKeyError, "Ed25519PublicKey"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_public_key_is_named_and_not_shown(source: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error) as caught:
        public_key_from(source)

    assert words in str(caught.value)
    assert_tells_nothing(caught.value, [*secrets_of(), "hunter2"])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("key", [RSA, EC, making.ec_key(0, ec.SECP384R1), making.ec_key(0, ec.SECP521R1)])
def test_an_algorithm_fits_a_key_of_its_type_and_curve(algorithm: str, key: Any) -> None:
    row = ALGORITHMS[algorithm]
    public_key = key.public_key()
    if (row.curve or "RSA 2048") in described(public_key):
        assert fitting(public_key, algorithm) is row
    else:
        with pytest.raises(ConfigurationError, match=f"{algorithm} needs .* but this key is {described(public_key)}"):
            fitting(public_key, algorithm)


@pytest.mark.parametrize(
    ("key", "length"),
    [(RSA, 256), (EC, 64), (making.ec_key(0, ec.SECP384R1), 96), (making.ec_key(0, ec.SECP521R1), 132)],
)
def test_a_signature_has_the_length_that_rfc_7518_gives_it(key: Any, length: int) -> None:
    assert signature_length(key.public_key()) == length
