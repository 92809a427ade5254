"""Names certificates and keys in messages by what the Azure portal shows, never by their content."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from azure_certvar_credential.certificates import ber
from azure_certvar_credential.exceptions import CertificateError, CertificateFormatError
from azure_certvar_credential.signers.keys import PublicKey
from azure_certvar_credential.signers.parser_errors import PARSER_ERRORS

# A CA bundle has more than a hundred certificates; a message names the first few.
_MAX_NAMED = 5

_BMP_STRING = 0x1E
# RFC 4514: the names of attribute types in a string (section 3), and the characters that it escapes (section 2.4).
_NAMES = {
    "2.5.4.3": "CN",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
}
_SPECIAL = r'[",+;<>\\]|^[ #]| $'


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
    """Return subject and thumbprint in one phrase."""
    # repr: a subject may hold line breaks, which would break a log line.
    return f"{subject(certificate)!r} (thumbprint {thumbprint(certificate)})"


def describe_all(certificates: Iterable[x509.Certificate]) -> str:
    """Return the phrases of :func:`describe` for the first few, and the number of the others."""
    phrases = [describe(certificate) for certificate in certificates]
    more = len(phrases) - _MAX_NAMED
    return ", ".join(phrases[:_MAX_NAMED]) + (f" and {more} more" if more > 0 else "")


def subject(certificate: x509.Certificate) -> str:
    """Return the subject as an RFC 4514 string, or as much of it as can be shown."""
    return _shown(certificate, "subject")


def issuer(certificate: x509.Certificate) -> str:
    """Return the issuer as an RFC 4514 string, or as much of it as can be shown."""
    return _shown(certificate, "issuer")


def subject_der(certificate: x509.Certificate) -> bytes:
    """Return the subject's DER encoding, which can be compared even if the name cannot be parsed."""
    return _name(certificate, "subject").encoded


def issuer_der(certificate: x509.Certificate) -> bytes:
    """Return the issuer's DER encoding, which can be compared even if the name cannot be parsed."""
    return _name(certificate, "issuer").encoded


def not_before(certificate: x509.Certificate) -> datetime:
    """Return the start of the validity window in UTC; year 0, which some tools write, becomes the earliest date."""
    return _date(certificate, "not_valid_before_utc")


def not_after(certificate: x509.Certificate) -> datetime:
    """Return the end of the validity window in UTC; year 0 becomes the earliest date."""
    return _date(certificate, "not_valid_after_utc")


def readable(certificate: x509.Certificate) -> x509.Certificate:
    """Return a certificate unchanged after reading its dates; whatever its annotation says, callers hand in anything.

    ``cryptography`` parses them only on access; without this check a defect would surface in the middle of a request.
    Names and extensions may be malformed, because they are only shown.

    :raises CertificateFormatError: a date in it is malformed.
    :raises CertificateError: it is of another type.
    """
    if not isinstance(certificate, x509.Certificate):
        raise CertificateError(
            f"leaf and chain must be cryptography.x509.Certificate, not {type(certificate).__name__}; for any other "
            "form use ClientCertificate.load()"
        )
    try:
        not_before(certificate), not_after(certificate)
    except PARSER_ERRORS as error:
        problem = str(error)
    else:
        return certificate
    # Outside the handler, so that the parser's exception does not become __context__.
    raise CertificateFormatError(f"the certificate with thumbprint {thumbprint(certificate)} is damaged: {problem}")


def _date(certificate: x509.Certificate, which: Literal["not_valid_before_utc", "not_valid_after_utc"]) -> datetime:
    try:
        date: datetime = getattr(certificate, which)
    except ValueError as error:
        # datetime begins with year 1.
        if "year 0" not in str(error):
            raise
        date = datetime.min.replace(tzinfo=timezone.utc)
    return date


def _name(certificate: x509.Certificate, which: Literal["subject", "issuer"]) -> ber.Element:
    """Return a name as an element; the certificate has been parsed, so its outer structure is right."""
    fields = ber.parse(ber.parse_first(certificate.tbs_certificate_bytes).content)
    # version [0], serial number, signature, issuer, validity, subject (RFC 5280 section 4.1)
    number = 3 if which == "issuer" else 5
    return fields[number - (fields[0].tag != ber.CONTEXT_0)]


def _shown(certificate: x509.Certificate, which: Literal["subject", "issuer"]) -> str:
    try:
        name: x509.Name = getattr(certificate, which)
        return name.rfc4514_string()
    except (*PARSER_ERRORS, Warning):  # a length that RFC 5280 does not allow, where warnings are errors
        pass
    try:
        return ",".join(reversed([_attributes(part) for part in _name(certificate, which).children()]))
    except ValueError:
        return "(unreadable name)"


def _attributes(part: ber.Element) -> str:
    shown = []
    for attribute in part.children():
        kind, value = attribute.children()
        dotted = kind.object_identifier()
        label = _NAMES.get(dotted, dotted)
        # The text is only looked at: a string type promises an encoding that the octets do not keep.
        encoding = "utf-16-be" if value.tag == _BMP_STRING else "utf-8"
        try:
            text = value.content.decode(encoding)
        except UnicodeDecodeError:
            text = value.content.decode("latin-1")
        escaped = re.sub(_SPECIAL, r"\\\g<0>", text)
        shown.append(f"{label}={escaped}")
    return "+".join(shown)


def describe_key(key: object) -> str:
    """Return a key's type, such as ``RSA``, ``EC secp256k1`` or ``Ed25519``."""
    curve = getattr(key, "curve", None)
    if isinstance(curve, ec.EllipticCurve):
        return f"EC {curve.name}"
    name = type(key).__name__.lstrip("_")
    return name.removesuffix("PrivateKey").removesuffix("PublicKey") or name
