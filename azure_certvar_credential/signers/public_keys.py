"""Reads the public half of a key that is held elsewhere, from any usual form."""

from __future__ import annotations

from typing import Protocol, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

from azure_certvar_credential.exceptions import CertificateFormatError, UnsupportedKeyError
from azure_certvar_credential.signers.keys import PublicKey
from azure_certvar_credential.signers.parser_errors import PARSER_ERRORS


class PublicKeyObject(Protocol):
    """A public key of ``cryptography``, as its load functions return it; RSA and EC keys are accepted."""

    def public_bytes(self, encoding: Encoding, format: PublicFormat) -> bytes:  # noqa: A002 - cryptography's name
        """Serialise the key."""


# What the public half of a key may be given as.
PublicKeyData: TypeAlias = PublicKeyObject | x509.Certificate | str | bytes | bytearray | memoryview


def public_key_from(source: object) -> PublicKey:
    """Return the RSA or EC public key that ``source`` is or holds.

    :param source: a public key or an ``x509.Certificate`` of ``cryptography``, or a certificate or
        SubjectPublicKeyInfo as PEM (``str`` or ``bytes``) or DER. Of several PEM certificates the first is read.
    :raises CertificateFormatError: it is none of these, or damaged.
    :raises UnsupportedKeyError: the key is neither RSA nor EC.
    """
    if hasattr(source, "private_bytes"):
        raise CertificateFormatError(
            f"public_key is a private key ({type(source).__name__}); give its public half. A private key in memory "
            "needs no such signer: pass it to ClientCertificate"
        )
    if isinstance(source, str | bytes | bytearray | memoryview):
        source = _parsed(source.encode() if isinstance(source, str) else bytes(source))
    if isinstance(source, x509.Certificate):
        try:
            source = source.public_key()
        except PARSER_ERRORS:
            source = None
        if source is None:
            raise CertificateFormatError("the certificate given as public_key has a public key that cannot be read")
    if isinstance(source, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return source
    if hasattr(source, "public_bytes"):
        raise UnsupportedKeyError(f"the key is of type {type(source).__name__}; use RSA, or EC if the server takes it")
    raise CertificateFormatError(
        f"public_key is of type {type(source).__name__}; give a public key or certificate of cryptography, or either "
        "of them as PEM or DER"
    )


def _parsed(data: bytes) -> object:
    text = data.strip()
    if text.startswith(b"-----") and b"PRIVATE KEY-----" in text and b"-----BEGIN CERTIFICATE-----" not in text:
        raise CertificateFormatError("public_key is a private key in PEM; give its public half")
    readers = (
        (x509.load_pem_x509_certificate, load_pem_public_key)
        if b"-----BEGIN " in text
        else (x509.load_der_x509_certificate, load_der_public_key)
    )
    for read in readers:
        try:
            return read(data)
        except PARSER_ERRORS:
            continue  # the other kind, or neither
    # The content is not quoted: what was mistaken for a public key may be secret.
    raise CertificateFormatError(
        f"the {len(data)} bytes given as public_key are neither a certificate nor a public key in PEM or DER"
    )
