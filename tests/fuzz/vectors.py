"""pyca/cryptography's test vectors, and why each of them is no certificate to sign in with, if it is none.

``python -m tests.fuzz.vectors`` counts the reasons.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import cryptography_vectors

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.exceptions import (
    AmbiguousPrivateKeyError,
    CertificateError,
    CertificateFormatError,
    KeyMismatchError,
    MissingCertificateError,
    MissingPrivateKeyError,
    PasswordRequiredError,
    UnsupportedKeyError,
    WrongPasswordError,
)

ROOT = Path(cryptography_vectors.__file__).parent
FOLDERS = ("x509", "pkcs12", "asymmetric")

# The class of the error and what its message says; the first that fits.
REASONS: dict[str, tuple[type[CertificateError], str]] = {
    "no private key": (MissingPrivateKeyError, "no private key"),
    "no certificate": (MissingCertificateError, "but no certificate"),
    "other key": (KeyMismatchError, ""),
    "several keys": (AmbiguousPrivateKeyError, ""),
    "password": (PasswordRequiredError, "give its password"),
    "other password": (WrongPasswordError, ""),
    "DSA": (UnsupportedKeyError, "type DSA"),
    "DH": (UnsupportedKeyError, "type DH"),
    "Ed25519 or Ed448": (UnsupportedKeyError, "type Ed"),
    "X25519 or X448": (UnsupportedKeyError, "type X"),
    "ML-DSA or ML-KEM": (UnsupportedKeyError, "type ML"),
    "RSASSA-PSS alone": (UnsupportedKeyError, "type RSASSA-PSS"),
    "curve": (UnsupportedKeyError, "type EC|the key is EC"),
    "size": (UnsupportedKeyError, "RSA key has"),
    "other type": (UnsupportedKeyError, ""),
    "request, CRL or public key": (
        CertificateFormatError,
        "signing request|CERTIFICATE REQUEST|CRL|revocation list|public key|PUBLIC KEY|PARAMETERS",
    ),
    "OpenSSH": (CertificateFormatError, "OpenSSH"),
    "encryption": (CertificateFormatError, "is encrypted with"),
    "damaged": (
        CertificateFormatError,
        "is damaged|breaks a rule of DER|damaged or of an unsupported type|empty or not valid base64",
    ),
    "too long": (CertificateFormatError, "the limit is"),
    "path": (CertificateFormatError, "looks like a file path"),
    "no form": (CertificateFormatError, "unknown form|not a certificate, private key or PFX|neither a certificate nor"),
}

_UNSUPPORTED = (
    "DSA",
    "DH",
    "Ed25519 or Ed448",
    "X25519 or X448",
    "ML-DSA or ML-KEM",
    "RSASSA-PSS alone",
    "curve",
    "size",
)
_KEYS = ("no certificate", "password", "other password", "damaged", "encryption", *_UNSUPPORTED)
_NOTHING = ("request, CRL or public key", "no form", "path", "too long", "damaged")

# Which of these are true of a file, by its path; the first row that fits.
TABLE: dict[str, tuple[str, ...]] = {
    "x509/PKITS_data/pkcs12/*.p12": ("loads", "DSA", "no private key"),
    "x509/PKITS_data/certs/*.crt": ("no private key", "damaged"),
    "x509/PKITS_data/crls/*.crl": ("request, CRL or public key",),
    "x509/PKITS_data/*": _NOTHING,
    "x509/requests/*": ("request, CRL or public key",),
    "x509/custom/crl_*": ("request, CRL or public key", "damaged", "no form"),
    "x509/*key*.pem": ("no certificate", "no private key"),
    "x509/cryptography.io.with_headers.pem": ("password", "no private key"),
    "x509/ocsp/*": ("no private key", *_NOTHING),
    "x509/*": ("no private key", "no certificate", *_NOTHING),
    "pkcs12/*": ("loads", "no private key", "no certificate", "no form", "encryption", "damaged", "password"),
    "asymmetric/DSA/*": ("DSA", *_NOTHING),
    "asymmetric/DH/*": ("DH", *_NOTHING),
    "asymmetric/X*": ("X25519 or X448", *_NOTHING),
    "asymmetric/Ed*": ("Ed25519 or Ed448", *_NOTHING),
    "asymmetric/ML*": ("ML-DSA or ML-KEM", *_NOTHING),
    "asymmetric/OpenSSH/*": ("OpenSSH", "path", *_NOTHING),
    "asymmetric/public/*": ("request, CRL or public key",),
    "asymmetric/*": (*_KEYS, *_NOTHING, "no private key", "several keys", "loads"),
}

# Those of the vectors' own documentation, docs/development/test-vectors.rst.
_PASSWORDS = (
    "password",
    "cryptography",
    "123456",
    "foobar",
    "baz",
    "asdf",
    "a123456",
    "1234123412341234",
    "PolarSSLTest",
    "hunter42",
    "Red Hat Enterprise Linux 7.4",
)


def files() -> list[str]:
    """Return the paths of all vectors that could be taken for certificates or keys."""
    return sorted(
        path.relative_to(ROOT).as_posix() for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()
    )


def expected(name: str) -> tuple[str, ...]:
    """Return the reasons that the table has for a file."""
    return next(reasons for pattern, reasons in TABLE.items() if fnmatch(name, pattern))


def reason(name: str) -> str:
    """Load a file, with the passwords of the vectors if it is encrypted, and say what becomes of it.

    :raises LookupError: it is refused with other words than the table knows.
    """
    data = (ROOT / name).read_bytes()
    found = _reason(data, None)
    if found == "password":
        opened = (_reason(data, password) for password in _PASSWORDS)
        found = next((one for one in opened if one != "other password"), "password")
    return found


def _reason(data: bytes, password: str | None) -> str:
    try:
        # Of times that are over, and of chains that do not connect.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ClientCertificate.load(data, password)
    except CertificateError as error:
        for name, (kind, words) in REASONS.items():
            if type(error) is kind and re.search(words, str(error)):
                return name
        raise LookupError(f"{type(error).__name__}: {error}") from None
    return "loads"


def counted() -> Iterator[tuple[str, int]]:
    """Count the reasons of all files."""
    yield from Counter(map(reason, files())).most_common()


if __name__ == "__main__":
    for name, count in counted():
        print(f"{count:5} {name}")
