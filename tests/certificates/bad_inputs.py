"""The table of inputs that cannot be used: name, what to load, and what the error says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, PublicFormat

from azure_certvar_credential.exceptions import (
    AmbiguousPrivateKeyError,
    CertificateFormatError,
    KeyMismatchError,
    MissingCertificateError,
    MissingPrivateKeyError,
    PasswordError,
    PasswordRequiredError,
    WrongPasswordError,
)
from tests.certificates import making, raw
from tests.certificates.bad_keys import DAMAGED, KEYS, WORK, Bad
from tests.certificates.bad_pem import PEM
from tests.certificates.forms import b64, traditional
from tests.certificates.kit import PASSWORD

if TYPE_CHECKING:
    from tests.certificates.kit import Kit

DER = Encoding.DER
WRONG = "another pass-phrase nobody uses"


def other_leaf() -> bytes:
    return making.pem(making.self_signed("other", making.rsa_key(1)))


def csr(kit: Kit) -> bytes:
    return kit.openssl("req", "-new", "-key", "key.pem", "-subj", "/CN=leaf", "-outform", "DER")


def crl(kit: Kit, year: int = 2030) -> bytes:
    builder = x509.CertificateRevocationListBuilder(
        kit.leaf.subject, datetime(year - 1, 1, 1, tzinfo=timezone.utc), datetime(year, 1, 1, tzinfo=timezone.utc)
    ).add_extension(x509.CRLNumber(1), critical=False)
    return builder.sign(kit.key, hashes.SHA256()).public_bytes(DER)


def encrypted_der(kit: Kit) -> bytes:
    return making.key_bytes(kit.key, DER, password=PASSWORD.encode())


NOTHING: dict[str, Callable[[Kit], Bad]] = {
    "empty str": lambda kit: Bad("", CertificateFormatError, "is empty"),
    "empty bytes": lambda kit: Bad(b"", CertificateFormatError, "is empty"),
    "only white space": lambda kit: Bad(" \r\n\t", CertificateFormatError, "is empty"),
    "only quotes": lambda kit: Bad('""', CertificateFormatError, "is empty"),
    "empty tuple": lambda kit: Bad((), CertificateFormatError, "neither a certificate nor a private key"),
    "tuple of None": lambda kit: Bad((None, None, []), CertificateFormatError, "neither a certificate nor"),
    "a word": lambda kit: Bad("certificate", CertificateFormatError, "has an unknown form"),
    "garbage bytes": lambda kit: Bad(b"\x00\x01\x02\xff" * 50, CertificateFormatError, "has an unknown form"),
    "a zip file": lambda kit: Bad(b"PK\x03\x04" + bytes(100), CertificateFormatError, "is a ZIP archive"),
    "base64 of garbage": lambda kit: Bad(b64(b"nonsense" * 20), CertificateFormatError, "has an unknown form"),
    "base64 four times": lambda kit: Bad(
        b64(b64(b64(b64(kit.pem).encode()).encode()).encode()), CertificateFormatError, "has an unknown form"
    ),
    "more than a megabyte": lambda kit: Bad(kit.pem + bytes(1 << 20), CertificateFormatError, "the limit is 1,048,576"),
    "int": lambda kit: Bad(12, CertificateFormatError, "type int"),
    "None": lambda kit: Bad(None, CertificateFormatError, "the certificate is None; is the environment"),
    "dict": lambda kit: Bad({"private_key": kit.key_pem}, CertificateFormatError, "type dict"),
    "a function": lambda kit: Bad(csr, CertificateFormatError, "type function"),
    "sequences too deep": lambda kit: Bad([[[kit.leaf]]], CertificateFormatError, "type list"),
    "a secret without value": lambda kit: Bad(
        SimpleNamespace(value=None, properties=None), CertificateFormatError, "type SimpleNamespace"
    ),
    "a public key object": lambda kit: Bad((kit.leaf, kit.key.public_key()), CertificateFormatError, "PublicKey"),
    "ASN.1 of something else": lambda kit: Bad(
        raw.tlv(0x30, raw.tlv(4, bytes(200))), CertificateFormatError, "not a certificate, private key or PFX"
    ),
    "a public key in DER": lambda kit: Bad(
        kit.key.public_key().public_bytes(DER, PublicFormat.SubjectPublicKeyInfo),
        CertificateFormatError,
        "the DER data is a public key: it verifies",
    ),
    "a PKCS #1 public key in DER": lambda kit: Bad(
        kit.key.public_key().public_bytes(DER, PublicFormat.PKCS1),
        CertificateFormatError,
        "is a public key: it verifies",
    ),
    "a signing request in DER": lambda kit: Bad(csr(kit), CertificateFormatError, "certificate signing request"),
    "a revocation list in DER": lambda kit: Bad(crl(kit), CertificateFormatError, "is a certificate revocation list"),
    "a revocation list of far years in DER": lambda kit: Bad(
        crl(kit, 2060), CertificateFormatError, "is a certificate revocation list: it names certificates and holds none"
    ),
    "PKCS #7": lambda kit: Bad(
        kit.openssl("crl2pkcs7", "-nocrl", "-certfile", "leaf.pem", "-outform", "DER"), CertificateFormatError, ".p7b"
    ),
    "an OpenSSH key": lambda kit: Bad(
        making.key_bytes(kit.key, layout=PrivateFormat.OpenSSH) + kit.leaf_pem, CertificateFormatError, "ssh-keygen"
    ),
    "released memoryview": lambda kit: Bad(released(), CertificateFormatError, "memoryview"),
}


def released() -> memoryview:
    view = memoryview(b"data")
    view.release()
    return view


PATHS: dict[str, Callable[[Kit], Bad]] = {
    "path: Unix": lambda kit: Bad("/etc/ssl/app.pem", CertificateFormatError, "file path: '/etc/ssl/app.pem'"),
    "path: Windows": lambda kit: Bad(r"C:\new\app.pfx", CertificateFormatError, "looks like a file path"),
    "path: bytes": lambda kit: Bad(b"app.p12", CertificateFormatError, "file path: 'app.p12'"),
    "path: quoted": lambda kit: Bad('"certs/app.CER"', CertificateFormatError, "file path: 'certs/app.CER'"),
    "path: no ending": lambda kit: Bad("/run/secrets/app", CertificateFormatError, "looks like a file path;"),
    "path: relative, no ending": lambda kit: Bad("secrets/app", CertificateFormatError, "looks like a file path;"),
    "path: long": lambda kit: Bad("/a b" * 40 + ".key", CertificateFormatError, "looks like a file path: '/a b/a b"),
    "path: Path": lambda kit: Bad(PurePosixPath("/etc/app.pem"), CertificateFormatError, "is a file path"),
    "path: for each half": lambda kit: Bad(("app.crt", "app.key"), CertificateFormatError, "file path: 'app.crt'"),
    "a URL": lambda kit: Bad("https://v.vault.azure.net/secrets/a", CertificateFormatError, "looks like a URL"),
    "a Key Vault reference": lambda kit: Bad(
        "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/a)",
        CertificateFormatError,
        "an unresolved Key Vault reference",
    ),
    "JSON": lambda kit: Bad('{"value": "MIIK"}', CertificateFormatError, "looks like JSON"),
}

HALVES: dict[str, Callable[[Kit], Bad]] = {
    "a .cer in DER": lambda kit: Bad(kit.leaf.public_bytes(DER), MissingPrivateKeyError, "public half"),
    "a .cer in PEM": lambda kit: Bad(kit.leaf_pem, MissingPrivateKeyError, "public half"),
    "a .cer in base64": lambda kit: Bad(b64(kit.leaf.public_bytes(DER)), MissingPrivateKeyError, "public half"),
    "a certificate object": lambda kit: Bad(kit.leaf, MissingPrivateKeyError, "'CN=leaf' (thumbprint "),
    "a CA bundle": lambda kit: Bad(making.pem(*[kit.leaf] * 9), MissingPrivateKeyError, "and 4 more"),
    "certificate and public key": lambda kit: Bad(
        kit.leaf_pem + kit.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        MissingPrivateKeyError,
        "not used: PUBLIC KEY",
    ),
    "a PFX without a key": lambda kit: Bad(
        kit.openssl("pkcs12", "-export", "-nokeys", "-in", "leaf.pem", "-passout", f"pass:{PASSWORD}"),
        MissingPrivateKeyError,
        "no private key",
        PASSWORD,
    ),
    "a KeyVaultCertificate": lambda kit: Bad(
        SimpleNamespace(cer=bytearray(kit.leaf.public_bytes(DER))), MissingPrivateKeyError, "SecretClient.get_secret"
    ),
    "a key in PEM": lambda kit: Bad(kit.key_pem, MissingCertificateError, "no certificate"),
    "a key in DER": lambda kit: Bad(making.key_bytes(kit.key, DER), MissingCertificateError, "public-key SHA-256 "),
    "a key object": lambda kit: Bad(kit.key, MissingCertificateError, "no certificate"),
    "key and signing request": lambda kit: Bad(
        kit.key_pem + kit.openssl("req", "-new", "-key", "key.pem", "-subj", "/CN=leaf"),
        MissingCertificateError,
        "not used: CERTIFICATE REQUEST",
    ),
    "another key": lambda kit: Bad(other_leaf() + kit.key_pem, KeyMismatchError, "'CN=other' (thumbprint "),
    "another key, many certificates": lambda kit: Bad(
        other_leaf() + kit.key_pem + kit.chain_pem * 3, KeyMismatchError, "and 2 more"
    ),
    "an EC key for an RSA certificate": lambda kit: Bad((kit.leaf, kit.ec_key), KeyMismatchError, "public-key SHA-256"),
    "two keys in PEM": lambda kit: Bad(
        kit.pem + making.key_bytes(kit.ec_key), AmbiguousPrivateKeyError, "2 different private keys"
    ),
    "two key objects": lambda kit: Bad((kit.leaf, kit.key, kit.ec_key), AmbiguousPrivateKeyError, "2 different"),
}

PASSWORDS: dict[str, Callable[[Kit], Bad]] = {
    "PFX, missing": lambda kit: Bad(kit.pfx(PASSWORD), PasswordRequiredError, "give it"),
    "PFX, empty": lambda kit: Bad(kit.pfx(PASSWORD), PasswordRequiredError, "give it", ""),
    "PFX, wrong": lambda kit: Bad(kit.pfx(PASSWORD), WrongPasswordError, "does not open the PFX", WRONG),
    "PFX, line break after it": lambda kit: Bad(kit.pfx(PASSWORD), WrongPasswordError, "line break", PASSWORD + "\n"),
    "PFX, not UTF-8": lambda kit: Bad(kit.pfx(PASSWORD), WrongPasswordError, "does not open", b"p\xe4ss"),
    "legacy PFX, missing": lambda kit: Bad(kit.openssl_pfx("-legacy"), PasswordRequiredError, "give it"),
    "legacy PFX, wrong": lambda kit: Bad(kit.openssl_pfx("-legacy"), WrongPasswordError, "does not open", WRONG),
    "PFX without MAC, missing": lambda kit: Bad(kit.openssl_pfx("-nomac"), PasswordRequiredError, "give it"),
    "PFX without MAC, wrong": lambda kit: Bad(kit.openssl_pfx("-nomac"), WrongPasswordError, "does not open", WRONG),
    "PFX, many iterations, wrong": lambda kit: Bad(
        kit.openssl_pfx("-iter", "1000001"), WrongPasswordError, "does not open", WRONG
    ),
    "base64 PFX, wrong": lambda kit: Bad(b64(kit.pfx(PASSWORD)), WrongPasswordError, "does not open the PFX", WRONG),
    "PEM, missing": lambda kit: Bad(kit.encrypted_pem, PasswordRequiredError, "PEM block 1 (ENCRYPTED PRIVATE KEY)"),
    "PEM, empty": lambda kit: Bad(kit.encrypted_pem, PasswordRequiredError, "give its password", b""),
    "PEM, wrong": lambda kit: Bad(kit.encrypted_pem, WrongPasswordError, "does not open the private key", WRONG),
    "DER, missing": lambda kit: Bad((kit.leaf, encrypted_der(kit)), PasswordRequiredError, "the DER data"),
    "DER, wrong": lambda kit: Bad((kit.leaf, encrypted_der(kit)), WrongPasswordError, "does not open", WRONG),
    "traditional, missing": lambda kit: Bad(traditional(kit, "aes256").data, PasswordRequiredError, "is encrypted"),
    "traditional, wrong": lambda kit: Bad(traditional(kit, "aes256").data, WrongPasswordError, "does not open", WRONG),
    "traditional, unknown cipher": lambda kit: Bad(
        bytes(traditional(kit, "aes256").data).replace(b"AES-256-CBC", b"IDEA-CBC"),
        CertificateFormatError,
        "encrypted with IDEA-CBC",
        PASSWORD,
    ),
    "int": lambda kit: Bad(kit.pem, PasswordError, "type int", 1234567),
    "too long": lambda kit: Bad(kit.pfx(PASSWORD), PasswordError, "1024 bytes long", "x" * 1024),
    "with a NUL": lambda kit: Bad(kit.pfx(PASSWORD), PasswordError, "NUL", PASSWORD + "\0tail"),
    "a lone surrogate": lambda kit: Bad(kit.pfx(PASSWORD), PasswordError, "surrogates", PASSWORD + "\ud800"),
}

BAD_INPUTS = {
    f"{group}: {name}": make
    for group, table in {
        "nothing": NOTHING,
        "path": PATHS,
        "half": HALVES,
        "pem": PEM,
        "password": PASSWORDS,
        "key": KEYS,
        "damaged": DAMAGED,
        "work": WORK,
    }.items()
    for name, make in table.items()
}
