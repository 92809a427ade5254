"""What must not type-check: each line with ``# refused`` is an error for mypy and for pyright, and no other line is."""

from __future__ import annotations

from azure_certvar_credential import (
    CertificateSource,
    CertVarCredential,
    ClientCertificate,
    FederatedCredential,
    Signer,
    aio,
)
from azure_certvar_credential.keyvault import aio as keyvault_aio
from azure_certvar_credential.msal import MsalCertVarCredential


async def pem_later() -> str:
    return ""


class NoSigner:
    def sign(self, message: str) -> str:
        return message


def arguments(credential: CertVarCredential, vault: keyvault_aio.KeyVaultCertificate) -> None:
    CertVarCredential("t")  # refused
    CertVarCredential("t", 1, "PEM")  # refused
    CertVarCredential("t", "c", 1)  # refused
    CertVarCredential("t", "c", [1, 2])  # refused
    CertVarCredential("t", "c", "PEM", password=1)  # refused
    CertVarCredential("t", "c", "PEM", "password")  # refused
    CertVarCredential("t", "c", "PEM", send_certificate_chain="false")  # refused
    CertVarCredential("t", "c", pem_later)  # refused
    CertVarCredential("t", "c", CertificateSource(pem_later))  # refused
    CertVarCredential("t", "c", vault)  # refused
    CertVarCredential("t", "c", lambda: 5)  # refused
    MsalCertVarCredential("t", "c", pem_later)  # refused
    FederatedCredential("t", "c", "text")  # refused
    FederatedCredential("t", "c", pem_later)  # refused
    aio.FederatedCredential("t", "c", "text")  # refused
    credential.on_behalf_of(pem_later)  # refused
    credential.on_behalf_of(b"token")  # refused
    credential.get_token(1)  # refused
    credential.get_token("s", tenant_id=1)  # refused
    ClientCertificate.load(1)  # refused
    signer: Signer = NoSigner()  # refused
    text: str = aio.CertVarCredential("t", "c", "PEM").get_token("s")  # refused
    print(signer, text)
