"""The part of the table of bad inputs that is about keys: of the wrong kind, damaged, or asking for too much work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

from azure_certvar_credential.exceptions import (
    CertificateError,
    CertificateFormatError,
    UnsupportedKeyError,
)
from tests.certificates import making, raw
from tests.certificates.forms import b64
from tests.certificates.kit import PASSWORD

if TYPE_CHECKING:
    from tests.certificates.kit import Kit

DER = Encoding.DER


@dataclass(frozen=True)
class Bad:
    """What to load, its exact exception class, a piece of its message, and the password given."""

    data: Any
    error: type[CertificateError]
    says: str
    password: object = None


@cache
def dsa_key() -> dsa.DSAPrivateKey:
    return dsa.generate_private_key(2048)


def with_key(key: object) -> bytes:
    """A key of any kind in PEM, with a certificate of it if it can sign one."""
    made = making.key_bytes(key)  # type: ignore[arg-type]
    if isinstance(key, x25519.X25519PrivateKey):
        return made
    return made + making.pem(making.self_signed("leaf", key))  # type: ignore[arg-type]


def ed25519_pfx() -> bytes:
    key = ed25519.Ed25519PrivateKey.generate()
    return pkcs12.serialize_key_and_certificates(None, key, making.self_signed("leaf", key), None, NoEncryption())


def rsa_key_of(kit: Kit, **changes: int) -> bytes:
    """A PKCS #1 key in which some numbers are not what they should be."""
    numbers = kit.key.private_numbers()
    public = numbers.public_numbers
    right = {"n": public.n, "e": public.e, "d": numbers.d, "p": numbers.p, "q": numbers.q}
    right |= {"dp": numbers.dmp1, "dq": numbers.dmq1, "qi": numbers.iqmp}
    return raw.tlv(0x30, raw.integer(0) + b"".join(raw.integer(number) for number in (right | changes).values()))


def encrypted_key(kdf: str, parameters: bytes, cipher: str = "2.16.840.1.101.3.4.1.42") -> bytes:
    """An EncryptedPrivateKeyInfo under PBES2 with some key derivation and cipher; its content is nothing."""
    derivation = raw.tlv(0x30, raw.oid(kdf) + raw.tlv(0x30, parameters))
    encryption = raw.tlv(0x30, raw.oid(cipher) + raw.tlv(4, bytes(16)))
    scheme = raw.oid("1.2.840.113549.1.5.13") + raw.tlv(0x30, derivation + encryption)
    return raw.tlv(0x30, raw.tlv(0x30, scheme) + raw.tlv(4, bytes(64)))


def pbkdf2_key(iterations: int) -> bytes:
    return encrypted_key("1.2.840.113549.1.5.12", raw.tlv(4, b"saltsalt") + raw.integer(iterations))


def pbes2_der(kit: Kit, iterations: int) -> bytes:
    options = ("-iter", str(iterations), "-passout", f"pass:{PASSWORD}", "-outform", "DER")
    return kit.openssl("pkcs8", "-topk8", "-in", "key.pem", *options)


def scrypt_key(*numbers: int) -> bytes:
    salt = raw.tlv(4, b"saltsalt")
    return encrypted_key("1.3.6.1.4.1.11591.4.11", salt + b"".join(raw.integer(number) for number in numbers))


KEYS: dict[str, Callable[[Kit], Bad]] = {
    "RSA with 1024 bits": lambda kit: Bad(with_key(making.rsa_key(0, 1024)), UnsupportedKeyError, "1024 bits"),
    "RSA with 1024 bits, objects": lambda kit: Bad(
        (making.self_signed("leaf", making.rsa_key(0, 1024)), making.rsa_key(0, 1024)), UnsupportedKeyError, "1024"
    ),
    "EC secp256k1": lambda kit: Bad(with_key(making.ec_key(0, ec.SECP256K1)), UnsupportedKeyError, "EC secp256k1"),
    "EC secp224r1": lambda kit: Bad(with_key(making.ec_key(0, ec.SECP224R1)), UnsupportedKeyError, "EC secp224r1"),
    "DSA": lambda kit: Bad(with_key(dsa_key()), UnsupportedKeyError, "type DSA"),
    "DSA, traditional": lambda kit: Bad(
        making.key_bytes(dsa_key(), layout=PrivateFormat.TraditionalOpenSSL) + kit.leaf_pem,
        UnsupportedKeyError,
        "type DSA",
    ),
    "DSA object": lambda kit: Bad((kit.leaf, dsa_key()), UnsupportedKeyError, "type DSA"),
    "Ed25519": lambda kit: Bad(with_key(ed25519.Ed25519PrivateKey.generate()), UnsupportedKeyError, "type Ed25519"),
    "Ed25519 object": lambda kit: Bad(
        (kit.leaf, ed25519.Ed25519PrivateKey.generate()), UnsupportedKeyError, "type Ed25519"
    ),
    "Ed25519 PFX": lambda kit: Bad(ed25519_pfx(), UnsupportedKeyError, "type Ed25519"),
    "Ed448": lambda kit: Bad(with_key(ed448.Ed448PrivateKey.generate()), UnsupportedKeyError, "type Ed448"),
    "X25519": lambda kit: Bad(with_key(x25519.X25519PrivateKey.generate()), UnsupportedKeyError, "type X25519"),
    "a damaged Ed25519 key": lambda kit: Bad(
        raw.tlv(0x30, raw.integer(0) + raw.tlv(0x30, raw.oid("1.3.101.112")) + raw.tlv(4, b"\x04\x01\x00")),
        UnsupportedKeyError,
        "type Ed25519",
    ),
    "EC of unknown curve": lambda kit: Bad(
        kit.openssl("ecparam", "-name", "secp160r1", "-genkey", "-noout") + kit.leaf_pem,
        UnsupportedKeyError,
        "type EC with the curve 1.3.132.0.8",
    ),
    "EC of unknown curve in PKCS #8": lambda kit: Bad(
        kit.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp160r1") + kit.leaf_pem,
        UnsupportedKeyError,
        "type EC with the curve 1.3.132.0.8",
    ),
    "EC of unknown curve, encrypted": lambda kit: Bad(
        kit.openssl(
            "pkcs8",
            "-topk8",
            "-passout",
            f"pass:{PASSWORD}",
            stdin=kit.openssl("ecparam", "-name", "secp160r1", "-genkey", "-noout"),
        )
        + kit.leaf_pem,
        UnsupportedKeyError,
        "type EC with the curve 1.3.132.0.8",
        PASSWORD,
    ),
    "EC in explicit parameters": lambda kit: Bad(
        kit.openssl("ecparam", "-name", "secp160r1", "-genkey", "-noout", "-param_enc", "explicit") + kit.leaf_pem,
        UnsupportedKeyError,
        "explicit parameters",
    ),
}

DAMAGED: dict[str, Callable[[Kit], Bad]] = {
    "PEM without its end": lambda kit: Bad(kit.key_pem[:-40], CertificateFormatError, "has no line '-----END PRIV"),
    "PEM, blocks mixed up": lambda kit: Bad(
        kit.leaf_pem[:-30] + kit.key_pem, CertificateFormatError, "has no line '-----END CERTIFICATE-----'"
    ),
    "PEM, empty block": lambda kit: Bad(
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----", CertificateFormatError, "not valid base64"
    ),
    "PEM, not base64": lambda kit: Bad(
        kit.pem.replace(b"MII", b"M!I", 1), CertificateFormatError, "PEM block 1 (PRIVATE KEY) is empty or not valid"
    ),
    "PEM, not ASCII": lambda kit: Bad(
        kit.pem.decode().replace("MII", "MÜI", 1), CertificateFormatError, "PEM block 1 (PRIVATE KEY) is empty or not"
    ),
    "PEM, damaged certificate": lambda kit: Bad(
        kit.key_pem + kit.leaf_pem.replace(b"MII", b"MIA", 1), CertificateFormatError, "PEM block 2 (CERTIFICATE) is"
    ),
    "PEM, certificate of nothing": lambda kit: Bad(
        kit.key_pem + b"-----BEGIN CERTIFICATE-----\nMAMCAQU=\n-----END CERTIFICATE-----\n",
        CertificateFormatError,
        "PEM block 2 (CERTIFICATE) is damaged",
    ),
    "PEM, key of nothing": lambda kit: Bad(
        kit.leaf_pem + b"-----BEGIN PRIVATE KEY-----\nMAMCAQU=\n-----END PRIVATE KEY-----\n",
        CertificateFormatError,
        "PEM block 2 (PRIVATE KEY) is damaged: it holds a structure of an unknown kind",
    ),
    "PEM, certificate as key": lambda kit: Bad(
        kit.leaf_pem.replace(b"CERTIFICATE", b"PRIVATE KEY"), CertificateFormatError, "it holds a certificate"
    ),
    "PEM, key cut off inside": lambda kit: Bad(
        b"-----BEGIN PRIVATE KEY-----\n" + kit.key_pem.splitlines()[1] + b"\n-----END PRIVATE KEY-----\n",
        CertificateFormatError,
        "is damaged",
    ),
    "PFX, cut off": lambda kit: Bad(kit.pfx(PASSWORD)[:-100], CertificateFormatError, "the PFX is cut off", PASSWORD),
    "PFX, cut in half": lambda kit: Bad(kit.pfx()[: len(kit.pfx()) // 2], CertificateFormatError, "PFX is cut off"),
    "PFX, BER, cut off": lambda kit: Bad(
        raw.indefinite(kit.openssl_pfx(), 4)[:-4], CertificateFormatError, "PFX is cut off", PASSWORD
    ),
    "PFX, base64, cut off": lambda kit: Bad(b64(kit.pfx())[:2000], CertificateFormatError, "PFX is cut off"),
    "PFX, base64, odd length": lambda kit: Bad(b64(kit.pfx())[:2001], CertificateFormatError, "damaged or cut off"),
    "DER key, cut off": lambda kit: Bad(
        making.key_bytes(kit.key, DER)[:-1], CertificateFormatError, "the private key is cut off"
    ),
    "DER certificate, cut off": lambda kit: Bad(
        kit.leaf.public_bytes(DER)[:-1], CertificateFormatError, "the certificate or key is cut off"
    ),
    "DER, garbage after it": lambda kit: Bad(
        kit.leaf.public_bytes(DER) + b"\xff" * 9, CertificateFormatError, "9 bytes that are not ASN.1"
    ),
    "PFX, read as text": lambda kit: Bad(
        kit.pfx().decode("ascii", "replace"), CertificateFormatError, "DER read as text"
    ),
    "RSA key that cannot sign": lambda kit: Bad(
        (kit.leaf, rsa_key_of(kit, p=0)), CertificateFormatError, "its numbers do not belong together"
    ),
    "RSA key that signs wrongly": lambda kit: Bad(
        (kit.leaf, rsa_key_of(kit, d=1, dp=1, dq=1)), CertificateFormatError, "its numbers do not belong together"
    ),
    "PEM, key that is no SEQUENCE": lambda kit: Bad(
        kit.leaf_pem + b"-----BEGIN PRIVATE KEY-----\nBAFYBAFY\n-----END PRIVATE KEY-----\n",
        CertificateFormatError,
        "is damaged",
    ),
    "EC key of a good curve": lambda kit: Bad(
        (kit.ec_leaf, raw.tlv(0x30, raw.integer(1) + raw.tlv(4, bytes(32)) + raw.tlv(0xA0, raw.oid("1.3.132.0.34")))),
        CertificateFormatError,
        "is damaged or of an unsupported type",
    ),
}

WORK: dict[str, Callable[[Kit], Bad]] = {
    "key, 2 thousand million iterations": lambda kit: Bad(
        (kit.leaf, pbkdf2_key(2**31 - 1)), CertificateFormatError, "asks for 2,147,483,647 iterations", PASSWORD
    ),
    "key, an endless number of iterations": lambda kit: Bad(
        (kit.leaf, pbkdf2_key(10**1000)), CertificateFormatError, "more than 10^15 iterations", PASSWORD
    ),
    "key, scrypt with a gigabyte": lambda kit: Bad(
        (kit.leaf, scrypt_key(2**20, 8, 1)), CertificateFormatError, "32 MiB or more of memory for scrypt", PASSWORD
    ),
    "key, scrypt a thousand times": lambda kit: Bad(
        (kit.leaf, scrypt_key(2**14, 8, 1000)), CertificateFormatError, "asks for 262,144,000 iterations", PASSWORD
    ),
    "keys, many with a million iterations each": lambda kit: Bad(
        [kit.leaf, *[pbes2_der(kit, 1_000_000)] * 6], CertificateFormatError, "asks for 6,000,000 iterations", PASSWORD
    ),
    # The table is small, and what OpenSSL keeps beside it is not.
    "key, scrypt with a million blocks": lambda kit: Bad(
        (kit.leaf, scrypt_key(2, 1, 1_249_000)), CertificateFormatError, "32 MiB or more of memory for scrypt", PASSWORD
    ),
    "key, scrypt with large blocks": lambda kit: Bad(
        (kit.leaf, scrypt_key(2, 100_000, 12)), CertificateFormatError, "32 MiB or more of memory for scrypt", PASSWORD
    ),
    "key, scrypt without numbers": lambda kit: Bad(
        (kit.leaf, scrypt_key(2**14)), CertificateFormatError, "scrypt parameters are missing", PASSWORD
    ),
    "key, PBKDF2 without a number": lambda kit: Bad(
        (kit.leaf, encrypted_key("1.2.840.113549.1.5.12", b"")), CertificateFormatError, "without an iter", PASSWORD
    ),
    "key, PBES2 inside PBES2": lambda kit: Bad(
        (kit.leaf, encrypted_key("1.2.840.113549.1.5.13", raw.tlv(4, b""))), CertificateFormatError, "inside", PASSWORD
    ),
    "key, encryption without an algorithm": lambda kit: Bad(
        (kit.leaf, raw.tlv(0x30, raw.tlv(0x30, b"") + raw.tlv(4, b""))), CertificateFormatError, "without an algorithm"
    ),
    "key, unknown encryption": lambda kit: Bad(
        (kit.leaf, raw.tlv(0x30, raw.tlv(0x30, raw.oid("1.2.3")) + raw.tlv(4, bytes(64)))),
        CertificateFormatError,
        "not supported",
        PASSWORD,
    ),
    "key, PBES2 of nothing": lambda kit: Bad(
        (kit.leaf, raw.tlv(0x30, raw.tlv(0x30, raw.oid("1.2.840.113549.1.5.13")) + raw.tlv(4, bytes(64)))),
        CertificateFormatError,
        "is damaged: PBES2 without its two algorithms",
        PASSWORD,
    ),
    "key, PBES2 of an empty sequence": lambda kit: Bad(
        (kit.leaf, raw.tlv(0x30, raw.tlv(0x30, raw.oid("1.2.840.113549.1.5.13") + b"\x30\0") + raw.tlv(4, bytes(64)))),
        CertificateFormatError,
        "is damaged: PBES2 without its two algorithms",
        PASSWORD,
    ),
    "key, unknown key derivation": lambda kit: Bad(
        (kit.leaf, encrypted_key("1.2.3", raw.integer(2**60))), CertificateFormatError, "not supported", PASSWORD
    ),
}
