"""The MAC of a PFX is verified as OpenSSL does it, and as RFC 9579 has it."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from azure_certvar_credential.certificates import ClientCertificate, ber
from azure_certvar_credential.certificates.pkcs12 import authenticated_safe
from azure_certvar_credential.certificates.pkcs12.kdf import EMPTY_PASSWORD, NO_PASSWORD, Passphrase
from azure_certvar_credential.certificates.pkcs12.mac_data import is_known, read_mac, verifies
from azure_certvar_credential.exceptions import CertificateFormatError, PasswordRequiredError, WrongPasswordError
from tests.certificates import raw
from tests.certificates.kit import PASSWORD
from tests.certificates.pfx_parts import (
    DATA,
    PBKDF2,
    PBMAC1,
    certificate_bag,
    key_bag,
    mac_of,
    pfx_of,
    plain,
    typed,
)

if TYPE_CHECKING:
    from tests.certificates.kit import Kit

ALGORITHMS = [
    *("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha512-224", "sha512-256"),
    *("sha3-224", "sha3-256", "sha3-384", "sha3-512"),
]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("password", [PASSWORD, "", "pässwörd ✓ 𝄞", "x" * 200], ids=["ASCII", "empty", "wide", "long"])
def test_our_mac_agrees_with_openssl(kit: Kit, algorithm: str, password: str) -> None:
    structure = authenticated_safe.inspect(ber.parse_first(kit.openssl_pfx("-macalg", algorithm, password=password)))
    mac = structure.mac

    assert mac is not None
    assert is_known(mac)
    assert verifies(mac, structure.content, Passphrase.of(password.encode())) is True
    for wrong in (NO_PASSWORD, Passphrase.of(b"wrong"), Passphrase.of(b"\xff\xfe")):
        assert verifies(mac, structure.content, wrong) is False


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_pfx_loads_whatever_its_mac(kit: Kit, algorithm: str) -> None:
    assert ClientCertificate.load(kit.openssl_pfx("-macalg", algorithm), PASSWORD).leaf == kit.leaf


def test_a_mac_in_latin_1_octets_is_verified_as_openssl_does(kit: Kit) -> None:
    made = pkcs12.serialize_key_and_certificates(None, kit.key, kit.leaf, None, BestAvailableEncryption("é".encode()))
    structure = authenticated_safe.inspect(ber.parse_first(made))

    assert structure.mac is not None
    assert verifies(structure.mac, structure.content, Passphrase.of("é".encode("latin-1"))) is True


def test_the_two_ways_to_write_no_password_are_told_apart() -> None:
    assert Passphrase.of(b"").bmp == EMPTY_PASSWORD.bmp
    assert NO_PASSWORD.bmp != EMPTY_PASSWORD.bmp


def test_a_passphrase_does_not_show_itself() -> None:
    assert PASSWORD not in repr(Passphrase.of(PASSWORD.encode()))


def test_the_iterations_of_a_mac_default_to_one() -> None:
    assert read_mac(ber.parse_first(mac_of(None))).iterations == 1


def test_a_mac_that_is_not_known_is_named(kit: Kit) -> None:
    digest = raw.tlv(0x30, raw.tlv(0x30, raw.oid("1.2.3.4")) + raw.tlv(4, bytes(20)))
    made = pfx_of(plain(key_bag(kit.key), certificate_bag(kit.leaf)), mac=raw.tlv(0x30, digest + raw.tlv(4, bytes(8))))

    with pytest.raises(CertificateFormatError, match=r"MAC with the algorithm 1\.2\.3\.4, which is not supported"):
        ClientCertificate.load(made, PASSWORD)


def with_pbmac1(
    content: bytes,
    password: str,
    *,
    prf: str | None = "1.2.840.113549.2.9",
    scheme: str = "1.2.840.113549.2.9",
    derived: int = 32,
    announced: int | None = None,
) -> bytes:
    """A PFX with the MAC of RFC 9579: PBKDF2 with HMAC-SHA-256 or the default, then HMAC-SHA-256."""
    made = hashlib.pbkdf2_hmac("sha256" if prf else "sha1", password.encode(), b"saltsalt", 3, derived)
    value = hmac.digest(made, content, "sha256")
    parameters = raw.tlv(4, b"saltsalt") + raw.integer(3)
    if announced is not None:
        parameters += raw.integer(announced)
    if prf:
        parameters += raw.tlv(0x30, raw.oid(prf) + b"\5\0")
    derivation = raw.tlv(0x30, raw.oid(PBKDF2) + raw.tlv(0x30, parameters))
    both = raw.tlv(0x30, derivation + raw.tlv(0x30, raw.oid(scheme) + b"\5\0"))
    digest_info = raw.tlv(0x30, raw.tlv(0x30, raw.oid(PBMAC1) + both) + raw.tlv(4, value))
    mac = raw.tlv(0x30, digest_info + raw.tlv(4, b"NOT USED") + raw.integer(1))
    return raw.tlv(0x30, raw.integer(3) + typed(DATA, raw.tlv(4, content)) + mac)


def bags(kit: Kit) -> bytes:
    return raw.tlv(0x30, plain(key_bag(kit.key), certificate_bag(kit.leaf)))


@pytest.mark.parametrize("prf", ["1.2.840.113549.2.9", None])
@pytest.mark.parametrize("length", [20, 32, 64])
def test_pbmac1_is_verified(kit: Kit, prf: str | None, length: int) -> None:
    made = with_pbmac1(bags(kit), PASSWORD, prf=prf, derived=length, announced=length)

    assert ClientCertificate.load(made, PASSWORD).leaf == kit.leaf
    with pytest.raises(WrongPasswordError, match="does not open the PFX"):
        ClientCertificate.load(made, "wrong")
    with pytest.raises(PasswordRequiredError):
        ClientCertificate.load(made)


@pytest.mark.parametrize("announced", [None, 0, 65, 2**31, -1])
def test_pbmac1_with_a_key_of_no_or_absurd_length_is_damaged(kit: Kit, announced: int | None) -> None:
    # The work of PBKDF2 is proportional to it.
    with pytest.raises(CertificateFormatError, match="the key length is missing or wrong"):
        ClientCertificate.load(with_pbmac1(bags(kit), PASSWORD, announced=announced), PASSWORD)


@pytest.mark.parametrize("unknown", ["prf", "scheme"])
def test_pbmac1_with_an_unknown_hmac_is_named(kit: Kit, unknown: str) -> None:
    prf, scheme = ("1.2.3" if name == unknown else "1.2.840.113549.2.9" for name in ("prf", "scheme"))
    made = with_pbmac1(bags(kit), PASSWORD, prf=prf, scheme=scheme, announced=32)

    with pytest.raises(CertificateFormatError, match=r"MAC with the algorithm 1\.2\.840\.113549\.1\.5\.14"):
        ClientCertificate.load(made, PASSWORD)


def test_pbmac1_without_its_algorithms_is_damaged() -> None:
    digest_info = raw.tlv(0x30, raw.tlv(0x30, raw.oid(PBMAC1)) + raw.tlv(4, bytes(32)))

    with pytest.raises(CertificateFormatError, match="PBMAC1 without its two algorithms"):
        ClientCertificate.load(pfx_of(mac=raw.tlv(0x30, digest_info + raw.tlv(4, b"NOT USED"))))
