"""Which key on the token, and what is wrong when it is not there (SoftHSM)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.exceptions import (
    AmbiguousPrivateKeyError,
    CertificateFormatError,
    ConfigurationError,
    KeyMismatchError,
    MissingCertificateError,
    MissingPrivateKeyError,
    PasswordError,
    PasswordRequiredError,
    UnsupportedKeyError,
    WrongPasswordError,
)
from azure_certvar_credential.signers.verification import verify
from tests.certificates import making
from tests.certificates.secrecy import assert_tells_nothing
from tests.real.softhsm import KEYS, PIN, SPARE, TWICE, SoftHsm, certificate_for, signer_of


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"pin": "999999"}, WrongPasswordError, ["'orders'", "rejects the PIN"]),
        ({"pin": ""}, WrongPasswordError, ["rejects the PIN"]),
        ({"pin": "9" * 400}, WrongPasswordError, ["rejects the PIN"]),
        ({"pin": "\ud800secret"}, PasswordError, ["UTF-8"]),
        ({"pin": lambda: b"bytes"}, PasswordError, ["returned bytes"]),
        ({"pin": 471100}, PasswordError, ["of type int"]),
        ({"pin": None}, PasswordRequiredError, ["needs a PIN", "give pin"]),
        (
            {"token_label": "nowhere"},
            ConfigurationError,
            ["no token with the label that", "'orders'", "'spare'"],
        ),
        ({"token_label": TWICE}, ConfigurationError, ["2 tokens labelled 'twice'"]),
        ({"token_label": ""}, ConfigurationError, ["token_label"]),
        (
            {"key_label": "nobody's"},
            MissingPrivateKeyError,
            ["no private key that fits key_label", "label 'app', id 01", "label 'P-256', id 02"],
        ),
        ({"key_id": b"\xff"}, MissingPrivateKeyError, ["that fits key_id", "label 'app', id 01"]),
        ({"key_label": "app", "key_id": "02"}, MissingPrivateKeyError, ["that fits key_label and key_id"]),
        ({}, AmbiguousPrivateKeyError, ["13 private keys:", "label 'app', id 01"]),
        ({"key_label": "twin"}, AmbiguousPrivateKeyError, ["id 05", "id 06", "key_id"]),
        ({"key_id": "xyz"}, ConfigurationError, ["not hexadecimal"]),
        ({"key_id": "471100=="}, ConfigurationError, ["key_id is not hexadecimal"]),
        ({"token_label": "secret" * 6}, ConfigurationError, ["1 to 32 characters"]),
        ({"key_label": "secret" * 99}, MissingPrivateKeyError, ["that fits key_label"]),
        ({"key_label": b"app"}, ConfigurationError, ["key_label must be CKA_LABEL, a str, not of type bytes"]),
        ({"key_id": 7}, ConfigurationError, ["of type int"]),
        ({"key_label": "for agreement"}, UnsupportedKeyError, ["CKA_SIGN"]),
        ({"key_label": "secp256k1"}, UnsupportedKeyError, ["a curve without a JWS algorithm"]),
        ({"key_label": "Ed25519"}, UnsupportedKeyError, ["label 'Ed25519', id 0c", "neither RSA nor EC"]),
        ({"key_label": "bare"}, MissingCertificateError, ["label 'bare', id 07", "as public_key"]),
    ],
    # Without the addresses of functions, which differ between the processes of one run.
    ids=lambda value: re.sub(r" at 0x[0-9a-f]+", "", str(value)),
)
def test_a_wrong_argument_is_named_at_construction(
    softhsm: SoftHsm, options: dict[str, Any], error: type[Exception], words: list[str]
) -> None:
    with pytest.raises(error) as caught:
        signer_of(softhsm, **options)

    assert type(caught.value) is error
    for word in words:
        assert word in str(caught.value)
    assert_tells_nothing(caught.value, [PIN, "999999", "secret"])


@pytest.mark.parametrize(
    "swapped",
    [
        {"token_label": PIN, "pin": "orders"},
        {"token_label": PIN},
        {"key_label": PIN},
        {"key_label": "app", "key_id": PIN},
        {"key_id": PIN + "x"},
        {"module_path": PIN},
        {"module_path": f"/{PIN}"},
    ],
    ids=str,
)
def test_a_pin_in_the_place_of_another_argument_is_not_shown(softhsm: SoftHsm, swapped: dict[str, Any]) -> None:
    with pytest.raises(Exception, match=r"\w") as caught:
        signer_of(softhsm, **{"key_label": "app", **swapped})

    assert_tells_nothing(caught.value, [PIN])


@pytest.mark.parametrize("key_id", [b"\x02", "02", "02:"])
def test_a_key_is_found_by_its_id_alone(softhsm: SoftHsm, key_id: bytes | str) -> None:
    with signer_of(softhsm, key_id=key_id) as by_id, signer_of(softhsm, key_label="P-256") as by_label:
        assert by_id.public_key == by_label.public_key


def test_the_only_key_of_a_token_needs_no_name(softhsm: SoftHsm) -> None:
    with signer_of(softhsm, token_label=SPARE) as signer:
        assert repr(signer) == f"<Pkcs11Signer EC secp256r1, token 'spare' at {id(signer):#x}>"


def test_the_public_key_comes_from_a_certificate_on_the_token(softhsm: SoftHsm) -> None:
    with signer_of(softhsm, key_label="certified") as signer:
        assert verify(signer.public_key, b"message", signer.sign(b"message", "ES256"), "ES256")


def test_the_public_key_may_be_given(softhsm: SoftHsm) -> None:
    wrong = making.ec_key()
    with signer_of(softhsm, key_label="bare", public_key=certificate_for(wrong.public_key())) as signer:
        assert signer.public_key == wrong.public_key()
        # And if it is not the key's own, the certificate's check of the first signature finds out.
        with pytest.raises(KeyMismatchError, match="does not verify"):
            ClientCertificate(certificate_for(wrong.public_key()), signer)


def test_the_fixture_holds_what_the_tests_name(softhsm: SoftHsm) -> None:
    for label, number in KEYS.items():
        if label not in {"bare", "for agreement", "secp256k1", "Ed25519"}:
            with signer_of(softhsm, key_label=label, key_id=bytes([number])) as signer:
                assert f"key {label!r}, id {number:02x} at " in repr(signer)


def test_the_certificate_beside_the_key_is_found_by_its_id(softhsm: SoftHsm) -> None:
    with signer_of(softhsm, key_label="certified") as signer:
        leaf = signer.certificate()

        assert leaf.subject.rfc4514_string() == "CN=certified"
        assert ClientCertificate(leaf, signer).subject == "CN=certified"


def test_a_key_without_a_certificate_says_so(softhsm: SoftHsm) -> None:
    with signer_of(softhsm, key_label="app") as signer, pytest.raises(MissingCertificateError) as caught:
        signer.certificate()

    assert "no certificate for the private key with label 'app', id 01" in str(caught.value)


def test_a_damaged_certificate_on_the_token_is_named(softhsm: SoftHsm) -> None:
    import pkcs11
    from pkcs11 import Attribute

    token = pkcs11.lib(softhsm.module).get_token(token_label=SPARE)
    with token.open(rw=True, user_pin=PIN) as session:
        session.create_object(
            {
                Attribute.CLASS: pkcs11.ObjectClass.CERTIFICATE,
                Attribute.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509,
                Attribute.TOKEN: True,
                Attribute.ID: b"\x01",
                Attribute.SUBJECT: b"0\x00",
                Attribute.VALUE: b"nonsense",
            }
        )
    with (
        signer_of(softhsm, token_label=SPARE) as signer,
        pytest.raises(CertificateFormatError, match="damaged") as caught,
    ):
        signer.certificate()

    assert caught.value.__context__ is None
