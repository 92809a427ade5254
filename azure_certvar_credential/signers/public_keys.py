"""The public half of a key that is elsewhere: read from any usual form, and compared with an algorithm."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key

from azure_certvar_credential.exceptions import CertificateFormatError, ConfigurationError, UnsupportedKeyError
from azure_certvar_credential.signers.algorithms import Algorithm, algorithm_named
from azure_certvar_credential.signers.memory import PublicKey

# What the parsers of cryptography raise on damaged or unsupported input, whatever their documentation promises.
_PARSER_ERRORS = (ValueError, TypeError, KeyError, OverflowError, InternalError, UnsupportedAlgorithm)


def public_key_from(source: object) -> PublicKey:
    """Return the RSA or EC public key that ``source`` is or holds.

    :param source: a public key or an ``x509.Certificate`` of ``cryptography``; or a certificate or SubjectPublicKeyInfo
        as PEM (``str`` or ``bytes``) or DER. Of several PEM certificates the first counts.
    :raises CertificateFormatError: it is none of these, or damaged.
    :raises UnsupportedKeyError: the key is neither RSA nor EC.
    """
    if hasattr(source, "private_bytes"):
        raise CertificateFormatError(
            f"a private key ({type(source).__name__}) was given where a public key is wanted; a private key in memory "
            "needs no such signer: hand it to ClientCertificate"
        )
    if isinstance(source, str | bytes | bytearray | memoryview):
        source = _parsed(source.encode() if isinstance(source, str) else bytes(source))
    if isinstance(source, x509.Certificate):
        try:
            source = source.public_key()
        except _PARSER_ERRORS as error:
            raise CertificateFormatError("the public key of the certificate cannot be read") from error
    if isinstance(source, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return source
    if hasattr(source, "public_bytes"):
        raise UnsupportedKeyError(f"the key is a {type(source).__name__}; use RSA, or EC where the verifier takes it")
    raise CertificateFormatError(
        f"the public key is of type {type(source).__name__}; give a public key or certificate of cryptography, or PEM "
        "or DER of one"
    )


def fitting(public_key: PublicKey, algorithm: str) -> Algorithm:
    """Return the algorithm of that name if the key can sign with it (RFC 7518 sections 3.3 to 3.5).

    :raises ConfigurationError: the name is unknown, or the key is of another type or curve.
    """
    row = algorithm_named(algorithm)
    curve = public_key.curve.name if isinstance(public_key, ec.EllipticCurvePublicKey) else None
    if curve == row.curve:  # None for RSA
        return row
    need = f"an EC key on {row.curve}" if row.curve else "an RSA key"
    raise ConfigurationError(f"algorithm {row.name} needs {need}, and this key is {described(public_key)}")


def described(public_key: PublicKey) -> str:
    """Return the kind of a key in two words, such as ``RSA 2048``."""
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        return f"EC {public_key.curve.name}"
    return f"RSA {public_key.key_size}"


def signature_length(public_key: PublicKey) -> int:
    """Return how many bytes a JWS signature has: the modulus's (RFC 8017), or ``r || s`` (RFC 7518 section 3.4)."""
    length = (public_key.key_size + 7) // 8
    return 2 * length if isinstance(public_key, ec.EllipticCurvePublicKey) else length


def _parsed(data: bytes) -> object:
    text = data.strip()
    if text.startswith(b"-----") and b"PRIVATE KEY-----" in text and b"-----BEGIN CERTIFICATE-----" not in text:
        raise CertificateFormatError("a private key in PEM was given where a public key is wanted")
    readers = (
        (x509.load_pem_x509_certificate, load_pem_public_key)
        if b"-----BEGIN " in text
        else (x509.load_der_x509_certificate, load_der_public_key)
    )
    for read in readers:
        try:
            return read(data)
        except _PARSER_ERRORS:
            continue  # the other kind, or neither
    # None of the content: what was mistaken for a public key may be secret.
    raise CertificateFormatError(
        f"the {len(data)} bytes given as public key are neither a certificate nor a public key in PEM or DER"
    )
