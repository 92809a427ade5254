"""The kinds of key that sign client assertions, and how messages and algorithms refer to them."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from azure_certvar_credential.exceptions import ConfigurationError
from azure_certvar_credential.signers.algorithms import ALGORITHMS, Algorithm, algorithm_named

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


def curve_of(key: PrivateKey | PublicKey) -> str | None:
    """Return the SECG name of a key's curve, such as ``secp256r1``; None for RSA."""
    return key.curve.name if isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey) else None


def described(key: PrivateKey | PublicKey) -> str:
    """Return a key's type with its size or curve, such as ``RSA 2048`` or ``EC secp256r1``."""
    curve = curve_of(key)
    return f"EC {curve}" if curve else f"RSA {key.key_size}"


def fitting(key: PrivateKey | PublicKey, algorithm: str) -> Algorithm:
    """Return the algorithm of a name, checked against a key (RFC 7518 sections 3.3 to 3.5).

    :param algorithm: a JWS ``alg`` value, such as ``PS256``.
    :raises ConfigurationError: the name is unknown, or the key is of another type or on another curve.
    """
    row = ALGORITHMS.get(algorithm) or algorithm_named(algorithm)
    if curve_of(key) == row.curve:  # both None for RSA
        return row
    need = f"an EC key on {row.curve}" if row.curve else "an RSA key"
    raise ConfigurationError(f"algorithm {row.name} needs {need}, but this key is {described(key)}")


def signature_length(public_key: PublicKey) -> int:
    """Return the length in bytes of a JWS signature: the RSA modulus's, or both ECDSA halves (RFC 7518 section 3.4)."""
    length = (public_key.key_size + 7) // 8
    return 2 * length if isinstance(public_key, ec.EllipticCurvePublicKey) else length
