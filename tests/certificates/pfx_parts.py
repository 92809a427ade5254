"""Puts PFX files together piece by piece (RFC 7292), also such as no tool would write."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4, TripleDES
from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, Cipher, CipherAlgorithm
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding

from azure_certvar_credential.certificates.pkcs12.kdf import ENCRYPTION_KEY, INITIAL_VALUE, pkcs12_key
from tests.certificates import making, raw

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

DATA = "1.2.840.113549.1.7.1"
ENCRYPTED_DATA = "1.2.840.113549.1.7.6"
KEY_BAG = "1.2.840.113549.1.12.10.1.1"
SHROUDED_KEY_BAG = "1.2.840.113549.1.12.10.1.2"
CERTIFICATE_BAG = "1.2.840.113549.1.12.10.1.3"
NESTED_BAG = "1.2.840.113549.1.12.10.1.6"
PBE_3DES = "1.2.840.113549.1.12.1.3"
PBE_RC4 = "1.2.840.113549.1.12.1.1"
PBKDF2 = "1.2.840.113549.1.5.12"
PBES2 = "1.2.840.113549.1.5.13"
PBMAC1 = "1.2.840.113549.1.5.14"
SHA1 = "1.3.14.3.2.26"


def typed(kind: str, value: bytes) -> bytes:
    """``SEQUENCE { OBJECT IDENTIFIER, [0] value }``: a ContentInfo or a bag."""
    return raw.tlv(0x30, raw.oid(kind) + raw.tlv(0xA0, value))


def plain(*bags: bytes) -> bytes:
    return typed(DATA, raw.tlv(4, raw.tlv(0x30, b"".join(bags))))


def encrypted(algorithm: bytes) -> bytes:
    info = raw.tlv(0x30, raw.oid(DATA) + algorithm + raw.tlv(0x80, bytes(64)))
    return typed(ENCRYPTED_DATA, raw.tlv(0x30, raw.integer(0) + info))


def pfx_of(*contents: bytes, mac: bytes = b"") -> bytes:
    return raw.tlv(0x30, raw.integer(3) + plain_safe(b"".join(contents)) + mac)


def plain_safe(contents: bytes) -> bytes:
    return typed(DATA, raw.tlv(4, raw.tlv(0x30, contents)))


def pbe(iterations: int, scheme: str = PBE_3DES) -> bytes:
    return raw.tlv(0x30, raw.oid(scheme) + raw.tlv(0x30, raw.tlv(4, b"saltsalt") + raw.integer(iterations)))


def pbes2(iterations: int) -> bytes:
    cipher = raw.tlv(0x30, raw.oid("2.16.840.1.101.3.4.1.42") + raw.tlv(4, bytes(16)))
    return raw.tlv(0x30, raw.oid(PBES2) + raw.tlv(0x30, pbe(iterations, PBKDF2) + cipher))


def shrouded(algorithm: bytes) -> bytes:
    return typed(SHROUDED_KEY_BAG, raw.tlv(0x30, algorithm + raw.tlv(4, bytes(64))))


def mac_of(iterations: int | None) -> bytes:
    digest = raw.tlv(0x30, raw.tlv(0x30, raw.oid(SHA1) + raw.tlv(5, b"")) + raw.tlv(4, bytes(20)))
    return raw.tlv(0x30, digest + raw.tlv(4, bytes(8)) + (b"" if iterations is None else raw.integer(iterations)))


def pbmac1_of(iterations: int) -> bytes:
    scheme = raw.tlv(0x30, raw.oid(PBMAC1) + raw.tlv(0x30, pbe(iterations, PBKDF2)))
    digest = raw.tlv(0x30, scheme + raw.tlv(4, bytes(32)))
    return raw.tlv(0x30, digest + raw.tlv(4, b"NOT USED") + raw.integer(1))


def key_bag(key: PrivateKeyTypes, password: bytes | None = None) -> bytes:
    """A KeyBag, or with a password a shrouded one."""
    kind = SHROUDED_KEY_BAG if password else KEY_BAG
    return typed(kind, making.key_bytes(key, Encoding.DER, password=password))


def certificate_bag(certificate: x509.Certificate) -> bytes:
    value = raw.tlv(0xA0, raw.tlv(4, certificate.public_bytes(Encoding.DER)))
    return typed(CERTIFICATE_BAG, raw.tlv(0x30, raw.oid("1.2.840.113549.1.9.22.1") + value))


def enciphered(contents: bytes, password: str | None, scheme: str, iterations: int) -> tuple[bytes, bytes]:
    """Algorithm and ciphertext by PBES2 with AES-256, or PKCS #12's schemes with 3DES or RC4.

    No password and an empty one are two things to PKCS #12's schemes.
    """
    if scheme == PBES2:
        algorithm = pbes2(iterations)
        # hmacWithSHA1 is the default.
        cipher: CipherAlgorithm = AES(
            hashlib.pbkdf2_hmac("sha1", (password or "").encode(), b"saltsalt", iterations, 32)
        )
        mode = CBC(bytes(16))
    else:
        algorithm = pbe(iterations, scheme)
        octets = b"" if password is None else password.encode("utf-16-be") + b"\0\0"

        def derived(purpose: int, length: int) -> bytes:
            return pkcs12_key(hashlib.sha1, octets, b"saltsalt", iterations, purpose=purpose, length=length)

        cipher = TripleDES(derived(ENCRYPTION_KEY, 24)) if scheme == PBE_3DES else ARC4(derived(ENCRYPTION_KEY, 16))
        mode = CBC(derived(INITIAL_VALUE, 8))
    if isinstance(cipher, BlockCipherAlgorithm):
        padder = PKCS7(cipher.block_size).padder()
        contents = padder.update(contents) + padder.finalize()
    encryptor = Cipher(cipher, mode if isinstance(cipher, BlockCipherAlgorithm) else None).encryptor()
    return algorithm, encryptor.update(contents) + encryptor.finalize()


def shrouded_key(key: PrivateKeyTypes, password: str, scheme: str) -> bytes:
    algorithm, ciphertext = enciphered(making.key_bytes(key, Encoding.DER), password, scheme, 1)
    return typed(SHROUDED_KEY_BAG, raw.tlv(0x30, algorithm + raw.tlv(4, ciphertext)))


def sealed(contents: bytes, password: str | None, scheme: str = PBES2, iterations: int = 1) -> bytes:
    """EncryptedData that can be opened."""
    algorithm, ciphertext = enciphered(contents, password, scheme, iterations)
    info = raw.tlv(0x30, raw.oid(DATA) + algorithm + raw.tlv(0x80, ciphertext))
    return typed(ENCRYPTED_DATA, raw.tlv(0x30, raw.integer(0) + info))


def with_mac(content: bytes, password: str) -> bytes:
    """A PFX with a MAC after RFC 7292 appendix B with one iteration."""
    salt = b"8 octets"
    block = b"\x03" * 64 + salt * 8
    octets = password.encode("utf-16-be") + b"\0\0"
    block += (octets * 64)[: -(-len(octets) // 64) * 64]
    value = hmac.digest(hashlib.sha1(block, usedforsecurity=False).digest(), content, "sha1")
    digest = raw.tlv(0x30, raw.tlv(0x30, raw.oid(SHA1) + raw.tlv(5, b"")) + raw.tlv(4, value))
    mac = raw.tlv(0x30, digest + raw.tlv(4, salt))
    return raw.tlv(0x30, raw.integer(3) + typed(DATA, raw.tlv(4, content)) + mac)
