"""Subject name and issuer (SN/I): trusts a certificate by its name and its authority, not by its thumbprint.

The header's ``x5c`` carries the chain (RFC 7515 section 4.1.6): the signing certificate, then the certificate of each
issuer.
"""

from __future__ import annotations

import base64
import binascii
import itertools
from collections.abc import Mapping, Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import NameOID

from azure_certvar_credential.testing.credentials import KeyCredential, sha1_thumbprint
from azure_certvar_credential.testing.entra.directory.model import Application
from azure_certvar_credential.testing.entra.errors import refuse
from azure_certvar_credential.testing.jose import MalformedError


def parse_x5c(header: Mapping[str, object], *, strict: bool) -> list[x509.Certificate] | None:
    """Parse the chain in a JOSE header.

    :param header: the JOSE header.
    :param strict: whether to require an array of base64 without line breaks; otherwise one string (MSAL.NET) and line
        breaks (MSAL for Python) are accepted.
    :returns: the certificates in order, or None if there is no ``x5c``.
    :raises MalformedError: ``x5c`` is not such an array, or an entry is not a certificate.
    """
    value = header.get("x5c")
    if value is None:
        return None
    if isinstance(value, str) and not strict:
        value = [value]
    if not isinstance(value, list) or not value or not all(isinstance(entry, str) for entry in value):
        raise MalformedError("x5c is not an array of strings")
    return [_certificate(entry, strict=strict) for entry in value]


def _certificate(entry: str, *, strict: bool) -> x509.Certificate:
    text = entry if strict else "".join(entry.split())
    try:
        return x509.load_der_x509_certificate(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as error:
        raise MalformedError("x5c has an entry that is not the base64 of a DER certificate") from error


def trusted_by_name(
    application: Application, thumbprint: bytes, chain: Sequence[x509.Certificate], now: float
) -> KeyCredential:
    """Accept the chain's first certificate by its name and its issuer.

    Microsoft does not publish which fault causes which of the codes 700028 to 700030; this follows their descriptions.

    :param application: the application, which has at least one rule.
    :param thumbprint: the thumbprint in the header.
    :param chain: the certificates of ``x5c``.
    :param now: seconds since the epoch.
    :raises RefusalError: 700029 the chain is broken; 700028 it ends at no trusted authority; 700030 the authority is
        trusted for other names; 1000502 a certificate is not valid now.
    """
    leaf = KeyCredential.of(chain[0])
    if not leaf.is_called(thumbprint):
        raise refuse(700029, reason="The first certificate of x5c is not the one that the thumbprint names.")
    authorities = [rule.authority for rule in application.trusted_issuers]
    for child, parent in itertools.pairwise(chain):
        if not _issued(child, parent, trusted=parent in authorities):
            raise refuse(700029, reason="A certificate of x5c is not certified by the one after it.")
    if not all(is_valid_at(certificate, now) for certificate in chain):
        raise refuse(1000502)
    rules = [
        rule
        for rule in application.trusted_issuers
        if rule.authority in chain[1:] or _issued(chain[-1], rule.authority, trusted=True)
    ]
    if not rules:
        raise refuse(700028, thumbprint=sha1_thumbprint(chain[-1]).hex().upper())
    names = subject_names(leaf.certificate)
    if not any(rule.subject_name.lower() in (name.lower() for name in names) for rule in rules):
        raise refuse(700030, subjects=", ".join(names[:10]))
    return leaf


def subject_names(certificate: x509.Certificate) -> list[str]:
    """The common names and DNS names of a certificate."""
    names = [str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return names
    return names + [name for name in extension.value.get_values_for_type(x509.DNSName) if name not in names]


def is_valid_at(certificate: x509.Certificate, now: float) -> bool:
    """Return whether the certificate is valid at ``now``, seconds since the epoch."""
    return certificate.not_valid_before_utc.timestamp() <= now <= certificate.not_valid_after_utc.timestamp()


def _issued(child: x509.Certificate, parent: x509.Certificate, *, trusted: bool) -> bool:
    """Return whether ``parent`` issued ``child`` and is a certificate authority.

    :param trusted: whether a rule names ``parent`` as its authority.
    """
    try:
        child.verify_directly_issued_by(parent)
        return _may_certify(parent, trusted=trusted)
    except (ValueError, TypeError, InvalidSignature, x509.DuplicateExtension):
        return False


def _may_certify(certificate: x509.Certificate, *, trusted: bool) -> bool:
    """Return whether a certificate may issue others: RFC 5280 section 6.1.4 (k) and (n).

    It needs BasicConstraints, unless it is a trust anchor: the RFC uses only name and key of those. The extensions of a
    trust anchor count if it has them.
    """
    extensions = certificate.extensions
    try:
        if not extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
    except x509.ExtensionNotFound:
        if not trusted:
            return False
    try:
        return extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        return True
