"""Finds certificates and private keys in whatever was handed over, and says what is missing.

Every form is recognised by its content, never by a flag, a name or a declared content type.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field
from datetime import datetime, timezone

from cryptography import x509
from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12Certificate, PKCS12KeyAndCertificates

from azure_certvar_credential.certificates import der, encoding, hints, kdf, pem, tlv
from azure_certvar_credential.certificates.naming import describe_all, public_key_sha256, readable
from azure_certvar_credential.certificates.possession import as_signer, mismatch, public_key_of
from azure_certvar_credential.certificates.validity import is_valid
from azure_certvar_credential.exceptions import (
    AmbiguousPrivateKeyError,
    CertificateFormatError,
    MissingCertificateError,
    MissingPrivateKeyError,
)
from azure_certvar_credential.signers.protocol import Signer

_logger = logging.getLogger(__name__)

# Base64 of base64 happens (a secret store that encodes what was encoded already); four times over does not.
_MAX_LAYERS = 3

# (certificate, key, [chain]) is a sequence in a sequence.
_MAX_NESTING = 2

# With the preamble of RFC 7468 section 5.1 and OpenSSL's older labels.
_CERTIFICATE_LABELS = ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE")


@dataclass(frozen=True, slots=True)
class Material:
    """What :func:`read_material` found.

    :ivar leaf: the certificate whose public key is the signer's.
    :ivar signer: signs with the private key.
    :ivar others: the other certificates, as they came.
    """

    leaf: x509.Certificate
    signer: Signer
    others: tuple[x509.Certificate, ...]


@dataclass(slots=True)
class _Findings:
    signers: list[Signer] = field(default_factory=list)
    certificates: list[x509.Certificate] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    budget: kdf.Budget = field(default_factory=kdf.Budget)

    def add_key(self, key: object) -> None:
        signer = as_signer(key)
        if all(signer.public_key != known.public_key for known in self.signers):
            self.signers.append(signer)


def read_material(data: object, password: bytes | None) -> Material:
    """Find the private key, its certificate and the other certificates.

    :param data: see :meth:`ClientCertificate.load`.
    :param password: for whatever is encrypted in it.
    :raises CertificateError: the subclass says what is the matter.
    """
    findings = _Findings()
    _collect(findings, data, password, 0)
    also = f" (also there, and not used: {', '.join(findings.unused)})" if findings.unused else ""
    if not findings.signers and not findings.certificates:
        raise CertificateFormatError(f"there is neither a certificate nor a private key{also}; give {hints.FORMS}")
    if not findings.signers:
        raise MissingPrivateKeyError(
            f"there is a certificate, {describe_all(findings.certificates)}, but no private key{also}. A .cer or .crt "
            "file is the public half, which the app registration holds; the private half is in the .pfx, .p12 or .key "
            "file made together with it, in the certificate store it was exported from (export it with the private "
            "key), or in the Key Vault secret of the same name (if the key is exportable)"
        )
    if len(findings.signers) > 1:
        prints = ", ".join(public_key_sha256(signer.public_key) for signer in findings.signers[:5])
        raise AmbiguousPrivateKeyError(
            f"there are {len(findings.signers)} different private keys (public-key SHA-256 {prints}); keep only the "
            "one to sign with"
        )
    signer = findings.signers[0]
    if not findings.certificates:
        raise MissingCertificateError(
            f"there is a private key (public-key SHA-256 {public_key_sha256(signer.public_key)}), but no "
            f"certificate{also}; give the certificate (.cer, .crt, .pem) with it"
        )
    leaf = _leaf(findings.certificates, signer)
    return Material(leaf, signer, tuple(other for other in findings.certificates if other != leaf))


def _leaf(certificates: list[x509.Certificate], signer: Signer) -> x509.Certificate:
    matching = [certificate for certificate in certificates if public_key_of(certificate) == signer.public_key]
    if not matching:
        raise mismatch(certificates, signer.public_key)
    now = datetime.now(timezone.utc)

    def preference(certificate: x509.Certificate) -> tuple[bool, datetime]:
        return is_valid(certificate, now), certificate.not_valid_after_utc

    # Several certificates of one key: a renewal that kept the key. The one that lasts longest, valid ones first.
    leaf = max(matching, key=preference)
    if any(certificate != leaf for certificate in matching):
        _logger.info("several certificates have this private key; %s is used", describe_all([leaf]))
    return leaf


def _collect(findings: _Findings, item: object, password: bytes | None, nesting: int) -> None:
    if isinstance(item, (str, bytes, bytearray, memoryview)):
        _collect_content(findings, item, password)
    elif isinstance(item, x509.Certificate):
        findings.certificates.append(readable(item))
    elif isinstance(item, PKCS12Certificate):
        findings.certificates.append(readable(item.certificate))
    elif isinstance(item, PKCS12KeyAndCertificates):
        _collect_pkcs12(findings, item)
    elif isinstance(item, (tuple, list)) and nesting < _MAX_NESTING:
        for part in item:
            # pkcs12.load_key_and_certificates() has None in the place of what is missing.
            if part is not None:
                _collect(findings, part, password, nesting + 1)
    elif hasattr(item, "private_bytes") or isinstance(item, Signer):
        findings.add_key(item)
    elif isinstance(item, os.PathLike):
        raise CertificateFormatError(
            f"this is a file path ({type(item).__name__}), not its content; give Path(...).read_bytes()"
        )
    elif isinstance(getattr(item, "value", None), (str, bytes)):
        _collect_content(findings, item.value, password)  # type: ignore[attr-defined]
    elif isinstance(getattr(item, "cer", None), (bytes, bytearray)):
        raise MissingPrivateKeyError(
            f"a {type(item).__name__} is the public half; the private half is in the Key Vault secret of the same "
            "name: SecretClient.get_secret(name)"
        )
    else:
        raise CertificateFormatError(f"certificate data of type {type(item).__name__} is not known; give {hints.FORMS}")


def _collect_pkcs12(findings: _Findings, content: PKCS12KeyAndCertificates) -> None:
    if content.key is not None:
        findings.add_key(content.key)
    for entry in (content.cert, *content.additional_certs):
        if entry is not None:
            findings.certificates.append(readable(entry.certificate))


def _collect_content(findings: _Findings, item: str | bytes | bytearray | memoryview, password: bytes | None) -> None:
    try:
        data = item if isinstance(item, str) else bytes(item)
    except ValueError as error:
        raise CertificateFormatError(f"the memoryview cannot be read: {error}") from error
    if len(data) > encoding.MAX_LENGTH:
        raise CertificateFormatError(
            f"the certificate data is {len(data):,} long; at most {encoding.MAX_LENGTH:,} are read (a certificate with "
            "its key and chain takes some 10,000)"
        )
    if not _recognise(findings, data, password, 0):
        raise CertificateFormatError(hints.explain(data if isinstance(data, str) else encoding.as_text(data)))


def _recognise(findings: _Findings, data: str | bytes, password: bytes | None, layers: int) -> bool:
    if isinstance(data, bytes):
        if encoding.looks_binary(data):
            return _recognise_der(findings, data, password)
        data = encoding.as_text(data)
    text = encoding.unwrap(data)
    if pem.BEGIN in text:
        return _recognise_pem(findings, text, password)
    decoded = encoding.from_base64(text) if layers < _MAX_LAYERS else None
    return decoded is not None and _recognise(findings, decoded, password, layers + 1)


def _recognise_pem(findings: _Findings, text: str, password: bytes | None) -> bool:
    blocks = pem.blocks(text)
    for number, block in enumerate(blocks, 1):
        where = f"PEM block {number} ({block.label})"
        if block.label in _CERTIFICATE_LABELS:
            _add_certificate(findings, block.data, where)
        elif block.cipher is not None:
            findings.add_key(der.load_traditional(block.canonical(), block.cipher, password, where))
        elif block.label == "OPENSSH PRIVATE KEY":
            raise CertificateFormatError(
                f"{where} is in OpenSSH's own format; convert it with `ssh-keygen -p -m PKCS8 -f key`"
            )
        elif block.label.endswith("PRIVATE KEY"):
            findings.add_key(der.load_key(block.data, password, findings.budget, where))
        elif block.label != "EC PARAMETERS":
            # OpenSSL writes EC PARAMETERS before a SEC 1 key, which names its curve once more itself.
            findings.unused.append(block.label)
    return bool(blocks)


def _add_certificate(findings: _Findings, data: bytes, where: str) -> None:
    try:
        # A TRUSTED CERTIFICATE is followed by OpenSSL's own trust settings.
        encoded = tlv.parse_first(data).encoded
    except tlv.MalformedError as error:
        raise CertificateFormatError(f"the certificate in {where} is damaged: {error}") from None
    findings.certificates.append(der.load_certificate(encoded, where))


def _recognise_der(findings: _Findings, data: bytes, password: bytes | None) -> bool:
    rest = data
    # Several structures one after the other are as clear as in PEM; most often there is one.
    while rest.strip(b"\x00\t\n\r "):
        try:
            element = tlv.parse_first(rest)
            kind = der.identify(element)
        except tlv.TruncatedError as error:
            raise CertificateFormatError(f"the {der.identify_beginning(rest)} is cut off: {error}") from None
        except tlv.MalformedError:
            if rest is data:
                return False
            raise CertificateFormatError(f"{len(rest):,} bytes that are no ASN.1 follow the data") from None
        if kind == der.PFX:
            # Its eight modules are imported for those who have one.
            from azure_certvar_credential.certificates.pfx import load_pfx

            content, keys = load_pfx(element, password, findings.budget)
            _collect_pkcs12(findings, content)
            for key in keys:
                findings.add_key(key)
        elif kind == der.CERTIFICATE:
            findings.certificates.append(der.load_certificate(element.encoded, "the DER data"))
        elif kind in (der.PRIVATE_KEY, der.ENCRYPTED_PRIVATE_KEY, der.DSA_PRIVATE_KEY):
            findings.add_key(der.load_key(element.encoded, password, findings.budget, "the DER data"))
        else:
            raise der.other_structure(kind)
        rest = rest[len(element.encoded) :]
    return True
