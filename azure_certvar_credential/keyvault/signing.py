"""Signs in a vault, as a flow without I/O: the digest to send, the key as its client takes it, the check of the answer.

https://learn.microsoft.com/rest/api/keyvault/keys/sign/sign
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from azure_certvar_credential.exceptions import KeyVaultError
from azure_certvar_credential.keyvault.access import client_class
from azure_certvar_credential.keyvault.calls import VaultCall, VaultFlow
from azure_certvar_credential.keyvault.failures import SIGN
from azure_certvar_credential.signers.algorithms import ALGORITHMS
from azure_certvar_credential.signers.keys import PublicKey, fitting
from azure_certvar_credential.signers.verification import verify

CRYPTO = ("azure.keyvault.keys.crypto", "CryptographyClient")


def sign(key_id: str, public_key: PublicKey, message: bytes, algorithm: str) -> VaultFlow[bytes]:
    """Have a message signed; only its digest goes to the vault.

    :raises ConfigurationError: the key does not fit the algorithm.
    :raises KeyVaultError: the vault did not sign, or the signature is not the key's.
    """
    digest = hashlib.new(f"sha{fitting(public_key, algorithm).hash_bits}", message).digest()
    # The algorithms have the same names as in JWS.
    name = client_class(CRYPTO[0], "SignatureAlgorithm")(algorithm)
    key = _key(key_id, public_key)
    # Answer: a SignResult.
    answer = yield VaultCall(*CRYPTO, key_id, key, "sign", (name, digest), SIGN, key_id)
    signature = answer.signature
    # Verified here: Entra's error would only say that the assertion is invalid.
    if isinstance(signature, bytes) and verify(public_key, message, signature, algorithm):
        return signature
    raise KeyVaultError(
        f"a signature by {key_id} does not verify with the public key given for it; is that of another version?"
    )


def trial(public_key: PublicKey) -> tuple[bytes, str]:
    """Return a message that can never be an assertion, and an algorithm of the key, to test whether the key signs."""
    # A JWS signing input contains no NUL (RFC 7515 section 5.1).
    message = b"azure_certvar_credential trial of a vault\x00" + secrets.token_bytes(32)
    curve = public_key.curve.name if isinstance(public_key, ec.EllipticCurvePublicKey) else None
    return message, next(row.name for row in ALGORITHMS.values() if row.curve == curve)


def _key(key_id: str, public_key: PublicKey) -> Any:
    """Return the key as the client takes it; given its public half, the client does not fetch it (``keys/get``)."""
    jwk: dict[str, Any] = {"key_ops": ["sign"]}
    if isinstance(public_key, rsa.RSAPublicKey):
        numbers = public_key.public_numbers()
        jwk |= {"kty": "RSA", "n": _octets(numbers.n), "e": _octets(numbers.e)}
    else:
        # RFC 7518 section 6.2.1.1 names its three curves by their size.
        bits, point = public_key.curve.key_size, public_key.public_numbers()
        size = (bits + 7) // 8
        jwk |= {"kty": "EC", "crv": f"P-{bits}", "x": point.x.to_bytes(size, "big"), "y": point.y.to_bytes(size, "big")}
    return client_class("azure.keyvault.keys", "KeyVaultKey")(key_id, jwk=jwk)


def _octets(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
