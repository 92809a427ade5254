"""Whatever is wrong with a certificate is named by its own class, with a text that helps and tells no secret."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from azure_certvar_credential.certificates import ClientCertificate
from azure_certvar_credential.exceptions import CertificateError, KeyMismatchError
from tests.certificates import making
from tests.certificates.bad_inputs import BAD_INPUTS
from tests.certificates.secrecy import assert_tells_nothing, secrets_of

if TYPE_CHECKING:
    from tests.certificates.kit import Kit


@pytest.mark.parametrize("bad", BAD_INPUTS)
def test_every_bad_input_is_named_and_nothing_leaks(kit: Kit, bad: str) -> None:
    made = BAD_INPUTS[bad](kit)
    password: Any = made.password

    began = time.perf_counter()
    with pytest.raises(made.error) as caught:
        ClientCertificate.load(made.data, password)

    assert time.perf_counter() - began < 20
    assert type(caught.value) is made.error
    assert made.says in str(caught.value)
    # An error of a parser has its input, or quotes it.
    assert caught.value.__cause__ is caught.value.__context__ is None
    assert_tells_nothing(caught.value, secrets_of(password))


def test_all_errors_are_value_errors() -> None:
    assert issubclass(CertificateError, ValueError)


def test_a_mismatch_names_both_halves(kit: Kit) -> None:
    other = making.self_signed("other", making.rsa_key(1))
    expected = kit.openssl("x509", "-noout", "-fingerprint", "-sha1", stdin=making.pem(other)).decode()
    key_hash = kit.openssl("rsa", "-in", "key.pem", "-pubout", "-outform", "DER")
    own_hash = kit.openssl("dgst", "-sha256", "-hex", stdin=key_hash).decode().split()[-1].upper()

    with pytest.raises(KeyMismatchError) as caught:
        ClientCertificate.load((other, kit.key))

    message = str(caught.value)
    assert expected.strip().rpartition("=")[2].replace(":", "") in message
    assert f"private key with public-key SHA-256 {own_hash}" in message
    assert message.count("public-key SHA-256") == 2


@pytest.mark.parametrize(
    "secret",
    [
        "q8Q~client.secret~that-is-forty-characters-x",
        "abcd/efgh+ijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQ==",
        "/bcd/efgh+ijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQ==",
        "x" * 70 + ".key",
    ],
)
def test_another_secret_in_place_of_the_certificate_is_not_repeated(secret: str) -> None:
    with pytest.raises(CertificateError) as caught:
        ClientCertificate.load(secret)

    assert secret[:20] not in str(caught.value)


def test_a_long_path_is_shown_to_a_hundred_characters() -> None:
    with pytest.raises(CertificateError) as caught:
        ClientCertificate.load("/a b" * 60 + ".key")

    assert "/a b" * 25 in str(caught.value)
    assert "/a b" * 26 not in str(caught.value)
