"""Lets OpenSSL decrypt the parts of a PFX whose ciphers this package does not have, such as RC2 and RC4.

OpenSSL gets a new PFX that holds only inspected parts. A throw-away key precedes the encrypted certificates: once
OpenSSL has a key it skips all others, so it never obeys an iteration count hidden among the certificates (``parse_bag``
in its p12_kiss.c: ``if (pkey == NULL || *pkey != NULL)``).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

from azure_certvar_credential.certificates.ber import CONTEXT_0, INTEGER, OCTET_STRING, SEQUENCE, encode
from azure_certvar_credential.certificates.pkcs12 import mac_data
from azure_certvar_credential.certificates.pkcs12.authenticated_safe import Encrypted
from azure_certvar_credential.certificates.pkcs12.kdf import Passphrase
from azure_certvar_credential.signers.parser_errors import PARSER_ERRORS

# Encoded OBJECT IDENTIFIERs of RFC 2315 section 14 and RFC 7292 section 4.2.
_DATA = bytes.fromhex("06092a864886f70d010701")
_ENCRYPTED_DATA = bytes.fromhex("06092a864886f70d010706")
_KEY_BAG = bytes.fromhex("060b2a864886f70d010c0a0101")
_SHROUDED_KEY_BAG = bytes.fromhex("060b2a864886f70d010c0a0102")

_SHA256 = "2.16.840.1.101.3.4.2.1"
_SHA256_ALGORITHM = bytes.fromhex("300d06096086480165030402010500")

# Any value: the MAC protects nothing, but without a salt OpenSSL cannot derive a key from no password.
_SALT = bytes(8)

_IMPLICIT_0 = 0x80

# Of the ciphers that a build may lack, these are in the default provider (OSSL_PROVIDER-default(7)).
_OF_DEFAULT_PROVIDER = ("CAMELLIA-", "ARIA-", "SM4-")


def certificates_in(safes: Sequence[Encrypted], passphrase: Passphrase) -> list[x509.Certificate] | None:
    """Return the certificates of encrypted safes; keys in them are skipped.

    :param safes: the safes, their iterations already taken from the budget.
    :param passphrase: the password.
    :returns: None if OpenSSL cannot read them; it gives no reason.
    """
    fence = _data(_typed(_KEY_BAG, _throw_away_key()))
    content = _load(fence + b"".join(_encrypted_data(safe) for safe in safes), passphrase)
    if content is None:
        return None
    return [entry.certificate for entry in (content.cert, *content.additional_certs) if entry is not None]


def key_in(bag: bytes | Encrypted, passphrase: Passphrase) -> object | None:
    """Return a private key.

    :param bag: a PKCS #8 structure, or an encrypted one, its iterations already taken from the budget.
    :param passphrase: the password.
    :returns: None if OpenSSL cannot read it; it gives no reason.
    """
    if isinstance(bag, Encrypted):
        shrouded = encode(SEQUENCE, bag.algorithm.to_der() + encode(OCTET_STRING, bag.content))
        content = _load(_data(_typed(_SHROUDED_KEY_BAG, shrouded)), passphrase)
    else:
        content = _load(_data(_typed(_KEY_BAG, bag)), passphrase)
    return content and content.key


def lacks(name: str) -> bool:
    """Return whether the installed OpenSSL certainly lacks an encryption, so that the password is not to blame.

    :param name: a name from :func:`.kdf_budget.optional_name`.
    """
    return not name.startswith(_OF_DEFAULT_PROVIDER) and not _has_legacy_provider()


@cache
def _has_legacy_provider() -> bool:
    # Only the legacy provider has RC4.
    try:
        Cipher(ARC4(bytes(16)), mode=None).encryptor()
    except UnsupportedAlgorithm:
        return False
    return True


def _load(safes: bytes, passphrase: Passphrase) -> pkcs12.PKCS12KeyAndCertificates | None:
    content = encode(SEQUENCE, safes)
    # The MAC shows OpenSSL which of the two forms of an empty password to use.
    code = mac_data.compute(_SHA256, content, passphrase, _SALT, 1)
    digest_info = encode(SEQUENCE, _SHA256_ALGORITHM + encode(OCTET_STRING, code))
    trailer = encode(SEQUENCE, digest_info + encode(OCTET_STRING, _SALT))
    made = encode(INTEGER, b"\x03") + _typed(_DATA, encode(OCTET_STRING, content)) + trailer
    try:
        return pkcs12.load_pkcs12(encode(SEQUENCE, made), passphrase.octets or None)
    except PARSER_ERRORS:
        return None


@cache
def _throw_away_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def _typed(kind: bytes, value: bytes) -> bytes:
    return encode(SEQUENCE, kind + encode(CONTEXT_0, value))


def _data(bag: bytes) -> bytes:
    return _typed(_DATA, encode(OCTET_STRING, encode(SEQUENCE, bag)))


def _encrypted_data(safe: Encrypted) -> bytes:
    info = encode(SEQUENCE, _DATA + safe.algorithm.to_der() + encode(_IMPLICIT_0, safe.content))
    return _typed(_ENCRYPTED_DATA, encode(SEQUENCE, encode(INTEGER, b"\x00") + info))
