"""Reads private keys: PKCS #8 (RFC 5958), encrypted or not, PKCS #1 (RFC 8017) and SEC 1 (RFC 5915)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key

from azure_certvar_credential.certificates import ber
from azure_certvar_credential.certificates.naming import describe_key
from azure_certvar_credential.certificates.possession import MAX_RSA_BITS, check_key, check_numbers, unsupported
from azure_certvar_credential.certificates.structures import (
    DSA_PRIVATE_KEY,
    PRIVATE_KEY,
    identify,
)
from azure_certvar_credential.exceptions import CertificateFormatError, UnsupportedKeyError
from azure_certvar_credential.signers.algorithms import CURVES
from azure_certvar_credential.signers.keys import PrivateKey
from azure_certvar_credential.signers.parser_errors import PARSER_ERRORS

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes


_KEY_TYPES = {
    "1.2.840.10040.4.1": "DSA",
    "1.2.840.113549.1.3.1": "DH",
    "1.2.840.113549.1.1.10": "RSASSA-PSS",
    "1.3.101.110": "X25519",
    "1.3.101.111": "X448",
    "1.3.101.112": "Ed25519",
    "1.3.101.113": "Ed448",
}

_RSA = "1.2.840.113549.1.1.1"
_EC_PUBLIC_KEY = "1.2.840.10045.2.1"
# Octets of a PKCS #8 structure: the nine numbers of an RSA key of 8192 bits take 4,700; attributes may follow.
_MAX_OCTETS = 8_192
_ACCEPTED_CURVES = {row.curve_oid for row in CURVES.values()}


def load_plain_key(encoded: bytes, where: str) -> PrivateKeyTypes:
    """Read one DER private key; otherwise as :func:`load_plain_structure`."""
    try:
        element = ber.parse_first(encoded)
        kind = identify(element)
    except ber.MalformedError as error:
        problem = str(error)
    else:
        return load_plain_structure(element, kind, where)
    # Outside the handler, so that the foreign exception does not become __context__.
    raise CertificateFormatError(f"the private key in {where} is damaged: {problem}")


def load_plain_structure(element: ber.Element, kind: str, where: str) -> PrivateKeyTypes:
    """Read one private key that is not encrypted.

    OpenSSL's validation of an RSA key (40 ms of primality tests) is skipped: a signature proves possession afterwards,
    and only the right key can make it.

    :param kind: what :func:`.structures.identify` says of it.
    :param where: what it was found in, for the message.
    :returns: the key, which :func:`.possession.as_signer` has to accept.
    :raises UnsupportedKeyError: it is not an RSA or EC key.
    :raises CertificateFormatError: it is damaged, or something else.
    """
    if kind == DSA_PRIVATE_KEY:
        raise unsupported("DSA")
    if kind != PRIVATE_KEY:
        raise CertificateFormatError(f"the private key in {where} is damaged: it holds a {kind}")
    fields = element.children()
    if _algorithm(fields) not in (None, _RSA, _EC_PUBLIC_KEY):  # before OpenSSL computes with its numbers
        raise _unreadable(fields, where)
    refuse_long(element.encoded, where)
    try:
        key = load_der_private_key(element.encoded, None, unsafe_skip_rsa_key_validation=True)
    except PARSER_ERRORS:
        # The message is chosen below: the parsers' texts differ between releases and quote OpenSSL's internals.
        key = None
    if key is None:
        raise _unreadable(fields, where)
    return key


def accept(key: object) -> PrivateKey:
    """Return a private key if it can sign a client assertion.

    :raises UnsupportedKeyError: it is of another type, or too weak.
    """
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise unsupported(describe_key(key))
    check_key(key.public_key())
    check_numbers(key)
    return key


def refuse_long(encoded: bytes, where: str) -> None:
    """Refuse a private key that is longer than any that is accepted, before a parser computes with its numbers.

    :raises CertificateFormatError: it is.
    """
    if len(encoded) > _MAX_OCTETS:
        raise CertificateFormatError(
            f"the private key in {where} has {len(encoded)} bytes, and an RSA key of {MAX_RSA_BITS} bits has 5,000"
        )


def _algorithm(fields: tuple[ber.Element, ...]) -> str | None:
    """Return the algorithm of a PKCS #8 key; None for PKCS #1 and SEC 1, which have one each."""
    if fields[1].tag != ber.SEQUENCE:
        return None
    try:
        return fields[1].children()[0].object_identifier()
    except (ber.MalformedError, IndexError):
        return ""


def _unreadable(fields: tuple[ber.Element, ...], where: str) -> UnsupportedKeyError | CertificateFormatError:
    try:
        kind = _kind(fields)
    except (ber.MalformedError, IndexError):
        kind = None
    if kind is not None:
        return unsupported(kind)
    return CertificateFormatError(f"the private key in {where} is damaged or of an unsupported type")


def _kind(fields: tuple[ber.Element, ...]) -> str | None:
    """Return the type of an unreadable key if the type is the reason; PKCS #1 holds nothing but numbers."""
    if fields[1].tag == ber.OCTET_STRING:
        # SEC 1 (RFC 5915 section 3): version, key, [0] curve.
        curve = fields[2].children()[0]
    else:
        # PKCS #8: version, algorithm, key.
        algorithm = fields[1].children()
        name = algorithm[0].object_identifier()
        if name != _EC_PUBLIC_KEY:
            return _KEY_TYPES.get(name)
        curve = algorithm[1]
    if curve.tag != ber.OBJECT_IDENTIFIER:
        # RFC 5480 section 2.1.1 forbids them.
        return "EC with the curve as explicit parameters"
    dotted = curve.object_identifier()
    return None if dotted in _ACCEPTED_CURVES else f"EC with the curve {dotted}"
