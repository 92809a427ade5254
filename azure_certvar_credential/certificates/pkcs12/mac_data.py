"""Verifies the MAC of a PFX with a password (RFC 7292 section 4 and appendix B, RFC 9579).

The MAC shows whether the password is right before anything is decrypted. That distinguishes a wrong password from
damage and from an unsupported algorithm.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from cryptography.hazmat.primitives.hmac import HMAC

from azure_certvar_credential.certificates import ber
from azure_certvar_credential.certificates.pkcs12 import kdf_budget
from azure_certvar_credential.certificates.pkcs12.kdf import (
    MAC_KEY,
    Passphrase,
    can_derive,
    derive,
    hmac_digest,
    is_hmac,
    pkcs12_key,
)

# By the OBJECT IDENTIFIER of the digest.
_DIGESTS: dict[str, Callable[..., Any]] = {
    "1.2.840.113549.2.5": hashlib.md5,
    "1.3.14.3.2.26": hashlib.sha1,
    "2.16.840.1.101.3.4.2.4": hashlib.sha224,
    "2.16.840.1.101.3.4.2.1": hashlib.sha256,
    "2.16.840.1.101.3.4.2.2": hashlib.sha384,
    "2.16.840.1.101.3.4.2.3": hashlib.sha512,
    "2.16.840.1.101.3.4.2.7": hashlib.sha3_224,
    "2.16.840.1.101.3.4.2.8": hashlib.sha3_256,
    "2.16.840.1.101.3.4.2.9": hashlib.sha3_384,
    "2.16.840.1.101.3.4.2.10": hashlib.sha3_512,
    # hashlib has these by name only, and only if its OpenSSL does.
    **{
        oid: partial(hashlib.new, name)
        for oid, name in (("2.16.840.1.101.3.4.2.5", "sha512_224"), ("2.16.840.1.101.3.4.2.6", "sha512_256"))
        if name in hashlib.algorithms_available
    },
}


@dataclass(frozen=True, slots=True)
class Mac:
    """The MacData of a PFX.

    :ivar digest: the OBJECT IDENTIFIER of the digest, or of PBMAC1, in dotted form.
    :ivar value: the MAC.
    :ivar salt: the salt; PBMAC1 has its own.
    :ivar iterations: the iterations for its key, PBMAC1's included.
    :ivar scheme: the key derivation and the HMAC of PBMAC1; empty for any other.
    """

    digest: str
    value: bytes
    salt: bytes
    iterations: int
    scheme: tuple[ber.Element, ...] = ()


def read_mac(mac_data: ber.Element) -> Mac:
    """Read ``MacData`` (RFC 7292 section 4, RFC 9579 section 5).

    :raises MalformedError: it is not MacData.
    """
    fields = mac_data.children()
    if len(fields) < 2:
        raise ber.MalformedError("MacData without a salt")
    digest_info = fields[0].children()
    if len(digest_info) != 2:
        raise ber.MalformedError("DigestInfo without its two fields")
    algorithm = digest_info[0].children()
    if not algorithm:
        raise ber.MalformedError("an AlgorithmIdentifier without an algorithm")
    # iterations INTEGER DEFAULT 1
    iterations = fields[2].integer() if len(fields) > 2 else 1
    pbmac1 = kdf_budget.iterations(digest_info[0])
    name = algorithm[0].object_identifier()
    scheme = algorithm[1].children() if name == kdf_budget.PBMAC1 and len(algorithm) > 1 else ()
    return Mac(name, digest_info[1].octets(), fields[1].octets(), max(0, iterations) + pbmac1, scheme)


def is_known(mac: Mac) -> bool:
    """Return whether :func:`verifies` can verify a MAC.

    :raises MalformedError: the parameters of PBMAC1 are damaged.
    """
    if mac.digest != kdf_budget.PBMAC1:
        return mac.digest in _DIGESTS
    if len(mac.scheme) != 2:
        raise ber.MalformedError("PBMAC1 without its two algorithms")
    derivation, scheme = mac.scheme
    return can_derive(derivation) and is_hmac(scheme)


def verifies(mac: Mac, content: bytes, passphrase: Passphrase) -> bool:
    """Return whether the MAC was made with this password.

    :param mac: one that :func:`is_known` accepts, its iterations already taken from the budget.
    :param content: the octets that the MAC protects.
    :param passphrase: the password.
    :raises MalformedError: the parameters of PBMAC1 are damaged.
    """
    if mac.digest == kdf_budget.PBMAC1:
        derivation, scheme = mac.scheme
        authentication = HMAC(derive(derivation, passphrase.octets), hmac_digest(scheme))
        authentication.update(content)
        made = authentication.finalize()
    else:
        made = compute(mac.digest, content, passphrase, mac.salt, mac.iterations)
    return hmac.compare_digest(made, mac.value)


def compute(digest: str, content: bytes, passphrase: Passphrase, salt: bytes, iterations: int) -> bytes:
    """Return the MAC of RFC 7292 appendix B, for the OBJECT IDENTIFIER of a known digest."""
    function = _DIGESTS[digest]
    length = function().digest_size
    key = pkcs12_key(function, passphrase.bmp, salt, iterations, purpose=MAC_KEY, length=length)
    return hmac.new(key, content, function).digest()
