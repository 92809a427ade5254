"""The types of certificate data. Forms are recognised by their content, see :mod:`.loading`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, KeySerializationEncryption, PrivateFormat
from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12Certificate, PKCS12KeyAndCertificates

from azure_certvar_credential.signers.protocol import AsyncSigner, Signer

# What ClientCertificate.self_signed() makes.
KeyKind: TypeAlias = Literal["RSA-2048", "RSA-3072", "RSA-4096", "EC-P256"]


class Secret(Protocol):
    """A Key Vault secret: ``KeyVaultSecret`` of azure-keyvault-secrets, or any other object that holds its text."""

    @property
    def value(self) -> str | bytes | None:
        """The text: base64 of a PFX, or PEM."""


class PrivateKeyObject(Protocol):
    """A private key of ``cryptography``, as its load functions return it; RSA and EC keys are accepted."""

    def private_bytes(
        self,
        encoding: Encoding,
        format: PrivateFormat,  # noqa: A002 - the name is cryptography's
        encryption_algorithm: KeySerializationEncryption,
    ) -> bytes:
        """Serialise the key."""


# PEM, PFX or DER, or base64 of any of them.
Encoded: TypeAlias = str | bytes | bytearray | memoryview
# What ClientCertificate.load() reads. The sequence is (certificate, key) or (certificate, key, chain); None stands for
# a missing member, as in the result of cryptography's pkcs12.load_key_and_certificates().
Content: TypeAlias = (
    Encoded
    | PKCS12KeyAndCertificates
    | Secret
    | Sequence[
        Encoded
        | x509.Certificate
        | PKCS12Certificate
        | PrivateKeyObject
        | Signer
        | AsyncSigner
        | Secret
        | Sequence[Encoded | x509.Certificate | PKCS12Certificate]
        | None
    ]
)
