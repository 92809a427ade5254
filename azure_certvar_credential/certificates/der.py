"""Tells binary structures apart by their shape, and reads certificates and private keys from them.

OpenSSL's own detection tries one parser after the other and reports the last one's failure, which names the wrong
thing; the shapes of RFC 5280, 5208, 5958, 8017, 5915 and 7292 differ in the tags of their first elements.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

from azure_certvar_credential.certificates import kdf, tlv
from azure_certvar_credential.certificates.foreign import PARSER_ERRORS
from azure_certvar_credential.certificates.naming import describe_key, readable
from azure_certvar_credential.certificates.passwords import wrong_password_hint
from azure_certvar_credential.certificates.possession import check_key, unsupported
from azure_certvar_credential.exceptions import (
    CertificateFormatError,
    PasswordRequiredError,
    UnsupportedKeyError,
    WrongPasswordError,
)
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


def identify(element: tlv.Element) -> str:
    """Return which structure an element is, by the tags of what is inside.

    :raises MalformedError: its content is no BER.
    """
    if element.tag != tlv.SEQUENCE:
        return UNKNOWN
    inside = element.children()
    match [child.tag for child in inside]:
        case [tlv.SEQUENCE, tlv.SEQUENCE, tlv.BIT_STRING]:
            # RFC 2986 section 4.1: a request ends with attributes [0], a certificate of version 1 does not.
            body = [child.tag for child in inside[0].children()]
            is_request = body[:1] == [tlv.INTEGER] and body[-1:] == [tlv.CONTEXT_0]
            return "certificate signing request" if is_request else CERTIFICATE
        case [tlv.SEQUENCE, tlv.OCTET_STRING]:
            return ENCRYPTED_PRIVATE_KEY
        case [tlv.SEQUENCE, tlv.BIT_STRING]:
            return "public key"
        case [tlv.INTEGER, tlv.SEQUENCE, tlv.OCTET_STRING, *_] | [tlv.INTEGER, tlv.OCTET_STRING, *_]:
            return PRIVATE_KEY
        case [tlv.INTEGER, tlv.INTEGER]:
            return "public key"
        case [tlv.INTEGER, tlv.INTEGER, *rest]:
            return DSA_PRIVATE_KEY if len(rest) == 4 else PRIVATE_KEY
        case [tlv.INTEGER, tlv.SEQUENCE] | [tlv.INTEGER, tlv.SEQUENCE, tlv.SEQUENCE]:
            return PFX
        case [tlv.OBJECT_IDENTIFIER, tlv.CONTEXT_0]:
            return "PKCS #7"
    return UNKNOWN


def identify_beginning(data: bytes) -> str:
    """Return what data that is cut off seems to be, for a message."""
    # Identifier and length octets of the outer SEQUENCE take two to six bytes; then come version and the next tag.
    head = data[2:10]
    if b"\x02\x01\x03\x30" in head:
        return PFX
    return PRIVATE_KEY if b"\x02\x01\x00" in head else "certificate or key"


def other_structure(kind: str) -> CertificateFormatError:
    """Return the error for a structure that is neither certificate, key nor PFX."""
    remedy = _OTHERS.get(kind)
    if remedy is None:
        return CertificateFormatError("the binary data is ASN.1, but no certificate, private key or PFX")
    return CertificateFormatError(f"this is a {kind}: {remedy}")


def load_certificate(encoded: bytes, where: str) -> x509.Certificate:
    """Read one DER certificate.

    :param where: what it was found in, for the message.
    :raises CertificateFormatError: it is damaged.
    """
    try:
        certificate = x509.load_der_x509_certificate(encoded)
    except PARSER_ERRORS as error:
        raise CertificateFormatError(f"the certificate in {where} is damaged: {error}") from error
    return readable(certificate)


def load_key(encoded: bytes, password: bytes | None, budget: kdf.Budget, where: str) -> PrivateKey:
    """Read one DER private key: PKCS #8, encrypted or not, PKCS #1 or SEC 1.

    OpenSSL's validation of an RSA key (40 ms: primality tests) is skipped, because possession is proven afterwards by
    a signature that only a right key can make. A password for a key that needs none is ignored.

    :param budget: what the key derivation may cost.
    :param where: what it was found in, for the message.
    :raises PasswordRequiredError: it is encrypted and ``password`` is None or empty.
    :raises WrongPasswordError: the password does not open it.
    :raises UnsupportedKeyError: it is no RSA or EC key, or one that is too weak.
    :raises CertificateFormatError: it is damaged, or its key derivation would take too long.
    """
    try:
        element = tlv.parse_first(encoded)
        kind = identify(element)
        fields = element.children()
        if kind == ENCRYPTED_PRIVATE_KEY:
            budget.spend(kdf.iterations(fields[0]), f"the private key in {where}")
    except tlv.MalformedError as error:
        raise CertificateFormatError(f"the private key in {where} is damaged: {error}") from None
    if kind == ENCRYPTED_PRIVATE_KEY:
        return _load_encrypted(element, password, where)
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
        raise _unreadable(fields, where)
    return accept(key)


def load_traditional(pem: bytes, cipher: str, password: bytes | None, where: str) -> PrivateKey:
    """Read a key that is encrypted in OpenSSL's traditional way (RFC 1421 ``Proc-Type: 4,ENCRYPTED``).

    :param pem: the block in canonical PEM form.
    :param cipher: the cipher that its ``DEK-Info`` header names.
    :raises PasswordRequiredError, WrongPasswordError, UnsupportedKeyError, CertificateFormatError: as
        :func:`load_key`.
    """
    if not password:
        raise PasswordRequiredError(f"the private key in {where} is encrypted; give its password")
    try:
        key = load_pem_private_key(pem, password, unsafe_skip_rsa_key_validation=True)
    except PARSER_ERRORS:
        key = None
    if key is None:
        if cipher not in ("AES-128-CBC", "AES-192-CBC", "AES-256-CBC", "DES-EDE3-CBC"):
            raise CertificateFormatError(
                f"the private key in {where} is encrypted with {cipher}, which is not supported; convert it with "
                "`openssl pkcs8 -topk8`"
            )
        raise _wrong_password(password, where)
    return accept(key)


def accept(key: object) -> PrivateKey:
    """Return a private key of a kind that can sign a client assertion.

    :raises UnsupportedKeyError: it is of another kind, or too weak.
    """
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise unsupported(describe_key(key))
    check_key(key.public_key())
    return key


def _load_encrypted(element: tlv.Element, password: bytes | None, where: str) -> PrivateKey:
    if not password:
        raise PasswordRequiredError(f"the private key in {where} is encrypted; give its password")
    reason = None
    try:
        key = load_der_private_key(element.encoded, password, unsafe_skip_rsa_key_validation=True)
    except UnsupportedAlgorithm as error:
        key, reason = None, str(error)
    except PARSER_ERRORS:
        key = None
    if key is not None:
        return accept(key)
    algorithm = element.children()[0]
    if reason is not None or not kdf.is_known(algorithm):
        raise CertificateFormatError(
            f"the private key in {where}, or its encryption, uses an algorithm that is not supported "
            f"({reason or 'unknown to OpenSSL'}); convert it with `openssl pkcs8 -topk8 -v2 aes-256-cbc`"
        )
    raise _wrong_password(password, where, kdf.legacy_name(algorithm))


def _wrong_password(password: bytes, where: str, legacy: str | None = None) -> WrongPasswordError:
    also = f" (or this OpenSSL has no {legacy}: convert it with `openssl pkcs8 -topk8`)" if legacy else ""
    return WrongPasswordError(
        f"the password does not open the private key in {where}, or the key is damaged{also}"
        f"{wrong_password_hint(password)}"
    )


def _unreadable(fields: tuple[tlv.Element, ...], where: str) -> UnsupportedKeyError | CertificateFormatError:
    try:
        kind = _kind(fields)
    except (tlv.MalformedError, IndexError):
        kind = None
    if kind is not None:
        return unsupported(kind)
    return CertificateFormatError(f"the private key in {where} is damaged, or of a type that is not supported")


def _kind(fields: tuple[tlv.Element, ...]) -> str | None:
    """Return the kind of a key that cannot be read, if that is the reason; PKCS #1 has no more than numbers."""
    if fields[1].tag == tlv.OCTET_STRING:
        # SEC 1 (RFC 5915 section 3): version, key, [0] curve.
        curve = fields[2].children()[0]
    else:
        # PKCS #8: version, algorithm, key.
        algorithm = fields[1].children()
        name = algorithm[0].object_identifier()
        if name != _EC_PUBLIC_KEY:
            return _KEY_TYPES.get(name)
        curve = algorithm[1]
    if curve.tag != tlv.OBJECT_IDENTIFIER:
        # RFC 5480 section 2.1.1 forbids them.
        return "EC with the curve as explicit parameters"
    dotted = curve.object_identifier()
    return None if dotted in _TAKEN_CURVES else f"EC with the curve {dotted}"
