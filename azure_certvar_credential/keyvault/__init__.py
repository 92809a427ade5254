"""Certificates in Azure Key Vault: an exportable key is fetched into memory, any other signs in the vault.

>>> certificate = KeyVaultCertificate("https://contoso.vault.azure.net", "app", vault_credential)
>>> credential = CertVarCredential(tenant_id, client_id, certificate)
>>> token = credential.get_token("https://graph.microsoft.com/.default")

They need ``pip install 'azure-certvar-credential[keyvault]'``. :mod:`azure_certvar_credential.keyvault.aio` has the
asynchronous classes under the same names.
"""

from azure_certvar_credential.keyvault.sync import KeyVaultCertificate, KeyVaultSigner

__all__ = ["KeyVaultCertificate", "KeyVaultSigner"]
