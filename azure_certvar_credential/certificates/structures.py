"""Recognises binary structures by their shape, and reads certificates.

OpenSSL's detection tries one parser after another and reports the failure of the last one, which misleads. The shapes
of RFC 5280, 5208, 5958, 8017, 5915 and 7292 differ in the tags of their first elements.
"""

from __future__ import annotations

from cryptography import x509

from azure_certvar_credential.certificates import ber
from azure_certvar_credential.certificates.naming import readable
from azure_certvar_credential.exceptions import CertificateFormatError
from azure_certvar_credential.signers.parser_errors import PARSER_ERRORS

CERTIFICATE = "certificate"
PFX = "PFX"
PRIVATE_KEY = "private key"
ENCRYPTED_PRIVATE_KEY = "encrypted private key"
DSA_PRIVATE_KEY = "DSA private key"
UNKNOWN = "structure of an unknown kind"

# Recognised only for the error message.
_OTHERS = {
    "public key": "it verifies signatures and cannot create them",
    "certificate signing request": "give the certificate that was issued for it",
    "certificate revocation list": "it names certificates and holds none",
    "PKCS #7": (
        "a .p7b holds certificates and never a private key; give PEM or PFX, or with a key beside it what "
        "`openssl pkcs7 -print_certs` makes of it"
    ),
}


def identify(element: ber.Element) -> str:
    """Return the kind of structure, recognised by the tags of its members.

    :raises MalformedError: the element's content is not BER.
    """
    if element.tag != ber.SEQUENCE:
        return UNKNOWN
    inside = element.children()
    match [child.tag for child in inside]:
        case [ber.SEQUENCE, ber.SEQUENCE, ber.BIT_STRING]:
            # RFC 2986 section 4.1: a request ends with attributes [0], a certificate of version 1 does not.
            body = [child.tag for child in inside[0].children()]
            # RFC 5280 section 5.1: a list of revoked certificates has its date bare, a certificate in a SEQUENCE.
            if any(tag in body for tag in ber.TIMES):
                return "certificate revocation list"
            is_request = body[:1] == [ber.INTEGER] and body[-1:] == [ber.CONTEXT_0]
            return "certificate signing request" if is_request else CERTIFICATE
        case [ber.SEQUENCE, ber.OCTET_STRING]:
            return ENCRYPTED_PRIVATE_KEY
        case [ber.SEQUENCE, ber.BIT_STRING]:
            return "public key"
        case [ber.INTEGER, ber.SEQUENCE, ber.OCTET_STRING, *_] | [ber.INTEGER, ber.OCTET_STRING, *_]:
            return PRIVATE_KEY
        case [ber.INTEGER, ber.INTEGER]:
            return "public key"
        case [ber.INTEGER, ber.INTEGER, *rest]:
            return DSA_PRIVATE_KEY if len(rest) == 4 else PRIVATE_KEY
        case [ber.INTEGER, ber.SEQUENCE] | [ber.INTEGER, ber.SEQUENCE, ber.SEQUENCE]:
            return PFX
        case [ber.OBJECT_IDENTIFIER, ber.CONTEXT_0]:
            return "PKCS #7"
    return UNKNOWN


def identify_beginning(data: bytes) -> str:
    """Return what truncated data seems to be, for a message."""
    # The identifier and length octets of the outer SEQUENCE take two to six bytes; version and next tag follow.
    head = data[2:10]
    if b"\x02\x01\x03\x30" in head:
        return PFX
    return PRIVATE_KEY if b"\x02\x01\x00" in head else "certificate or key"


def identified(data: bytes) -> str:
    """Return the kind of structure at the start of the data; :data:`UNKNOWN` if that is not BER."""
    try:
        return identify(ber.parse_first(data))
    except ber.MalformedError:
        return UNKNOWN


def other_structure(kind: str, where: str) -> CertificateFormatError:
    """Return the error for a structure that is not a certificate, key or PFX.

    :param where: what it was found in.
    """
    remedy = _OTHERS.get(kind)
    if remedy is None:
        return CertificateFormatError(f"{where} is ASN.1, but not a certificate, private key or PFX")
    return CertificateFormatError(f"{where} is a {kind}: {remedy}")


def remedy(data: bytes) -> str | None:
    """Return advice about a structure that is not a certificate, key or PFX; None for an unknown one."""
    return _OTHERS.get(identified(data))


def load_certificate(encoded: bytes, where: str) -> x509.Certificate:
    """Read one DER certificate.

    :param where: what it was found in, for the message.
    :raises CertificateFormatError: it is damaged.
    """
    try:
        certificate = x509.load_der_x509_certificate(encoded)
    except PARSER_ERRORS as error:
        problem = str(error)
    else:
        return readable(certificate)
    # Outside the handler, so that the foreign exception does not become __context__.
    from azure_certvar_credential.certificates.strictness import refusal

    raise refusal(encoded, where, problem)
