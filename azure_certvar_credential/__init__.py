"""Authenticate to Microsoft Entra ID with a certificate that lives in a variable.

>>> from azure_certvar_credential import CertVarCredential
>>> credential = CertVarCredential(tenant_id, client_id, os.environ["APP_CERT"])
>>> service = BlobServiceClient(account_url, credential=credential)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from azure_certvar_credential._version import __version__ as __version__

if TYPE_CHECKING:
    from azure_certvar_credential import exceptions
    from azure_certvar_credential._credential import CertVarCredential, FederatedCredential
    from azure_certvar_credential._runtime.assertion_provider import AssertionSource
    from azure_certvar_credential._runtime.status import CredentialStatus
    from azure_certvar_credential._sync.derived import AgentCredential, AgentUserCredential, OnBehalfOfCredential
    from azure_certvar_credential.caches.protocol import AsyncTokenCache, TokenCache
    from azure_certvar_credential.caches.redis import RedisTokenCache
    from azure_certvar_credential.caches.sqlite import SQLiteTokenCache
    from azure_certvar_credential.certificates import (
        CertificateData,
        CertificateSource,
        ClientCertificate,
        DescriptorCertificate,
        EnvironmentCertificate,
    )
    from azure_certvar_credential.signers.callback import AsyncCallbackSigner, CallbackSigner
    from azure_certvar_credential.signers.pkcs11 import Pkcs11Signer
    from azure_certvar_credential.signers.protocol import AsyncSigner, RemoteSigner, Signer

__all__ = [
    "AgentCredential",
    "AgentUserCredential",
    "AssertionSource",
    "AsyncCallbackSigner",
    "AsyncSigner",
    "AsyncTokenCache",
    "CallbackSigner",
    "CertVarCredential",
    "CertificateData",
    "CertificateSource",
    "ClientCertificate",
    "CredentialStatus",
    "DescriptorCertificate",
    "EnvironmentCertificate",
    "FederatedCredential",
    "OnBehalfOfCredential",
    "Pkcs11Signer",
    "RedisTokenCache",
    "RemoteSigner",
    "SQLiteTokenCache",
    "Signer",
    "TokenCache",
    "exceptions",
]

# Loaded when first asked for: importing the package costs nothing that is not used, cryptography above all.
_LAZY = {
    "AgentCredential": "azure_certvar_credential._sync.derived",
    "AgentUserCredential": "azure_certvar_credential._sync.derived",
    "AssertionSource": "azure_certvar_credential._runtime.assertion_provider",
    "AsyncCallbackSigner": "azure_certvar_credential.signers.callback",
    "AsyncSigner": "azure_certvar_credential.signers.protocol",
    "AsyncTokenCache": "azure_certvar_credential.caches.protocol",
    "CallbackSigner": "azure_certvar_credential.signers.callback",
    "CertVarCredential": "azure_certvar_credential._credential",
    "CertificateData": "azure_certvar_credential.certificates",
    "CertificateSource": "azure_certvar_credential.certificates",
    "ClientCertificate": "azure_certvar_credential.certificates",
    "CredentialStatus": "azure_certvar_credential._runtime.status",
    "DescriptorCertificate": "azure_certvar_credential.certificates",
    "EnvironmentCertificate": "azure_certvar_credential.certificates",
    "FederatedCredential": "azure_certvar_credential._credential",
    "OnBehalfOfCredential": "azure_certvar_credential._sync.derived",
    "Pkcs11Signer": "azure_certvar_credential.signers.pkcs11",
    "RedisTokenCache": "azure_certvar_credential.caches.redis",
    "RemoteSigner": "azure_certvar_credential.signers.protocol",
    "SQLiteTokenCache": "azure_certvar_credential.caches.sqlite",
    "Signer": "azure_certvar_credential.signers.protocol",
    "TokenCache": "azure_certvar_credential.caches.protocol",
}


def __getattr__(name: str) -> object:
    if name == "exceptions":
        return import_module(f"{__name__}.exceptions")
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
