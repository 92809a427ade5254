"""Finds a private key and its public half on a token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pkcs11
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pkcs11 import Attribute, KeyType, ObjectClass
from pkcs11.util.ec import encode_named_curve_parameters

from azure_certvar_credential.exceptions import (
    AmbiguousPrivateKeyError,
    CertificateFormatError,
    MissingCertificateError,
    MissingPrivateKeyError,
    UnsupportedKeyError,
)
from azure_certvar_credential.signers.algorithms import CURVES
from azure_certvar_credential.signers.keys import PublicKey
from azure_certvar_credential.signers.parser_errors import PARSER_ERRORS
from azure_certvar_credential.signers.public_keys import public_key_from

# By CKA_EC_PARAMS: the DER of each curve's OBJECT IDENTIFIER (RFC 5480 section 2.1.1.1).
_CURVES: dict[bytes, ec.EllipticCurve] = {
    encode_named_curve_parameters(row.curve_oid): ec.get_curve_for_oid(x509.ObjectIdentifier(row.curve_oid))()
    for row in CURVES.values()
}
# A token raises these for an attribute that it does not have or does not show.
_WITHHELD = (pkcs11.AttributeTypeInvalid, pkcs11.AttributeSensitive, pkcs11.FunctionFailed)
_DER_OCTET_STRING = 0x04


@dataclass(frozen=True, slots=True)
class Found:
    """The key as one session sees it; its handle is invalid in any other session.

    :ivar session: python-pkcs11's session.
    :ivar key: python-pkcs11's private key.
    :ivar offered: the token's mechanisms.
    :ivar wants_pin: whether every signature needs the PIN.
    """

    session: Any
    key: Any
    offered: frozenset[object]
    wants_pin: bool


def find_private_key(session: pkcs11.Session, label: str | None, key_id: bytes | None, token: str) -> Any:
    """Return the one private key with that label and that id.

    :param label: ``CKA_LABEL``, or None for any label.
    :param key_id: ``CKA_ID``, or None for any id.
    :param token: how messages name the token.
    :raises MissingPrivateKeyError: there is none; the message lists label and id of the existing keys.
    :raises AmbiguousPrivateKeyError: several keys match; the message lists them.
    :raises UnsupportedKeyError: the key is neither RSA nor EC, or may not sign.
    """
    template: dict[Attribute, Any] = {Attribute.CLASS: ObjectClass.PRIVATE_KEY}
    wanted = template | _named(label, key_id)
    found = list(session.get_objects(wanted))
    sought = " and ".join(
        [f"label {label!r}" for label in [label] if label is not None]
        + [f"id {key_id.hex()}" for key_id in [key_id] if key_id is not None]
    )
    if not found:
        others = [_called(key) for key in session.get_objects(template)]
        listed = "; ".join(sorted(others)) or "none"
        # Not what was sought: it may be the PIN, given for label or id.
        arguments = " and ".join(
            name for name, value in (("key_label", label), ("key_id", key_id)) if value is not None
        )
        raise MissingPrivateKeyError(
            f"{token} has no private key{f' that fits {arguments}' if arguments else ''}. Its private keys: {listed}"
        )
    if len(found) > 1:
        listed = "; ".join(sorted(_called(key) for key in found))
        raise AmbiguousPrivateKeyError(
            f"{token} has {len(found)} private keys{' with ' + sought if sought else ''}: {listed}. Name one by "
            "key_id, or by key_label and key_id"
        )
    key = found[0]
    if _read(key, Attribute.KEY_TYPE) not in {KeyType.RSA, KeyType.EC}:
        raise UnsupportedKeyError(f"the key with {_called(key)} on {token} is neither RSA nor EC")
    if not hasattr(key, "sign"):
        raise UnsupportedKeyError(f"the key with {_called(key)} on {token} may not sign (CKA_SIGN is false)")
    return key


def find_public_key(session: pkcs11.Session, private_key: Any, token: str) -> PublicKey:
    """Return the public half, from the private key, or a public key or certificate with the same id or label.

    :raises MissingCertificateError: the token has none of these.
    :raises UnsupportedKeyError: its curve has no JWS algorithm.
    """
    named = _binding(private_key)
    is_rsa = _read(private_key, Attribute.KEY_TYPE) == KeyType.RSA
    candidates = [private_key] if is_rsa else []
    if named:
        candidates += session.get_objects({Attribute.CLASS: ObjectClass.PUBLIC_KEY, **named})
    for candidate in candidates:
        key = _rsa(candidate) if is_rsa else _ec(candidate)
        if key is not None:
            return key
    certificate = _certificate(session, named)
    if certificate is not None:
        return public_key_from(certificate)
    raise MissingCertificateError(
        f"{token} shows neither a public key nor a certificate for the private key with {_called(private_key)}; give "
        "the certificate or its public key as public_key"
    )


def find_certificate(session: pkcs11.Session, private_key: Any, token: str) -> x509.Certificate:
    """Return the certificate with the same id as the private key, or without an id the same label.

    :raises MissingCertificateError: the token has none.
    :raises CertificateFormatError: it is damaged.
    """
    certificate = _certificate(session, _binding(private_key))
    if certificate is None:
        raise MissingCertificateError(
            f"{token} has no certificate for the private key with {_called(private_key)}; write it there under the "
            "same id (pkcs11-tool --write-object), or keep it elsewhere and pass both: ClientCertificate(leaf, signer)"
        )
    return certificate


def _binding(private_key: Any) -> dict[Attribute, Any]:
    # CKA_ID binds the three objects of a pair (PKCS #11 v3.1 section 4.6.3); labels are for people.
    key_id, label = _read(private_key, Attribute.ID), _read(private_key, Attribute.LABEL)
    return _named(None, key_id) if key_id else _named(label, None)


def _certificate(session: pkcs11.Session, named: dict[Attribute, Any]) -> x509.Certificate | None:
    if not named:
        return None
    found = session.get_objects({Attribute.CLASS: ObjectClass.CERTIFICATE, **named})
    value = next((value for item in found if (value := _read(item, Attribute.VALUE))), None)
    try:
        return None if value is None else x509.load_der_x509_certificate(value)
    except PARSER_ERRORS as error:
        problem = str(error)
    # Outside the handler, so that the parser's exception does not become __context__.
    raise CertificateFormatError(f"the token's certificate for the key is damaged: {problem}")


def wants_pin_each_time(private_key: Any) -> bool:
    """Return whether the token needs the PIN for every signature (``CKA_ALWAYS_AUTHENTICATE``)."""
    return bool(_read(private_key, Attribute.ALWAYS_AUTHENTICATE))


def _named(label: str | None, key_id: bytes | None) -> dict[Attribute, Any]:
    named: dict[Attribute, Any] = {}
    if label is not None:
        named[Attribute.LABEL] = label
    if key_id is not None:
        named[Attribute.ID] = key_id
    return named


def _read(item: Any, attribute: Attribute) -> Any:
    try:
        return item[attribute]
    except _WITHHELD:
        return None


def _called(key: Any) -> str:
    return f"label {_read(key, Attribute.LABEL)!r}, id {(_read(key, Attribute.ID) or b'').hex() or 'none'}"


def _rsa(item: Any) -> PublicKey | None:
    modulus, exponent = _read(item, Attribute.MODULUS), _read(item, Attribute.PUBLIC_EXPONENT)
    if not modulus or not exponent:
        return None
    return rsa.RSAPublicNumbers(int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big")).public_key()


def _ec(item: Any) -> PublicKey | None:
    parameters, point = _read(item, Attribute.EC_PARAMS), _read(item, Attribute.EC_POINT)
    if not parameters or not point:
        return None
    curve = _CURVES.get(bytes(parameters))
    if curve is None:
        raise UnsupportedKeyError("the key is on a curve without a JWS algorithm; use P-256, P-384 or P-521")
    return ec.EllipticCurvePublicKey.from_encoded_point(curve, bare_point(bytes(point), curve.key_size))


def bare_point(encoded: bytes, bits: int) -> bytes:
    """Return an uncompressed point without the DER OCTET STRING around it, which some tokens leave out.

    :param encoded: ``CKA_EC_POINT``.
    :param bits: the size of the curve.
    """
    length = 1 + 2 * ((bits + 7) // 8)
    # Both begin with 04, the tag of an OCTET STRING and the mark of an uncompressed point, so the length decides.
    return encoded[-length:] if encoded[:1] == bytes([_DER_OCTET_STRING]) and len(encoded) > length else encoded
