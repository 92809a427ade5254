"""Whatever a PFX is encrypted with, it is read: here, or by OpenSSL where the cipher is left to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat

from azure_certvar_credential.certificates import ClientCertificate
from azure_certvar_credential.certificates.ber import MalformedError, parse_first
from azure_certvar_credential.certificates.pkcs12.kdf import can_derive, derive
from azure_certvar_credential.exceptions import CertificateFormatError, UnsupportedKeyError, WrongPasswordError
from tests.certificates import making, raw
from tests.certificates.kit import PASSWORD
from tests.certificates.pfx_parts import (
    KEY_BAG,
    PBE_3DES,
    PBE_RC4,
    PBES2,
    PBKDF2,
    certificate_bag,
    encrypted,
    key_bag,
    pbe,
    pfx_of,
    plain,
    sealed,
    shrouded,
    typed,
    with_mac,
)

if TYPE_CHECKING:
    from tests.certificates.kit import Kit

MODERN = ["aes-128-cbc", "aes-192-cbc", "aes-256-cbc", "des-ede3-cbc", "camellia-256-cbc"]
PKCS12 = ["3DES", "2DES", "RC2-128", "RC2-40", "RC4-128", "RC4-40"]
CIPHERS = [*MODERN, *(f"PBE-SHA1-{name}" for name in PKCS12)]


def made_with(kit: Kit, cipher: str, *options: str, password: str = PASSWORD) -> bytes:
    return kit.openssl_pfx("-legacy", "-keypbe", cipher, "-certpbe", cipher, *options, password=password)


@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("password", [PASSWORD, "pässwörd ✓ 𝄞", ""], ids=["ASCII", "wide", "empty"])
def test_every_cipher_is_read_with_its_chain(kit: Kit, cipher: str, password: str) -> None:
    loaded = ClientCertificate.load(made_with(kit, cipher, password=password), password)

    assert loaded.leaf == kit.leaf
    assert loaded.chain == (kit.intermediate, kit.root)


@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("password", [PASSWORD, ""], ids=["ASCII", "empty"])
def test_every_cipher_is_read_without_a_mac(kit: Kit, cipher: str, password: str) -> None:
    assert ClientCertificate.load(made_with(kit, cipher, "-nomac", password=password), password).leaf == kit.leaf


@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("options", [(), ("-nomac",)], ids=["MAC", "no MAC"])
def test_a_wrong_password_is_one_whatever_the_cipher(kit: Kit, cipher: str, options: tuple[str, ...]) -> None:
    with pytest.raises(WrongPasswordError, match="does not open the PFX"):
        ClientCertificate.load(made_with(kit, cipher, *options), "wrong")


def test_keys_and_certificates_may_have_different_ciphers(kit: Kit) -> None:
    for key, certificates in (("aes-256-cbc", "PBE-SHA1-RC2-40"), ("PBE-SHA1-RC4-128", "aes-256-cbc")):
        made = kit.openssl_pfx("-legacy", "-keypbe", key, "-certpbe", certificates)

        assert ClientCertificate.load(made, PASSWORD).leaf == kit.leaf


@pytest.mark.parametrize("scheme", [PBES2, PBE_3DES, PBE_RC4], ids=["PBES2", "3DES", "RC4"])
@pytest.mark.parametrize("written", [None, ""], ids=["none", "empty"])
@pytest.mark.parametrize("given", [None, "", PASSWORD], ids=["none", "empty", "superfluous"])
def test_no_password_is_taken_in_both_ways_in_which_it_is_written(
    kit: Kit, scheme: str, written: str | None, given: str | None
) -> None:
    made = pfx_of(sealed(raw.tlv(0x30, certificate_bag(kit.leaf)), written, scheme), plain(key_bag(kit.key)))

    assert ClientCertificate.load(made, given).leaf == kit.leaf


def test_a_key_in_an_encoding_that_only_openssl_takes_is_read(kit: Kit) -> None:
    # A length in more octets than it needs: BER, and no DER (X.690 clause 10.1).
    rsa = making.key_bytes(kit.key, Encoding.DER, PrivateFormat.TraditionalOpenSSL)
    assert rsa[:2] == b"\x30\x82"
    algorithm = raw.tlv(0x30, raw.oid("1.2.840.113549.1.1.1") + b"\5\0")
    key = raw.tlv(0x30, raw.integer(0) + algorithm + raw.tlv(4, b"\x30\x83\0" + rsa[2:]))
    bags = [typed(KEY_BAG, key), certificate_bag(kit.leaf)]

    assert ClientCertificate.load(pfx_of(plain(*bags))).leaf == kit.leaf
    assert ClientCertificate.load(pfx_of(sealed(raw.tlv(0x30, b"".join(bags)), PASSWORD)), PASSWORD).leaf == kit.leaf


def test_a_key_that_is_encrypted_twice_is_damaged(kit: Kit) -> None:
    twice = typed(KEY_BAG, making.key_bytes(kit.key, Encoding.DER, password=PASSWORD.encode()))
    made = with_mac(raw.tlv(0x30, plain(twice, certificate_bag(kit.leaf))), PASSWORD)

    with pytest.raises(CertificateFormatError, match="although the password is right"):
        ClientCertificate.load(made, PASSWORD)


def test_a_weak_key_in_a_pfx_is_named() -> None:
    weak = making.rsa_key(0, 1024)

    with pytest.raises(UnsupportedKeyError, match="1024 bits"):
        ClientCertificate.load(pfx_of(plain(key_bag(weak), certificate_bag(making.self_signed("leaf", weak)))))


def pbes2_with(derivation: bytes, cipher: bytes) -> bytes:
    return raw.tlv(0x30, raw.oid(PBES2) + raw.tlv(0x30, derivation + cipher))


AES_256 = raw.tlv(0x30, raw.oid("2.16.840.1.101.3.4.1.42") + raw.tlv(4, bytes(16)))
SALTED = raw.tlv(4, b"saltsalt") + raw.integer(1)


def pbkdf2(*parameters: bytes) -> bytes:
    return raw.tlv(0x30, raw.oid(PBKDF2) + raw.tlv(0x30, b"".join(parameters)))


DAMAGED = {
    "no iteration": pbes2_with(pbe(0, PBKDF2), AES_256),
    "fewer than none": pbes2_with(pbe(-1, PBKDF2), AES_256),
    "another key length": pbes2_with(pbkdf2(SALTED, raw.integer(16)), AES_256),
    "a key of gigabytes": pbes2_with(pbkdf2(SALTED, raw.integer(2**31)), AES_256),
    "an unknown function": pbes2_with(pbkdf2(SALTED, raw.tlv(0x30, raw.oid("1.2.3"))), AES_256),
    "an unknown cipher": pbes2_with(pbkdf2(SALTED), raw.tlv(0x30, raw.oid("1.2.3"))),
    "no initial value": pbes2_with(pbkdf2(SALTED), raw.tlv(0x30, raw.oid("2.16.840.1.101.3.4.1.42"))),
    "a short one": pbes2_with(pbkdf2(SALTED), raw.tlv(0x30, raw.oid("2.16.840.1.101.3.4.1.42") + raw.tlv(4, bytes(8)))),
    "no cipher": pbes2_with(pbkdf2(SALTED), b""),
    "no parameters": raw.tlv(0x30, raw.oid("1.2.840.113549.1.12.1.3")),
}


@pytest.mark.parametrize("damage", DAMAGED)
@pytest.mark.parametrize("part", [encrypted, lambda algorithm: plain(shrouded(algorithm))], ids=["safe", "key"])
def test_encryption_with_damaged_parameters_is_an_error(kit: Kit, damage: str, part: object) -> None:
    safes = part(DAMAGED[damage]) + plain(certificate_bag(kit.leaf))  # type: ignore[operator]

    with pytest.raises(CertificateFormatError, match="although the password is right: it is damaged"):
        ClientCertificate.load(with_mac(raw.tlv(0x30, safes), PASSWORD), PASSWORD)
    with pytest.raises(WrongPasswordError):
        ClientCertificate.load(pfx_of(safes), PASSWORD)


def test_scrypt_derives_the_key_of_its_rfc() -> None:
    # RFC 7914 section 12, second and third vector.
    for password, salt, numbers, key in (
        (b"password", b"NaCl", (1024, 8, 16), "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"),
        (
            b"pleaseletmein",
            b"SodiumChloride",
            (16384, 8, 1),
            "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2",
        ),
    ):
        parameters = raw.tlv(4, salt) + b"".join(raw.integer(number) for number in numbers)
        algorithm = parse_first(raw.tlv(0x30, raw.oid("1.3.6.1.4.1.11591.4.11") + raw.tlv(0x30, parameters)))

        assert can_derive(algorithm)
        assert derive(algorithm, password, 32).hex() == key


def test_scrypt_with_numbers_that_are_no_good_is_damaged() -> None:
    # No power of 2, one missing, a negative one, and a cost of 2^(16 r) and more (RFC 7914 section 2).
    for numbers in ((1000, 8, 1), (1024, 8), (1024, -8, 1), (2**17, 1, 1)):
        parameters = raw.tlv(4, b"salt") + b"".join(raw.integer(number) for number in numbers)
        algorithm = parse_first(raw.tlv(0x30, raw.oid("1.3.6.1.4.1.11591.4.11") + raw.tlv(0x30, parameters)))

        with pytest.raises(MalformedError, match="key derivation parameters"):
            derive(algorithm, b"password", 32)
