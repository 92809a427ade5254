"""Certificates in Azure Key Vault: fetched into memory if they are exportable, else signed with where they are.

>>> certificate = KeyVaultCertificate("https://contoso.vault.azure.net", "app", DefaultAzureCredential())
>>> credential = CertVarCredential(tenant_id, client_id, certificate)

Needs ``pip install 'azure-certvar-credential[keyvault]'``. Their asynchronous counterparts have the same names in
:mod:`azure_certvar_credential.keyvault.aio`.
"""

from azure_certvar_credential.keyvault.signer import KeyVaultSigner
from azure_certvar_credential.keyvault.source import KeyVaultCertificate

__all__ = ["KeyVaultCertificate", "KeyVaultSigner"]
