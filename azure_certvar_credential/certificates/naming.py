"""Names certificates and keys in messages by what the Azure portal shows, never by their content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from azure_certvar_credential.exceptions import CertificateFormatError
from azure_certvar_credential.signers.keys import PublicKey
from azure_certvar_credential.signers.parser_errors import PARSER_ERRORS

# A CA bundle has more than a hundred certificates; a message names the first few.
_MAX_NAMED = 5


def der(certificate: x509.Certificate) -> bytes:
    """Return the certificate's DER encoding."""
    return certificate.public_bytes(Encoding.DER)


def thumbprint(certificate: x509.Certificate) -> str:
    """Return the upper-case hex SHA-1 of the DER, which the portal calls the thumbprint."""
    return hashlib.sha1(der(certificate), usedforsecurity=False).hexdigest().upper()


def public_key_sha256(public_key: PublicKey) -> str:
    """Return the upper-case hex SHA-256 of the ``SubjectPublicKeyInfo`` (RFC 5280 section 4.1.2.7)."""
    spki = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest().upper()


def describe(certificate: x509.Certificate) -> str:
    """Return subject and thumbprint in one phrase.

    :param certificate: one that :func:`readable` has checked.
    """
    # repr: a subject may hold line breaks, which would break a log line.
    return f"{certificate.subject.rfc4514_string()!r} (thumbprint {thumbprint(certificate)})"


def describe_all(certificates: Iterable[x509.Certificate]) -> str:
    """Return the phrases of :func:`describe` for the first few, and the number of the others."""
    phrases = [describe(certificate) for certificate in certificates]
    more = len(phrases) - _MAX_NAMED
    return ", ".join(phrases[:_MAX_NAMED]) + (f" and {more} more" if more > 0 else "")


def readable(certificate: x509.Certificate) -> x509.Certificate:
    """Return a certificate unchanged after reading its names and dates.

    ``cryptography`` parses them only on access; without this check a defect would surface in the middle of a request.

    :raises CertificateFormatError: a name or a date in it is malformed.
    """
    try:
        certificate.subject.rfc4514_string()
        certificate.issuer.rfc4514_string()
        certificate.not_valid_before_utc, certificate.not_valid_after_utc, certificate.serial_number  # noqa: B018
    except PARSER_ERRORS as error:
        problem = str(error)
    else:
        return certificate
    # Outside the handler, so that the parser's exception does not become __context__.
    raise CertificateFormatError(f"the certificate with thumbprint {thumbprint(certificate)} is damaged: {problem}")


def describe_key(key: object) -> str:
    """Return a key's type, such as ``RSA``, ``EC secp256k1`` or ``Ed25519``."""
    curve = getattr(key, "curve", None)
    if isinstance(curve, ec.EllipticCurve):
        return f"EC {curve.name}"
    name = type(key).__name__.lstrip("_")
    return name.removesuffix("PrivateKey").removesuffix("PublicKey") or name
