"""Maps JWS algorithms to the mechanisms of a token, with the message hashed on the token or here."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from pkcs11 import MGF, Mechanism

from azure_certvar_credential.exceptions import ConfigurationError
from azure_certvar_credential.signers.algorithms import Algorithm

# The DER before the hash in EMSA-PKCS1-v1_5 (RFC 8017 section 9.2, note 1).
_DIGEST_INFO = {
    256: bytes.fromhex("3031300d060960864801650304020105000420"),
    384: bytes.fromhex("3041300d060960864801650304020205000430"),
    512: bytes.fromhex("3051300d060960864801650304020305000440"),
}
_HASHES = {256: Mechanism.SHA256, 384: Mechanism.SHA384, 512: Mechanism.SHA512}
_MASKS = {256: MGF.SHA256, 384: MGF.SHA384, 512: MGF.SHA512}
_RSA = {256: Mechanism.SHA256_RSA_PKCS, 384: Mechanism.SHA384_RSA_PKCS, 512: Mechanism.SHA512_RSA_PKCS}
_PSS = {256: Mechanism.SHA256_RSA_PKCS_PSS, 384: Mechanism.SHA384_RSA_PKCS_PSS, 512: Mechanism.SHA512_RSA_PKCS_PSS}
_ECDSA = {256: Mechanism.ECDSA_SHA256, 384: Mechanism.ECDSA_SHA384, 512: Mechanism.ECDSA_SHA512}


@dataclass(frozen=True, slots=True)
class Way:
    """One way to sign a message on a token.

    :ivar mechanism: the token's mechanism.
    :ivar parameter: for PSS: hash, mask and the length of the salt in bytes.
    :ivar hashes_here: whether the token gets the hash and not the message.
    :ivar prefix: the octets before the hash.
    """

    mechanism: Mechanism
    parameter: tuple[Any, ...] | None = None
    hashes_here: bool = False
    prefix: bytes = b""

    def prepared(self, message: bytes, hash_bits: int) -> bytes:
        """Return the octets that the token must sign for ``message``."""
        if not self.hashes_here:
            return message
        return self.prefix + hashlib.new(f"sha{hash_bits}", message).digest()


def ways(row: Algorithm) -> tuple[Way, ...]:
    """Return the ways to sign with an algorithm, the preferred one first."""
    bits = row.hash_bits
    if row.scheme == "PKCS1v15":
        return Way(_RSA[bits]), Way(Mechanism.RSA_PKCS, None, hashes_here=True, prefix=_DIGEST_INFO[bits])
    if row.scheme == "PSS":
        # RFC 7518 section 3.5: MGF1 with the same hash, and a salt as long as the hash.
        parameter = (_HASHES[bits], _MASKS[bits], bits // 8)
        return Way(_PSS[bits], parameter), Way(Mechanism.RSA_PKCS_PSS, parameter, hashes_here=True)
    # Every token with EC keys has plain ECDSA, few have the hashing mechanisms.
    return Way(Mechanism.ECDSA, None, hashes_here=True), Way(_ECDSA[bits])


def way(row: Algorithm, offered: Collection[object], token: str) -> Way:
    """Return the preferred way that the token offers.

    :param offered: the token's mechanisms (``C_GetMechanismList``).
    :raises ConfigurationError: it offers none of them.
    """
    for candidate in ways(row):
        if candidate.mechanism in offered:
            return candidate
    names = " nor ".join(f"CKM_{candidate.mechanism.name}" for candidate in ways(row))
    raise ConfigurationError(f"{token} cannot sign with {row.name}: it offers neither {names}")


def joined(signature: bytes, length: int) -> bytes:
    """Return an ECDSA signature with both halves padded to full length.

    PKCS #11 v3.1 section 6.3.1 lets a token return shorter halves of equal length; RFC 7518 section 3.4 does not.

    :param length: the length of the whole signature in bytes.
    """
    half = len(signature) // 2
    return signature[:half].rjust(length // 2, b"\0") + signature[half:].rjust(length // 2, b"\0")
