"""What must type-check: every way that the README and the docstrings name."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable

from azure.core.credentials import SupportsTokenInfo, TokenCredential
from azure.core.credentials_async import AsyncSupportsTokenInfo, AsyncTokenCredential
from azure.keyvault.secrets import KeyVaultSecret
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12KeyAndCertificates

from azure_certvar_credential import (
    AssertionSource,
    CallbackSigner,
    CertificateData,
    CertificateSource,
    CertVarCredential,
    ClientCertificate,
    EnvironmentCertificate,
    FederatedCredential,
    RemoteSigner,
    Signer,
    aio,
)
from azure_certvar_credential.keyvault import KeyVaultCertificate, KeyVaultSigner
from azure_certvar_credential.keyvault import aio as keyvault_aio
from azure_certvar_credential.msal import MsalCertVarCredential, client_credential


def forms(
    leaf: x509.Certificate,
    key: rsa.RSAPrivateKey,
    pfx: PKCS12KeyAndCertificates,
    secret: KeyVaultSecret,
    signer: Signer,
    certificate: ClientCertificate,
) -> list[CertVarCredential]:
    data: list[CertificateData] = [
        "PEM",
        b"PFX",
        bytearray(b"DER"),
        memoryview(b"DER"),
        certificate,
        (leaf, key),
        (leaf, key, [leaf]),
        (leaf, signer),
        ("leaf", "key"),
        pfx,
        secret,
    ]
    return [CertVarCredential("t", "c", each) for each in data]


def load(name: str) -> str:
    return os.environ[name]


async def load_later() -> bytes:
    return b""


async def token_later() -> str:
    return ""


def sources(vault: KeyVaultCertificate, later: keyvault_aio.KeyVaultCertificate) -> None:
    CertVarCredential("t", "c", lambda: load("A"), password="p", retry_total=0, transport=None)
    CertVarCredential("t", "c", certificate_data=b"", send_certificate_chain=True)
    CertVarCredential("t", "c", EnvironmentCertificate("A"))
    CertVarCredential("t", "c", CertificateSource(lambda: "PEM", max_age=60))
    CertVarCredential("t", "c", vault)
    aio.CertVarCredential("t", "c", "PEM")
    aio.CertVarCredential("t", "c", lambda: "PEM")
    aio.CertVarCredential("t", "c", load_later)
    aio.CertVarCredential("t", "c", CertificateSource(load_later))
    aio.CertVarCredential("t", "c", later)
    MsalCertVarCredential("t", "c", lambda: "PEM", azure_region=True)
    aio.MsalCertVarCredential("t", "c", "PEM")
    client_credential("PEM", client_id="c")


def federated(first: CertVarCredential, other: aio.CertVarCredential) -> None:
    source: AssertionSource = first.as_assertion_source("api://AzureADTokenExchange/.default")
    FederatedCredential("t", "c", source)
    FederatedCredential("t", "c", lambda: "token")
    aio.FederatedCredential("t", "c", other.as_assertion_source("s"))
    aio.FederatedCredential("t", "c", source)
    given: aio.AssertionSource = token_later
    aio.FederatedCredential("t", "c", given)


async def users(first: CertVarCredential, other: aio.CertVarCredential) -> str:
    first.on_behalf_of("token").get_token("s")
    first.on_behalf_of(lambda: "token")
    other.on_behalf_of(token_later)
    other.on_behalf_of("token")
    async with other as opened:
        return (await opened.get_token_info("s", options={"enable_cae": True})).token


def protocols(first: CertVarCredential, other: aio.CertVarCredential, signer: KeyVaultSigner) -> None:
    token: TokenCredential = first
    info: SupportsTokenInfo = first
    later: AsyncTokenCredential = other
    info_later: AsyncSupportsTokenInfo = other
    remote: RemoteSigner = signer
    local: Signer = CallbackSigner(remote.public_key, lambda _message, _algorithm: b"")
    assertion: Callable[[], str] = first.client_assertion
    assertion_later: Callable[[], Awaitable[str]] = other.client_assertion
    print(token, info, later, info_later, local, assertion, assertion_later)
