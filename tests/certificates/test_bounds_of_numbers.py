"""No number of a key or certificate is computed with before its length is known.

OpenSSL's time grows with the cube of a number's length: 100,000 bits take minutes. Each case would; a second is ten
times what the slowest takes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from azure_certvar_credential import CallbackSigner, ClientCertificate
from azure_certvar_credential.certificates.possession import check_key
from azure_certvar_credential.exceptions import CertificateError, UnsupportedKeyError
from tests.certificates import making, raw
from tests.certificates.kit import Kit
from tests.certificates.pfx_parts import certificate_bag, pfx_of, plain

RSA = raw.tlv(0x30, raw.oid("1.2.840.113549.1.1.1") + b"\5\0")
HUGE = (1 << 200_000) + 1
NUMBERS = ("n", "e", "d", "p", "q", "dp", "dq", "qi")


def pkcs1(kit: Kit, **changed: int) -> bytes:
    """Return the kit's key as PKCS #1, some of its numbers changed."""
    numbers = kit.key.private_numbers()
    public = numbers.public_numbers
    values = (public.n, public.e, numbers.d, numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp)
    right = dict(zip(NUMBERS, values, strict=True)) | changed
    return raw.tlv(0x30, raw.integer(0) + b"".join(map(raw.integer, right.values())))


def modulus(kit: Kit) -> int:
    return kit.key.public_key().public_numbers().n


def pkcs8(algorithm: bytes, key: bytes) -> bytes:
    return raw.tlv(0x30, raw.integer(0) + algorithm + raw.tlv(4, key))


def dsa_key() -> bytes:
    parameters = raw.tlv(0x30, raw.integer(HUGE) + raw.integer(HUGE) + raw.integer(2))
    return pkcs8(raw.tlv(0x30, raw.oid("1.2.840.10040.4.1") + parameters), raw.integer(3))


def certificate_with(n: int, e: int) -> bytes:
    """Return a certificate whose RSA public key has these numbers; its signature is none."""
    algorithm = raw.tlv(0x30, raw.oid("1.2.840.113549.1.1.11") + b"\5\0")
    name = raw.tlv(0x30, raw.tlv(0x31, raw.tlv(0x30, raw.oid("2.5.4.3") + raw.tlv(12, b"a"))))
    spki = raw.tlv(0x30, RSA + raw.tlv(3, b"\0" + raw.tlv(0x30, raw.integer(n) + raw.integer(e))))
    validity = raw.tlv(0x30, raw.tlv(0x17, b"250101000000Z") + raw.tlv(0x17, b"350101000000Z"))
    body = raw.tlv(0xA0, raw.integer(2)) + raw.integer(1) + algorithm + name + validity + name + spki
    return raw.tlv(0x30, raw.tlv(0x30, body) + algorithm + raw.tlv(3, b"\0" * 257))


def pfx_with(kit: Kit, key: bytes) -> bytes:
    bag = raw.tlv(0x30, raw.oid("1.2.840.113549.1.12.10.1.1") + raw.tlv(0xA0, pkcs8(RSA, key)))
    return pfx_of(plain(bag, certificate_bag(kit.leaf)))


WAYS: dict[str, Callable[[Kit, bytes], Any]] = {
    "PKCS #1": lambda kit, key: (kit.leaf, key),
    "PKCS #8": lambda kit, key: (kit.leaf, pkcs8(RSA, key)),
    "PFX": pfx_with,
}


def with_huge(way: str, name: str, kit: Kit) -> Any:
    return WAYS[way](kit, pkcs1(kit, **{name: HUGE}))


CASES: dict[str, Callable[[Kit], Any]] = {
    **{f"{way}, {name}": partial(with_huge, way, name) for way in WAYS for name in NUMBERS},
    "primes of a modulus that is short": lambda kit: (kit.leaf, pkcs1(kit, p=(1 << 20_000) + 1, dp=(1 << 20_000) - 1)),
    "DSA": lambda kit: (kit.leaf, dsa_key()),
    "modulus of a certificate": lambda kit: (certificate_with(HUGE, 65537), kit.key_pem),
    "exponent of a certificate": lambda kit: (
        certificate_with(kit.key.public_key().public_numbers().n, HUGE),
        kit.key_pem,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_huge_number_is_refused_before_anything_computes_with_it(kit: Kit, case: str) -> None:
    made = CASES[case](kit)
    began = time.perf_counter()
    with pytest.raises(CertificateError):
        ClientCertificate.load(made)
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize(
    ("n", "e"),
    [(HUGE, 65537), ((1 << 4095) + 1, HUGE), ((1 << 20_000) + 1, (1 << 20_000) + 1)],
    ids=["modulus", "exponent", "both"],
)
def test_a_huge_certificate_beside_a_good_one_is_left_alone(kit: Kit, n: int, e: int) -> None:
    beside = certificate_with(n, e)
    data = kit.leaf.public_bytes(Encoding.DER) + making.key_bytes(kit.key, Encoding.DER) + beside
    began = time.perf_counter()
    assert ClientCertificate.load(data).leaf == kit.leaf
    assert time.perf_counter() - began < 1


def test_a_signers_public_key_is_bounded_too(kit: Kit) -> None:
    public = rsa.RSAPublicNumbers((1 << 300) + 1, (1 << 4095) + 1).public_key()
    with pytest.raises(UnsupportedKeyError, match="public exponent has 301 bits; use 65537"):
        check_key(public)
    signer = CallbackSigner(public, lambda _message, _algorithm: b"")
    with pytest.raises(UnsupportedKeyError, match="public exponent"):
        ClientCertificate(kit.leaf, signer)


def test_the_largest_key_is_shorter_than_the_bound() -> None:
    p, q = (1 << 4096) - 1, (1 << 4096) - 3
    public = rsa.RSAPublicNumbers(65537, p * q)
    key = rsa.RSAPrivateNumbers(p, q, p * q - 2, p - 2, q - 2, q - 2, public).private_key(
        unsafe_skip_rsa_key_validation=True
    )
    assert key.key_size == 8192
    assert len(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())) < 8_192
    assert isinstance(x509.load_der_x509_certificate(certificate_with(p * q, 65537)), x509.Certificate)
