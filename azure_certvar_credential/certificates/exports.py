"""Serialises a certificate with its private key, for a secret store. Nothing here opens a file."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from azure_certvar_credential.certificates.pkcs12.passwords import password_octets
from azure_certvar_credential.exceptions import CertificateError, PasswordError
from azure_certvar_credential.signers.keys import PrivateKey
from azure_certvar_credential.signers.memory import MemorySigner
from azure_certvar_credential.signers.protocol import Signer


def to_pfx(
    leaf: x509.Certificate, chain: Sequence[x509.Certificate], signer: Signer, password: str | bytes | None
) -> bytes:
    """Return a PFX; see :meth:`ClientCertificate.to_pfx`."""
    key = _private_key(signer)
    octets = _password(password)
    if octets is None:
        encryption: KeySerializationEncryption = NoEncryption()
    else:
        # Named explicitly, because BestAvailableEncryption may change between releases of cryptography, and Key Vault
        # and old releases of Windows have to read the file. The iteration count is cryptography's default, 20,000.
        encryption = (
            PrivateFormat.PKCS12.encryption_builder()
            .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
            .hmac_hash(hashes.SHA256())
            .build(octets)
        )
    return pkcs12.serialize_key_and_certificates(None, key, leaf, list(chain) or None, encryption)


def to_pem(
    leaf: x509.Certificate, chain: Sequence[x509.Certificate], signer: Signer, password: str | bytes | None
) -> str:
    """Return PEM with key and certificates; see :meth:`ClientCertificate.to_pem`."""
    key = _private_key(signer)
    octets = _password(password)
    encryption = NoEncryption() if octets is None else BestAvailableEncryption(octets)
    parts = [key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)]
    parts += [certificate.public_bytes(Encoding.PEM) for certificate in (leaf, *chain)]
    return b"".join(parts).decode("ascii")


def _private_key(signer: Signer) -> PrivateKey:
    if not isinstance(signer, MemorySigner):
        raise CertificateError(
            f"{type(signer).__name__} does not reveal its private key; only a key in memory can be exported"
        )
    return signer.private_key


def _password(password: str | bytes | None) -> bytes | None:
    octets = password_octets(password)
    if octets == b"":
        raise PasswordError("the password is empty; give None to export without encryption")
    return octets
