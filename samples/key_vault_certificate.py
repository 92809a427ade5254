"""Sign in with a certificate from Azure Key Vault, whether or not its private key may leave the vault.

Install, in a clone of this repository:

    pip install '.[keyvault,testing]'

Set in the environment, or run it with --local:

    AZURE_TENANT_ID         the tenant's GUID or domain name
    AZURE_CLIENT_ID         the 'Application (client) ID' that the certificate is registered on
    KEY_VAULT_URL           such as https://contoso.vault.azure.net
    KEY_VAULT_CERTIFICATE   the certificate's name in the vault
    VAULT_CLIENT_ID         the application that may read the vault
    APP_CERT                its certificate: PEM, or base64 of a PFX

Here another application reads the vault. On Azure, use a managed identity instead, which needs no certificate:
azure.identity.ManagedIdentityCredential(). Either needs the role 'Key Vault Certificate User' in the vault, and also
'Key Vault Crypto User' if the key is not exportable. The sample prints:

    thumbprint …, valid until …
    signs in …
    a token until … UTC
"""

import os
import sys
from datetime import datetime, timezone

import local
from azure_certvar_credential import CertVarCredential
from azure_certvar_credential.keyvault import KeyVaultCertificate, KeyVaultSigner


def main() -> None:
    """Fetch the certificate, show it, and get a token with it."""
    tenant_id = os.environ["AZURE_TENANT_ID"]
    vault_url, name = os.environ["KEY_VAULT_URL"], os.environ["KEY_VAULT_CERTIFICATE"]
    with CertVarCredential(tenant_id, os.environ["VAULT_CLIENT_ID"], os.environ["APP_CERT"]) as reader:
        source = KeyVaultCertificate(vault_url, name, reader)
        certificate = source()
        print(f"thumbprint {certificate.thumbprint}, valid until {certificate.not_after:%Y-%m-%d}")
        print(f"signs {'in the vault' if isinstance(certificate.signer, KeyVaultSigner) else 'in memory'}")
        # The credential calls the source itself, and again to learn of a new version.
        with CertVarCredential(tenant_id, os.environ["AZURE_CLIENT_ID"], source) as credential:
            token = credential.get_token("https://graph.microsoft.com/.default")
            print(f"a token until {datetime.fromtimestamp(token.expires_on, timezone.utc):%Y-%m-%d %H:%M} UTC")


if __name__ == "__main__":
    if "--local" in sys.argv:
        local.start()
    main()
