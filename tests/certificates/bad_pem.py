"""The part of the table of bad inputs that is about PEM: other things in its blocks, and damaged lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding

from azure_certvar_credential.exceptions import (
    CertificateFormatError,
    MissingCertificateError,
    MissingPrivateKeyError,
    PasswordRequiredError,
    WrongPasswordError,
)
from tests.certificates import making, raw
from tests.certificates.bad_keys import Bad
from tests.certificates.forms import enveloped
from tests.certificates.kit import PASSWORD

if TYPE_CHECKING:
    from tests.certificates.kit import Kit

DER = Encoding.DER


def pkcs7(kit: Kit, encoding: str) -> bytes:
    return kit.openssl("crl2pkcs7", "-nocrl", "-certfile", "leaf.pem", "-outform", encoding)


def csr(kit: Kit, encoding: str = "PEM") -> bytes:
    return kit.openssl("req", "-new", "-key", "key.pem", "-subj", "/CN=leaf", "-outform", encoding)


def many_labels() -> bytes:
    return b"".join(enveloped(f"LABEL {number}", b"data") * 3 for number in range(7))


OTHER_CONTENT: dict[str, Callable[[Kit], Bad]] = {
    "PFX called CERTIFICATE, no password": lambda kit: Bad(
        enveloped("CERTIFICATE", kit.pfx(PASSWORD)), PasswordRequiredError, "the PFX is protected by a password"
    ),
    "PFX called CERTIFICATE, wrong password": lambda kit: Bad(
        enveloped("CERTIFICATE", kit.pfx(PASSWORD)), WrongPasswordError, "does not open the PFX", "wrong"
    ),
    "PFX called CERTIFICATE, cut off": lambda kit: Bad(
        enveloped("CERTIFICATE", kit.pfx()[:-100]), CertificateFormatError, "the PFX in PEM block 1 (CERTIFICATE) is"
    ),
    "PFX called PRIVATE KEY": lambda kit: Bad(
        enveloped("PRIVATE KEY", kit.pfx()), CertificateFormatError, "it holds a PFX"
    ),
    "key called CERTIFICATE": lambda kit: Bad(
        enveloped("CERTIFICATE", making.key_bytes(kit.key, DER)), MissingCertificateError, "but no certificate;"
    ),
    "encrypted key called CERTIFICATE": lambda kit: Bad(
        enveloped("CERTIFICATE", making.key_bytes(kit.key, DER, password=b"pw")) + kit.leaf_pem,
        PasswordRequiredError,
        "the private key in PEM block 1 (CERTIFICATE) is encrypted",
    ),
    "PKCS #7 called CERTIFICATE": lambda kit: Bad(
        enveloped("CERTIFICATE", pkcs7(kit, "DER")),
        CertificateFormatError,
        "PEM block 1 (CERTIFICATE) is a PKCS #7: a .p7b holds certificates and never a private key",
    ),
    "signing request called CERTIFICATE": lambda kit: Bad(
        enveloped("CERTIFICATE", csr(kit, "DER")) + kit.key_pem,
        CertificateFormatError,
        "is a certificate signing request: give the certificate that was issued for it",
    ),
    "PEM inside PEM": lambda kit: Bad(
        enveloped("CERTIFICATE", kit.leaf_pem), CertificateFormatError, "PEM block 1 (CERTIFICATE) is damaged"
    ),
    "something called PKCS12": lambda kit: Bad(
        enveloped("PKCS12", b"\xff" * 9), CertificateFormatError, "the PFX in PEM block 1 (PKCS12) is damaged"
    ),
    "a number called PFX": lambda kit: Bad(
        enveloped("PFX", raw.integer(5)), CertificateFormatError, "PEM block 1 (PFX) is ASN.1, but not a certificate"
    ),
    "PKCS #7": lambda kit: Bad(
        pkcs7(kit, "PEM"), CertificateFormatError, "not used: PKCS7; a .p7b holds certificates and never a private key"
    ),
    "PKCS #7 and key": lambda kit: Bad(
        pkcs7(kit, "PEM") + kit.key_pem,
        MissingCertificateError,
        "with a key beside it what `openssl pkcs7 -print_certs`",
    ),
    "signing request": lambda kit: Bad(
        csr(kit), CertificateFormatError, "CERTIFICATE REQUEST; give the certificate that was issued for it"
    ),
    "labels without end": lambda kit: Bad(
        many_labels(),
        CertificateFormatError,
        "(found but not used: LABEL 0, LABEL 1, LABEL 2, LABEL 3, LABEL 4 and 2 more)",
    ),
    "certificate and labels without end": lambda kit: Bad(
        many_labels() + kit.leaf_pem, MissingPrivateKeyError, "LABEL 4 and 2 more). A .cer"
    ),
}

LINES: dict[str, Callable[[Kit], Bad]] = {
    "first hyphen of the key lost": lambda kit: Bad(
        (kit.key_pem + kit.leaf_pem)[1:], CertificateFormatError, "five hyphens on either side: -----BEGIN PRIVATE KEY"
    ),
    "first hyphen of the certificate lost": lambda kit: Bad(
        (kit.leaf_pem + kit.key_pem)[1:], CertificateFormatError, "-----BEGIN CERTIFICATE-----"
    ),
    "first hyphen of the second block lost": lambda kit: Bad(
        kit.leaf_pem + kit.key_pem[1:], CertificateFormatError, "damaged or missing"
    ),
    "no line break between blocks, and five hyphens": lambda kit: Bad(
        kit.leaf_pem.strip() + kit.key_pem.lstrip(b"-"), CertificateFormatError, "damaged or missing"
    ),
    "last hyphen of BEGIN lost": lambda kit: Bad(
        kit.pem.replace(b"PRIVATE KEY-----\n", b"PRIVATE KEY----\n", 1), CertificateFormatError, "damaged or missing"
    ),
    "BEGIN line missing": lambda kit: Bad(
        kit.leaf_pem + kit.key_pem.partition(b"\n")[2], CertificateFormatError, "-----BEGIN PRIVATE KEY-----"
    ),
    "four hyphens everywhere": lambda kit: Bad(
        kit.pem.replace(b"-----", b"----"), CertificateFormatError, "looks like PEM, but its BEGIN line is damaged"
    ),
    "lower case": lambda kit: Bad(kit.pem.lower(), CertificateFormatError, "looks like PEM, but its BEGIN line"),
}

PEM = OTHER_CONTENT | LINES
