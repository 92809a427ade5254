"""A private key is opened whatever it is encrypted with, and a right password is never called wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat

from azure_certvar_credential.certificates import ClientCertificate
from azure_certvar_credential.certificates.pkcs12 import kdf_budget
from azure_certvar_credential.exceptions import (
    CertificateFormatError,
    PasswordRequiredError,
    UnsupportedKeyError,
    WrongPasswordError,
)
from tests.certificates import making, raw
from tests.certificates.bad_keys import encrypted_key
from tests.certificates.kit import PASSWORD
from tests.certificates.pfx_parts import PBE_3DES, PBES2, enciphered

if TYPE_CHECKING:
    from tests.certificates.kit import Kit

LEGACY = ("-provider", "legacy", "-provider", "default")
PBES2_CIPHERS = [
    *(f"aes-{bits}-{mode}" for bits in (128, 192, 256) for mode in ("cbc", "ecb", "ofb", "cfb")),
    *("des3", "des", "rc2", "camellia-256-cbc", "aria-256-cbc", "seed", "sm4-cbc"),
]
PRFS = ["MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512", "SHA512-224", "SHA512-256"]
PBES1 = ["MD5-DES", "MD5-RC2-64", "SHA1-DES", "SHA1-RC2-64"]
PKCS12 = ["SHA1-3DES", "SHA1-2DES", "SHA1-RC2-128", "SHA1-RC2-40", "SHA1-RC4-128", "SHA1-RC4-40"]
ENCRYPTIONS: dict[str, tuple[str, ...]] = {
    **{f"PBES2 {cipher}": ("-v2", cipher) for cipher in PBES2_CIPHERS},
    **{f"PBES2 hmacWith{prf}": ("-v2", "aes-256-cbc", "-v2prf", f"hmacWith{prf}") for prf in PRFS},
    **{f"PBE-{scheme}": ("-v1", f"PBE-{scheme}") for scheme in (*PBES1, *PKCS12)},
    "scrypt": ("-scrypt",),
}
TRADITIONAL = ["aes128", "aes192", "aes256", "des3", "des-cbc"]
# OpenSSL writes them still, and cryptography cannot decrypt with them everywhere.
NOT_TAKEN = {"camellia256": "CAMELLIA-256-CBC", "aria256": "ARIA-256-CBC"}


def pkcs8(kit: Kit, encryption: str, password: str = PASSWORD, encoding: str = "PEM") -> bytes:
    options = (*ENCRYPTIONS[encryption], *LEGACY, "-passout", f"pass:{password}", "-outform", encoding)
    return kit.openssl("pkcs8", "-topk8", "-in", "key.pem", *options)


def traditional(kit: Kit, cipher: str) -> bytes:
    made = kit.openssl("rsa", "-in", "key.pem", "-traditional", f"-{cipher}", *LEGACY, "-passout", f"pass:{PASSWORD}")
    assert b"Proc-Type: 4,ENCRYPTED" in made
    return made


@pytest.mark.parametrize("encryption", ENCRYPTIONS)
def test_every_encryption_of_pkcs8_is_opened(kit: Kit, encryption: str) -> None:
    for key in (pkcs8(kit, encryption), pkcs8(kit, encryption, encoding="DER")):
        assert ClientCertificate.load((key, kit.leaf), PASSWORD).leaf == kit.leaf


@pytest.mark.parametrize("encryption", ENCRYPTIONS)
def test_a_wrong_password_is_one_whatever_the_encryption(kit: Kit, encryption: str) -> None:
    with pytest.raises(WrongPasswordError, match="does not open the private key in PEM block 1"):
        ClientCertificate.load(pkcs8(kit, encryption) + kit.leaf_pem, "wrong")


@pytest.mark.parametrize("encryption", ENCRYPTIONS)
@pytest.mark.parametrize("given", [None, "", b""], ids=["none", "empty", "empty bytes"])
def test_a_key_with_the_empty_password_is_opened(kit: Kit, encryption: str, given: Any) -> None:
    assert ClientCertificate.load(pkcs8(kit, encryption, "") + kit.leaf_pem, given).leaf == kit.leaf


@pytest.mark.parametrize("scheme", [PBES2, PBE_3DES], ids=["PBES2", "3DES"])
@pytest.mark.parametrize("written", [None, ""], ids=["none", "empty"])
@pytest.mark.parametrize("given", [None, ""], ids=["none", "empty"])
def test_no_password_is_taken_in_both_ways_in_which_it_is_written(
    kit: Kit, scheme: str, written: str | None, given: str | None
) -> None:
    algorithm, content = enciphered(making.key_bytes(kit.key, Encoding.DER), written, scheme, 2)
    key = raw.tlv(0x30, algorithm + raw.tlv(4, content))

    assert ClientCertificate.load((kit.leaf, key), given).leaf == kit.leaf


@pytest.mark.parametrize(
    ("given", "says"),
    [(None, "is encrypted; give its password"), ("", "and the empty password does not open it; give its password")],
)
def test_no_password_and_an_empty_one_are_told_apart(kit: Kit, given: str | None, says: str) -> None:
    for key in (kit.encrypted_pem, traditional(kit, "aes256") + kit.leaf_pem):
        with pytest.raises(PasswordRequiredError, match=says):
            ClientCertificate.load(key, given)


def test_no_password_and_an_empty_one_are_told_apart_for_a_pfx(kit: Kit) -> None:
    with pytest.raises(PasswordRequiredError, match="is protected by a password; give it"):
        ClientCertificate.load(kit.pfx(PASSWORD))
    with pytest.raises(PasswordRequiredError, match="the empty one does not open it; give it"):
        ClientCertificate.load(kit.pfx(PASSWORD), "")


def test_the_second_way_of_writing_no_password_has_to_be_in_the_budget(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    algorithm, content = enciphered(making.key_bytes(kit.key, Encoding.DER), "", PBE_3DES, 2)
    made = (kit.leaf, raw.tlv(0x30, algorithm + raw.tlv(4, content)))

    monkeypatch.setattr(kdf_budget, "MAX_ITERATIONS", 4)
    assert ClientCertificate.load(made).leaf == kit.leaf
    monkeypatch.setattr(kdf_budget, "MAX_ITERATIONS", 3)
    with pytest.raises(PasswordRequiredError, match="give its password"):
        ClientCertificate.load(made)


@pytest.mark.parametrize("cipher", TRADITIONAL)
def test_every_cipher_of_the_traditional_encryption_is_opened(kit: Kit, cipher: str) -> None:
    pem = traditional(kit, cipher) + kit.leaf_pem

    assert ClientCertificate.load(pem, PASSWORD).leaf == kit.leaf
    with pytest.raises(WrongPasswordError, match="does not open the private key in PEM block 1"):
        ClientCertificate.load(pem, "wrong")


@pytest.mark.parametrize("cipher", TRADITIONAL)
def test_a_traditional_key_that_lost_all_white_space_is_opened(kit: Kit, cipher: str) -> None:
    pem = (traditional(kit, cipher) + kit.leaf_pem).decode()

    assert ClientCertificate.load("".join(pem.split("\n")), PASSWORD).leaf == kit.leaf
    assert ClientCertificate.load("\t \n".join(pem.split("\n")), PASSWORD).leaf == kit.leaf


@pytest.mark.parametrize("cipher", NOT_TAKEN)
@pytest.mark.parametrize("given", [PASSWORD, "wrong", None])
def test_a_traditional_cipher_that_is_not_taken_is_named(kit: Kit, cipher: str, given: str | None) -> None:
    with pytest.raises(CertificateFormatError, match=f"encrypted with {NOT_TAKEN[cipher]}, which is not supported"):
        ClientCertificate.load(traditional(kit, cipher) + kit.leaf_pem, given)


@pytest.mark.parametrize("given", [None, "", PASSWORD], ids=["none", "empty", "any"])
@pytest.mark.parametrize(
    ("derivation", "named"), [("1.2.3", "1.2.3"), ("1.2.840.113549.1.5.12", "1.2.3.4")], ids=["derivation", "cipher"]
)
def test_an_encryption_that_nobody_knows_is_no_matter_of_the_password(
    kit: Kit, derivation: str, named: str, given: str | None
) -> None:
    key = encrypted_key(derivation, raw.tlv(4, b"saltsalt") + raw.integer(1), cipher="1.2.3.4")

    with pytest.raises(CertificateFormatError, match=f"{named}, which is not supported"):
        ClientCertificate.load((kit.leaf, key), given)


def test_where_openssl_may_lack_a_cipher_a_failure_names_it(kit: Kit) -> None:
    for encryption, named in (("PBES2 seed", "SEED-CBC"), ("PBE-SHA1-RC4-40", "PBE-SHA1-RC4-40")):
        with pytest.raises(WrongPasswordError, match=f"or the installed OpenSSL has no {named}"):
            ClientCertificate.load(pkcs8(kit, encryption) + kit.leaf_pem, "wrong")


def test_a_key_in_an_encoding_that_only_openssl_takes_is_opened(kit: Kit) -> None:
    # A length in more octets than it needs: BER, and no DER (X.690 clause 10.1).
    rsa = making.key_bytes(kit.key, Encoding.DER, PrivateFormat.TraditionalOpenSSL)
    algorithm = raw.tlv(0x30, raw.oid("1.2.840.113549.1.1.1") + b"\5\0")
    key = raw.tlv(0x30, raw.integer(0) + algorithm + raw.tlv(4, b"\x30\x83\0" + rsa[2:]))
    algorithm, content = enciphered(key, PASSWORD, PBES2, 2)
    made = (kit.leaf, raw.tlv(0x30, algorithm + raw.tlv(4, content)))

    assert ClientCertificate.load(made, PASSWORD).leaf == kit.leaf


def test_what_is_opened_and_damaged_is_no_matter_of_the_password(kit: Kit) -> None:
    algorithm = raw.tlv(0x30, raw.oid("1.2.840.113549.1.1.1") + b"\5\0")
    damaged = raw.tlv(0x30, raw.integer(0) + algorithm + raw.tlv(4, bytes(200)))
    algorithm, content = enciphered(damaged, PASSWORD, PBES2, 2)

    with pytest.raises(CertificateFormatError, match="the password is right"):
        ClientCertificate.load((kit.leaf, raw.tlv(0x30, algorithm + raw.tlv(4, content))), PASSWORD)


@pytest.mark.parametrize("encryption", ["PBES2 aes-256-cbc", "PBES2 seed", "PBES2 hmacWithSHA512-256"])
def test_a_key_of_another_kind_is_named_when_it_is_opened(kit: Kit, encryption: str) -> None:
    key = kit.openssl("genpkey", "-algorithm", "Ed25519")
    options = (*ENCRYPTIONS[encryption], *LEGACY, "-passout", f"pass:{PASSWORD}")
    made = kit.openssl("pkcs8", "-topk8", *options, stdin=key)

    with pytest.raises(UnsupportedKeyError, match="Ed25519"):
        ClientCertificate.load(made + kit.leaf_pem, PASSWORD)


def test_encryption_with_damaged_parameters_is_damage(kit: Kit) -> None:
    # The pseudo-random function has no name.
    key = encrypted_key("1.2.840.113549.1.5.12", raw.tlv(4, b"salt") + raw.integer(1) + raw.tlv(0x30, b""))

    with pytest.raises(CertificateFormatError, match="is damaged"):
        ClientCertificate.load((kit.leaf, key), PASSWORD)
