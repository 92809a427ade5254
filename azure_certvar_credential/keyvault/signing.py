"""What both signers share: the digest that goes to the vault, the key as its client takes it, the check of the answer.

https://learn.microsoft.com/rest/api/keyvault/keys/sign/sign
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from azure_certvar_credential.exceptions import ConfigurationError, KeyVaultError
from azure_certvar_credential.keyvault.calls import VaultCall
from azure_certvar_credential.keyvault.failures import SIGN
from azure_certvar_credential.keyvault.location import client_class
from azure_certvar_credential.signers.keys import PublicKey, fitting
from azure_certvar_credential.signers.verification import verify

CRYPTO = "azure.keyvault.keys.crypto"

_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}


def question(key_id: str, public_key: PublicKey, message: bytes, algorithm: str) -> VaultCall:
    """Return what the vault is asked to have a message signed: it takes digests only.

    :raises ConfigurationError: the key does not fit the algorithm.
    """
    digest = hashlib.new(f"sha{fitting(public_key, algorithm).hash_bits}", message).digest()
    # The names of the algorithms are those of JWS.
    name = client_class(CRYPTO, "SignatureAlgorithm")(algorithm)
    return VaultCall(
        CRYPTO, "CryptographyClient", key_id, _key(key_id, public_key), "sign", (name, digest), SIGN, key_id
    )


def trial(public_key: PublicKey) -> tuple[bytes, str]:
    """Return a message that can never be an assertion, and an algorithm of the key, to see whether it signs."""
    # NUL is in no JWS signing input (RFC 7515 section 5.1).
    message = b"azure_certvar_credential trial of a vault\x00" + secrets.token_bytes(32)
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        return message, _CURVES[public_key.curve.name].replace("P-", "ES").replace("521", "512")
    return message, "PS256"


def checked(answer: Any, message: bytes, algorithm: str, public_key: PublicKey, key_id: str) -> bytes:
    """Return the signature of a ``SignResult`` if it is one; Entra would only call the assertion invalid.

    :raises KeyVaultError: it does not verify with the certificate's public key.
    """
    signature = answer.signature
    if isinstance(signature, bytes) and verify(public_key, message, signature, algorithm):
        return signature
    raise KeyVaultError(
        f"what {key_id} signed does not verify with the public key that should belong to it; is it of another version?"
    )


def _key(key_id: str, public_key: PublicKey) -> Any:
    """Return the key as the client takes it. With its public half the client need not ask for it (``keys/get``).

    :raises ConfigurationError: it is neither RSA nor EC on one of the curves of RFC 7518 section 3.4.
    """
    jwk: dict[str, Any] = {"key_ops": ["sign"]}
    if isinstance(public_key, rsa.RSAPublicKey):
        numbers = public_key.public_numbers()
        jwk |= {"kty": "RSA", "n": _octets(numbers.n), "e": _octets(numbers.e)}
    elif isinstance(public_key, ec.EllipticCurvePublicKey) and public_key.curve.name in _CURVES:
        size, point = (public_key.curve.key_size + 7) // 8, public_key.public_numbers()
        jwk |= {"kty": "EC", "crv": _CURVES[public_key.curve.name]}
        jwk |= {"x": point.x.to_bytes(size, "big"), "y": point.y.to_bytes(size, "big")}
    else:
        raise ConfigurationError(f"a Key Vault key that signs is RSA or EC, not {type(public_key).__name__}")
    return client_class("azure.keyvault.keys", "KeyVaultKey")(key_id, jwk=jwk)


def _octets(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
