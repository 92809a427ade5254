"""A certificate is refused only for what is needed of it: names, extensions and its companions may be malformed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from azure_certvar_credential.certificates import ClientCertificate
from azure_certvar_credential.exceptions import (
    CertificateError,
    CertificateFormatError,
    CertificateWarning,
    KeyMismatchError,
)
from tests.certificates import making, raw
from tests.certificates.forms import enveloped
from tests.certificates.pfx_parts import certificate_bag, key_bag, pfx_of, plain

if TYPE_CHECKING:
    from tests.certificates.kit import Kit

KEY = making.ec_key(3)
LEAF = making.self_signed("leaf", KEY)
KEY_PEM = making.key_bytes(KEY)
COMMON_NAME = "2.5.4.3"

T61, UTF8, IA5, GENERAL, VIDEOTEX, BMP = 0x14, 0x0C, 0x16, 0x1B, 0x15, 0x1E


def rdn(kind: str, tag: int, value: bytes) -> bytes:
    return raw.tlv(0x31, raw.tlv(0x30, raw.oid(kind) + raw.tlv(tag, value)))


def issued(
    subject: bytes | None = None,
    *,
    issuer: bytes | None = None,
    key: ec.EllipticCurvePrivateKey = KEY,
    signed_by: ec.EllipticCurvePrivateKey | None = None,
    begins: bytes = raw.tlv(0x17, b"200101000000Z"),
    ends: bytes = raw.tlv(0x18, b"20991231235959Z"),
    extensions: bytes = b"",
    version: bytes = raw.tlv(0xA0, raw.integer(2)),
    serial: bytes = b"\x07",
) -> bytes:
    """A certificate in DER that no library would write, with a signature that fits."""
    name = rdn(COMMON_NAME, UTF8, b"leaf") if subject is None else subject
    algorithm = raw.tlv(0x30, raw.oid("1.2.840.10045.4.3.2"))
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    body = version + raw.tlv(2, serial) + algorithm + raw.tlv(0x30, name if issuer is None else issuer)
    body += raw.tlv(0x30, begins + ends) + raw.tlv(0x30, name) + public
    tbs = raw.tlv(0x30, body + (raw.tlv(0xA3, raw.tlv(0x30, extensions)) if extensions else b""))
    signature = (signed_by or key).sign(tbs, ec.ECDSA(hashes.SHA256()))
    return raw.tlv(0x30, tbs + algorithm + raw.tlv(3, b"\0" + signature))


def extension(kind: str, value: bytes, critical: bytes = b"") -> bytes:
    return raw.tlv(0x30, raw.oid(kind) + critical + raw.tlv(4, value))


# Each: the certificate, and its subject as far as it can be shown.
SHOWN: dict[str, tuple[bytes, str]] = {
    "T61String in Latin-1": (issued(rdn(COMMON_NAME, T61, b"Pr\xfcf")), "CN=Prüf"),
    "Latin-1 in UTF8String": (issued(rdn(COMMON_NAME, UTF8, b"Pr\xfcf")), "CN=Prüf"),
    "Latin-1 in IA5String": (issued(rdn(COMMON_NAME, IA5, b"Pr\xfcf")), "CN=Prüf"),
    "UTF-8 in T61String": (issued(rdn(COMMON_NAME, T61, "Prüf".encode())), "CN=Prüf"),
    "GeneralString": (issued(rdn(COMMON_NAME, GENERAL, b"leaf")), "CN=leaf"),
    "VideotexString": (issued(rdn(COMMON_NAME, VIDEOTEX, b"leaf")), "CN=leaf"),
    "a number for a name": (issued(rdn(COMMON_NAME, 2, b"\x41")), "CN=A"),
    "an empty RDN": (issued(raw.tlv(0x31, b"")), ""),
    "an empty RDN beside a name": (issued(raw.tlv(0x31, b"") + rdn(COMMON_NAME, T61, b"Pr\xfcf")), "CN=Prüf,"),
    "several names": (
        issued(rdn("2.5.4.6", 0x13, b"DE") + rdn("1.2.3.4", T61, b"\xe4") + rdn(COMMON_NAME, T61, b"a, \xfc")),
        "CN=a\\, ü,1.2.3.4=ä,C=DE",
    ),
    "no name": (issued(b""), ""),
    "an extension that is not DER": (issued(extensions=extension("2.5.29.17", b"\xff\xff")), "CN=leaf"),
    "the same extension twice": (issued(extensions=extension("2.5.29.15", b"\x03\x01\0") * 2), "CN=leaf"),
    "an unknown critical extension": (issued(extensions=extension("1.2.3", b"", b"\x01\x01\xff")), "CN=leaf"),
    "a critical extension that is not DER": (
        issued(extensions=extension("2.5.29.15", b"\x03\0", b"\x01\x01\xff")),
        "CN=leaf",
    ),
    "BMPString": (issued(rdn(COMMON_NAME, BMP, "Prüf".encode("utf-16-be"))), "CN=Prüf"),
    "UniversalString": (issued(rdn(COMMON_NAME, 0x1C, "Prüf".encode("utf-32-be"))), "CN=Prüf"),
    "a line break in a name": (issued(rdn(COMMON_NAME, UTF8, b"a\nb")), "CN=a\nb"),
    "a country of three letters": (issued(rdn("2.5.4.6", 0x13, b"DEU")), "C=DEU"),
    "version 1": (issued(version=b""), "CN=leaf"),
    **{
        f"a serial number that is {what}": (issued(serial=serial), "CN=leaf")
        for what, serial in {"0": b"\0", "negative": b"\xff", "huge": b"\x01" * 1000, "long": b"\x80" * 21}.items()
    },
    "ending in 9999": (issued(ends=raw.tlv(0x18, b"99991231235959Z")), "CN=leaf"),
    "beginning in year 0": (issued(begins=raw.tlv(0x18, b"00000101000000Z")), "CN=leaf"),
}


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
@pytest.mark.parametrize("shown", SHOWN)
def test_what_is_only_shown_does_not_refuse(shown: str) -> None:
    der, subject = SHOWN[shown]

    certificate = ClientCertificate.load((der, KEY_PEM))

    assert certificate.public_der() == der
    assert certificate.subject == certificate.issuer == subject
    assert certificate.thumbprint in repr(certificate)
    assert ClientCertificate.load(certificate.to_pem()).public_der() == der
    assert ClientCertificate(certificate.leaf, KEY).x5t_s256 == certificate.x5t_s256


def test_year_0_is_shown_as_the_earliest_date() -> None:
    certificate = ClientCertificate.load((SHOWN["beginning in year 0"][0], KEY_PEM))

    assert certificate.not_before == datetime.min.replace(tzinfo=timezone.utc)


def test_an_end_in_year_0_has_passed() -> None:
    with pytest.warns(CertificateWarning, match="expired on"):
        ClientCertificate.load((issued(ends=raw.tlv(0x18, b"00000101000000Z")), KEY_PEM))


@pytest.mark.parametrize("shown", [name for name in SHOWN if "T61" in name or "General" in name or "empty RDN" in name])
def test_an_authority_with_a_malformed_name_is_in_the_chain(shown: str) -> None:
    authority_key = making.ec_key(1)
    name = raw.elements(raw.elements(raw.elements(SHOWN[shown][0])[0][1])[0][1])[5][1]
    authority = issued(name, key=authority_key)
    leaf = issued(issuer=name, signed_by=authority_key)

    certificate = ClientCertificate.load((leaf, KEY_PEM, [authority]), include_root=True)

    assert [found.public_bytes(Encoding.DER) for found in certificate.chain] == [authority]
    assert len(certificate.x5c) == 2


# Certificates that cannot be read, or are not of this key.
COMPANIONS: dict[str, Callable[[], bytes]] = {
    "of a malformed name": lambda: issued(rdn(COMMON_NAME, T61, b"Pr\xfcf-CA"), key=making.ec_key(1)),
    "cut off": lambda: making.pem(LEAF)[:300],
    "cut off inside": lambda: enveloped("CERTIFICATE", LEAF.public_bytes(Encoding.DER)[:-9]),
    "not base64": lambda: b"-----BEGIN CERTIFICATE-----\nM!I\n-----END CERTIFICATE-----\n",
    "empty": lambda: b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
    "with a default in DER": lambda: issued(version=raw.tlv(0xA0, raw.integer(0)), key=making.ec_key(1)),
    "with a date that is none": lambda: issued(ends=raw.tlv(0x17, b"2X0101000000Z"), key=making.ec_key(1)),
    "of another version": lambda: issued(version=raw.tlv(0xA0, raw.integer(9)), key=making.ec_key(1)),
}


def in_pem(companion: bytes) -> bytes:
    return companion if companion.startswith(b"-----") else enveloped("CERTIFICATE", companion)


@pytest.mark.parametrize("companion", COMPANIONS)
def test_a_certificate_beside_it_that_cannot_be_read_is_left_out_and_logged(
    companion: str, caplog: pytest.LogCaptureFixture
) -> None:
    beside = in_pem(COMPANIONS[companion]())

    for data in (KEY_PEM + making.pem(LEAF) + beside, (making.pem(LEAF), KEY_PEM, [beside])):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            certificate = ClientCertificate.load(data)

        assert certificate.leaf == LEAF
        assert certificate.chain == ()
        assert "left out" in caplog.text


def test_an_unreadable_certificate_in_a_pfx_is_left_out_too(caplog: pytest.LogCaptureFixture) -> None:
    bag = certificate_bag(LEAF)
    damaged = bag.replace(raw.tlv(UTF8, b"leaf"), raw.tlv(0x13, b"lea\xff"))
    assert damaged != bag

    certificate = ClientCertificate.load(pfx_of(plain(key_bag(KEY), damaged, bag)))

    assert certificate.leaf == LEAF
    assert "left out" in caplog.text


def test_an_unreadable_certificate_is_the_reason_if_no_other_belongs_to_the_key() -> None:
    damaged = enveloped("CERTIFICATE", LEAF.public_bytes(Encoding.DER)[:-9])

    with pytest.raises(CertificateFormatError, match=r"PEM block 2 \(CERTIFICATE\) is damaged"):
        ClientCertificate.load(KEY_PEM + damaged + making.pem(making.self_signed("other", making.ec_key(1))))


def test_a_certificate_of_another_key_is_still_a_mismatch() -> None:
    with pytest.raises(KeyMismatchError):
        ClientCertificate.load(KEY_PEM + making.pem(making.self_signed("other", making.ec_key(1))))


# What OpenSSL takes, and the parser of cryptography does not.
STRICT = {
    "version 1 written out": issued(version=raw.tlv(0xA0, raw.integer(0))),
    "critical FALSE written out": issued(extensions=extension("2.5.29.14", b"\x04\x01\x01", b"\x01\x01\0")),
    "an odd number of octets in BMPString": issued(rdn(COMMON_NAME, BMP, b"\0l\0")),
    "half of a surrogate pair": issued(rdn(COMMON_NAME, BMP, b"\xd8\0")),
    "@ in PrintableString": issued(rdn(COMMON_NAME, 0x13, b"a@b")),
    "* in PrintableString": issued(rdn(COMMON_NAME, 0x13, b"*.contoso.com")),
    **{
        f"the date {date.decode()}": issued(ends=raw.tlv(tag, date))
        for tag, date in [
            *[(0x17, b"9901010000Z"), (0x17, b"990101000000+0100"), (0x17, b"990101000060Z"), (0x17, b"990229000000Z")],
            *[(0x18, b"20991231235959.5Z"), (0x18, b"20991231235959")],
        ]
    },
    "an empty serial number": issued(serial=b""),
    "a serial number with a zero before it": issued(serial=b"\0\x01"),
    "version 2": issued(version=raw.tlv(0xA0, raw.integer(1))),
    "version 4": issued(version=raw.tlv(0xA0, raw.integer(3))),
    "Latin-1 in PrintableString": issued(rdn(COMMON_NAME, 0x13, b"Pr\xfcf")),
}


@pytest.mark.parametrize("strict", STRICT)
def test_what_the_parser_alone_refuses_is_not_called_damaged(strict: str) -> None:
    with pytest.raises(CertificateError, match="stricter than OpenSSL") as caught:
        ClientCertificate.load((STRICT[strict], KEY_PEM))

    assert "damaged" not in str(caught.value)
    assert "openssl req -x509 -new -key key.pem -days 365 -subj /CN=name -out new.pem" in str(caught.value)
    assert caught.value.__context__ is None


def test_the_command_in_that_message_mends_it(kit: Kit) -> None:
    mended = kit.openssl("req", "-x509", "-new", "-key", "ec.pem", "-days", "365", "-subj", "/CN=name")

    assert ClientCertificate.load((mended, KEY_PEM)).subject == "CN=name"
