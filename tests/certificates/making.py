"""Makes keys and certificates for tests. A key is made once for a whole run, because RSA keys take long to find."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import cache
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import (
        CertificateIssuerPrivateKeyTypes,
        CertificatePublicKeyTypes,
        PrivateKeyTypes,
    )

NOW = datetime.now(timezone.utc).replace(microsecond=0)
YEAR = timedelta(days=365)


@cache
def rsa_key(number: int = 0, bits: int = 2048) -> rsa.RSAPrivateKey:
    """Return one of the RSA keys of this run; each number is another key."""
    return rsa.generate_private_key(65537, bits)


@cache
def ec_key(number: int = 0, curve: type[ec.EllipticCurve] = ec.SECP256R1) -> ec.EllipticCurvePrivateKey:
    """Return one of the EC keys of this run; each number is another key."""
    return ec.generate_private_key(curve())


def name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def issue(
    subject: str,
    public_key: CertificatePublicKeyTypes,
    issuer: str,
    issuer_key: CertificateIssuerPrivateKeyTypes,
    *,
    begins: datetime = NOW - timedelta(days=1),
    ends: datetime = NOW + YEAR,
    serial: int | None = None,
) -> x509.Certificate:
    """Return a certificate; Ed25519 and Ed448 issuers sign without a hash of their own choice."""
    is_edwards = not isinstance(issuer_key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)) and not hasattr(
        issuer_key, "parameters"
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(public_key)
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=subject != "leaf", path_length=None), critical=True)
        .sign(issuer_key, None if is_edwards else hashes.SHA256())
    )


def self_signed(
    subject: str, key: CertificateIssuerPrivateKeyTypes, *, begins: datetime = NOW - YEAR, ends: datetime = NOW + YEAR
) -> x509.Certificate:
    return issue(subject, key.public_key(), subject, key, begins=begins, ends=ends)


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def thumbprint(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303 - what a thumbprint is


def key_bytes(
    key: PrivateKeyTypes,
    encoding: Encoding = Encoding.PEM,
    layout: PrivateFormat = PrivateFormat.PKCS8,
    password: bytes | None = None,
) -> bytes:
    """Return a private key in some encoding: ``TraditionalOpenSSL`` is PKCS #1 or SEC 1."""
    encryption: KeySerializationEncryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(encoding, layout, encryption)
