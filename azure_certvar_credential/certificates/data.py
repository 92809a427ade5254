"""The types of what a certificate may be given as; for type checkers alone, since forms are told apart by content."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12KeyAndCertificates

from azure_certvar_credential.certificates.certificate import ClientCertificate


class Secret(Protocol):
    """A secret of Key Vault: azure-keyvault-secrets' ``KeyVaultSecret``, or anything else that has its text."""

    @property
    def value(self) -> str | None:
        """The text: base64 of a PFX, or PEM."""
        ...


# Every form that ClientCertificate.load takes; a tuple or list is certificate and key, and perhaps the chain.
CertificateData: TypeAlias = (
    str
    | bytes
    | bytearray
    | memoryview
    | ClientCertificate
    | PKCS12KeyAndCertificates
    | Secret
    | tuple[Any, ...]
    | list[Any]
)
# What a credential takes: the same, or a function or coroutine function without parameters that returns it.
Certificate: TypeAlias = CertificateData | Callable[[], Any]
