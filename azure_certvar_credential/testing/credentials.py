"""Certificates as the directory stores them: public half and thumbprints, loaded from any form."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from cryptography import x509
from cryptography.hazmat.primitives import hashes


@runtime_checkable
class HasPublicDer(Protocol):
    """An object that exports its certificate as DER."""

    def public_der(self) -> bytes:
        """The certificate as DER."""


CertificateLike = x509.Certificate | HasPublicDer | str | bytes
"""A certificate: PEM as text or bytes, DER, a ``cryptography`` object, or an object with ``public_der()``."""


def load_certificate(value: CertificateLike) -> x509.Certificate:
    """Load a certificate from any accepted form.

    :param value: PEM as ``str`` or ``bytes`` (the first certificate in it), DER as ``bytes``, an
        ``x509.Certificate``, or an object with ``public_der()``.
    :raises TypeError: ``value`` has another type.
    :raises ValueError: ``value`` is not a valid certificate.
    """
    if isinstance(value, x509.Certificate):
        return value
    if isinstance(value, HasPublicDer):
        value = value.public_der()
    if isinstance(value, str):
        value = value.encode()
    if not isinstance(value, bytes):
        raise TypeError(
            f"a certificate must be PEM, DER, an x509.Certificate or an object with public_der(), not {type(value)}"
        )
    if b"-----BEGIN" in value:
        return x509.load_pem_x509_certificate(value)
    return x509.load_der_x509_certificate(value)


def sha1_thumbprint(certificate: x509.Certificate) -> bytes:
    """The thumbprint that ``x5t`` names (RFC 7515 section 4.1.7) and the portal shows."""
    return certificate.fingerprint(hashes.SHA1())  # noqa: S303 - an identifier, not a protection


@dataclass(frozen=True, slots=True)
class KeyCredential:
    """A certificate of an application registration.

    :ivar key_id: the GUID that the portal shows for it.
    :ivar certificate: the certificate.
    :ivar sha1: the SHA-1 thumbprint, 20 bytes.
    :ivar sha256: the SHA-256 thumbprint, 32 bytes.
    """

    key_id: str
    certificate: x509.Certificate
    sha1: bytes
    sha256: bytes

    @classmethod
    def of(cls, certificate: x509.Certificate) -> KeyCredential:
        """Make a credential of ``certificate``, with its thumbprints."""
        return cls(
            str(uuid.uuid4()),
            certificate,
            sha1_thumbprint(certificate),
            certificate.fingerprint(hashes.SHA256()),
        )

    def is_called(self, thumbprint: bytes) -> bool:
        """Return whether ``thumbprint`` is the SHA-1 or SHA-256 thumbprint."""
        return thumbprint in (self.sha1, self.sha256)
