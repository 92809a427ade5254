"""Verifies the MAC of a PFX with a password (RFC 7292 section 4 and appendix B).

``cryptography`` answers "Invalid password or PKCS12 data" to a wrong password, to a cipher that this OpenSSL does not
have, and to damage. Whoever reads the error needs to know which; the MAC tells. Used only after a failure.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from azure_certvar_credential.certificates import kdf, tlv

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

# By the OBJECT IDENTIFIER of the digest.
_DIGESTS = {
    "1.3.14.3.2.26": hashlib.sha1,
    "2.16.840.1.101.3.4.2.4": hashlib.sha224,
    "2.16.840.1.101.3.4.2.1": hashlib.sha256,
    "2.16.840.1.101.3.4.2.2": hashlib.sha384,
    "2.16.840.1.101.3.4.2.3": hashlib.sha512,
}

# Python does one or two million a second. A file that asks for more keeps the shorter explanation.
_MAX_ITERATIONS = 1_000_000

# Appendix B.3: the purpose "integrity key".
_MAC_KEY = 3


@dataclass(frozen=True, slots=True)
class Mac:
    """The MacData of a PFX.

    :ivar digest: the OBJECT IDENTIFIER of the digest in dotted form.
    :ivar value: the MAC.
    :ivar salt: the salt.
    :ivar iterations: how often the digest is repeated for the key, PBMAC1's included.
    """

    digest: str
    value: bytes
    salt: bytes
    iterations: int


def read_mac(mac_data: tlv.Element) -> Mac:
    """Read ``MacData`` (RFC 7292 section 4, RFC 9579 section 5).

    :raises MalformedError: it is something else.
    """
    fields = mac_data.children()
    if len(fields) < 2:
        raise tlv.MalformedError("MacData without a salt")
    digest_info = fields[0].children()
    if len(digest_info) != 2:
        raise tlv.MalformedError("DigestInfo has not two fields")
    algorithm = digest_info[0].children()
    if not algorithm:
        raise tlv.MalformedError("an AlgorithmIdentifier without an algorithm")
    # iterations INTEGER DEFAULT 1
    iterations = fields[2].integer() if len(fields) > 2 else 1
    pbmac1 = kdf.iterations(digest_info[0])
    return Mac(
        algorithm[0].object_identifier(), digest_info[1].octets(), fields[1].octets(), max(0, iterations) + pbmac1
    )


def verifies(mac: Mac, content: bytes, password: bytes | None) -> bool | None:
    """Return whether the password is the one that the MAC was made with.

    :param mac: what :func:`read_mac` returned, its iterations already checked.
    :param content: the octets that it protects.
    :param password: UTF-8 octets; None or empty tries both ways in which tools write "no password".
    :returns: None if the digest is not one of appendix B (such as PBMAC1), or the iterations would take too long.
    """
    digest = _DIGESTS.get(mac.digest)
    if digest is None or mac.iterations > _MAX_ITERATIONS:
        return None
    tries = [_bmp_string(password)] if password else [b"", b"\x00\x00"]
    return any(
        hmac.compare_digest(hmac.new(_key(digest, octets, mac), content, digest).digest(), mac.value)
        for octets in tries
    )


def _bmp_string(password: bytes) -> bytes:
    # Appendix B.1: UTF-16 big-endian with two zero octets. OpenSSL takes octets that are no UTF-8 for Latin-1.
    try:
        text = password.decode("utf-8")
    except UnicodeDecodeError:
        text = password.decode("latin-1")
    return text.encode("utf-16-be") + b"\x00\x00"


def _key(digest: Callable[[bytes], Hash], password: bytes, mac: Mac) -> bytes:
    # Appendix B.2 for a key no longer than one digest, so that its steps 6B and 6C fall away.
    block = digest(b"").block_size
    value = digest(bytes([_MAC_KEY]) * block + _filled(mac.salt, block) + _filled(password, block)).digest()
    for _ in range(mac.iterations - 1):
        value = digest(value).digest()
    return value


def _filled(octets: bytes, block: int) -> bytes:
    length = block * (-(-len(octets) // block))
    return (octets * (length // max(1, len(octets)) + 1))[:length]
