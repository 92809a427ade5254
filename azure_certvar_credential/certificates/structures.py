"""Tells binary structures apart by their shape, and reads certificates and private keys from them.

OpenSSL's own detection tries one parser after the other and reports the last one's failure, which names the wrong
thing; the shapes of RFC 5280, 5208, 5958, 8017, 5915 and 7292 differ in the tags of their first elements.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key

from azure_certvar_credential.certificates import ber
from azure_certvar_credential.certificates.naming import describe_key, readable
from azure_certvar_credential.certificates.parser_errors import PARSER_ERRORS
from azure_certvar_credential.certificates.pkcs12 import kdf_budget
from azure_certvar_credential.certificates.possession import check_key, unsupported
from azure_certvar_credential.exceptions import CertificateFormatError, UnsupportedKeyError
from azure_certvar_credential.signers.memory import PrivateKey

CERTIFICATE = "certificate"
PFX = "PFX"
PRIVATE_KEY = "private key"
ENCRYPTED_PRIVATE_KEY = "encrypted private key"
DSA_PRIVATE_KEY = "DSA private key"
UNKNOWN = "unknown structure"

# Recognised only in order to be named.
_OTHERS = {
    "public key": "it verifies signatures and cannot make them",
    "certificate signing request": "give the certificate that was issued for it",
    "PKCS #7": "a .p7b holds certificates and never a private key; give PEM or PFX",
}

_KEY_TYPES = {
    "1.2.840.10040.4.1": "DSA",
    "1.2.840.113549.1.3.1": "DH",
    "1.2.840.113549.1.1.10": "RSASSA-PSS",
    "1.3.101.110": "X25519",
    "1.3.101.111": "X448",
    "1.3.101.112": "Ed25519",
    "1.3.101.113": "Ed448",
}

_EC_PUBLIC_KEY = "1.2.840.10045.2.1"
_TAKEN_CURVES = ("1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35")


def identify(element: ber.Element) -> str:
    """Return which structure an element is, by the tags of what is inside.

    :raises MalformedError: its content is no BER.
    """
    if element.tag != ber.SEQUENCE:
        return UNKNOWN
    inside = element.children()
    match [child.tag for child in inside]:
        case [ber.SEQUENCE, ber.SEQUENCE, ber.BIT_STRING]:
            # RFC 2986 section 4.1: a request ends with attributes [0], a certificate of version 1 does not.
            body = [child.tag for child in inside[0].children()]
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
    """Return what data that is cut off seems to be, for a message."""
    # Identifier and length octets of the outer SEQUENCE take two to six bytes; then come version and the next tag.
    head = data[2:10]
    if b"\x02\x01\x03\x30" in head:
        return PFX
    return PRIVATE_KEY if b"\x02\x01\x00" in head else "certificate or key"


def identified(data: bytes) -> str:
    """Return which structure data begins with; :data:`UNKNOWN` if it is no BER."""
    try:
        return identify(ber.parse_first(data))
    except ber.MalformedError:
        return UNKNOWN


def other_structure(kind: str, where: str) -> CertificateFormatError:
    """Return the error for a structure that is neither certificate, key nor PFX.

    :param where: what it was found in.
    """
    remedy = _OTHERS.get(kind)
    if remedy is None:
        return CertificateFormatError(f"{where} is ASN.1, but no certificate, private key or PFX")
    return CertificateFormatError(f"{where} is a {kind}: {remedy}")


def remedy(data: bytes) -> str | None:
    """Return what to do about a structure that is neither certificate, key nor PFX; None if it is not known."""
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
    # Outside of the handler, as everywhere: nothing foreign stands behind an error of this package.
    raise CertificateFormatError(f"the certificate in {where} is damaged: {problem}")


def load_key(encoded: bytes, password: bytes | None, budget: kdf_budget.Budget, where: str) -> PrivateKey:
    """Read one DER private key: PKCS #8, encrypted or not, PKCS #1 or SEC 1.

    OpenSSL's validation of an RSA key (40 ms: primality tests) is skipped, because possession is proven afterwards by
    a signature that only a right key can make. A password for a key that needs none is ignored.

    :param budget: what the key derivation may cost.
    :param where: what it was found in, for the message.
    :raises PasswordRequiredError: it is encrypted, ``password`` is None or empty, and the empty one does not open it.
    :raises WrongPasswordError: the password does not open it.
    :raises UnsupportedKeyError: it is no RSA or EC key, or one that is too weak.
    :raises CertificateFormatError: it is damaged, or its key derivation would take too long.
    """
    try:
        element = ber.parse_first(encoded)
        kind = identify(element)
        if kind == ENCRYPTED_PRIVATE_KEY:
            budget.spend(kdf_budget.iterations(element.children()[0]), f"the private key in {where}")
    except ber.MalformedError as error:
        problem = str(error)
    else:
        if kind == ENCRYPTED_PRIVATE_KEY:
            return _load_encrypted(element, password, budget, where)
        return _load_plain(element, kind, where)
    raise CertificateFormatError(f"the private key in {where} is damaged: {problem}")


def accept(key: object) -> PrivateKey:
    """Return a private key of a kind that can sign a client assertion.

    :raises UnsupportedKeyError: it is of another kind, or too weak.
    """
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise unsupported(describe_key(key))
    check_key(key.public_key())
    return key


def _load_plain(element: ber.Element, kind: str, where: str) -> PrivateKey:
    if kind == DSA_PRIVATE_KEY:
        raise unsupported("DSA")
    if kind != PRIVATE_KEY:
        raise CertificateFormatError(f"the private key in {where} is damaged: it holds a {kind}")
    try:
        key = load_der_private_key(element.encoded, None, unsafe_skip_rsa_key_validation=True)
    except PARSER_ERRORS:
        # Chosen below: the parsers' own texts differ between releases and quote OpenSSL's internals.
        key = None
    if key is None:
        raise _unreadable(element.children(), where)
    return accept(key)


def _load_encrypted(element: ber.Element, password: bytes | None, budget: kdf_budget.Budget, where: str) -> PrivateKey:
    if password:
        try:
            key = load_der_private_key(element.encoded, password, unsafe_skip_rsa_key_validation=True)
        except PARSER_ERRORS:
            # A wrong password, or an encryption or key that is not known there: its texts differ between releases.
            key = None
        if key is not None:
            return accept(key)
    # Imported, with the decryption behind it, for those whom cryptography does not serve.
    from azure_certvar_credential.certificates.pkcs12 import encrypted_keys

    return encrypted_keys.load_encrypted(element, password, budget, where)


def _unreadable(fields: tuple[ber.Element, ...], where: str) -> UnsupportedKeyError | CertificateFormatError:
    try:
        kind = _kind(fields)
    except (ber.MalformedError, IndexError):
        kind = None
    if kind is not None:
        return unsupported(kind)
    return CertificateFormatError(f"the private key in {where} is damaged, or of a type that is not supported")


def _kind(fields: tuple[ber.Element, ...]) -> str | None:
    """Return the kind of a key that cannot be read, if that is the reason; PKCS #1 has no more than numbers."""
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
    return None if dotted in _TAKEN_CURVES else f"EC with the curve {dotted}"
