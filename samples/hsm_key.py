"""List the containers of a storage account, signing in with a key that never leaves its hardware security module.

Install, in a clone of this repository:

    pip install '.[pkcs11,testing]' azure-storage-blob

Set in the environment, or run it with --local, for which SoftHSM must be installed:

    AZURE_TENANT_ID      the tenant's GUID or domain name
    AZURE_CLIENT_ID      the 'Application (client) ID' of the app registration
    APP_CERT_PUBLIC      the key's certificate in PEM, as uploaded to the app registration
    PKCS11_MODULE        the vendor's library, such as /usr/lib/softhsm/libsofthsm2.so
    PKCS11_TOKEN         the label of the token
    PKCS11_KEY           the label of the private key
    PKCS11_PIN           the user PIN; if it is not set, the sample prompts for it
    STORAGE_ACCOUNT_URL  such as https://account.blob.core.windows.net

The application needs the role 'Storage Blob Data Reader' on the account. The sample prints:

    signed in with <Pkcs11Signer RSA 2048, token 'orders', key 'app' at …>
    containers: …
"""

import os
import sys
from getpass import getpass

from azure.storage.blob import BlobServiceClient
from cryptography import x509

import local
from azure_certvar_credential import CertVarCredential, ClientCertificate, Pkcs11Signer


def pin() -> str:
    """Return the PIN; the signer calls this for each session that it opens, and does not keep the PIN."""
    return os.environ.get("PKCS11_PIN") or getpass("PIN of the token: ")


def main() -> None:
    """Sign in and list the account's containers."""
    leaf = x509.load_pem_x509_certificate(os.environ["APP_CERT_PUBLIC"].encode())
    with Pkcs11Signer(
        os.environ["PKCS11_MODULE"],
        token_label=os.environ["PKCS11_TOKEN"],
        key_label=os.environ["PKCS11_KEY"],
        pin=pin,
    ) as signer:
        certificate = ClientCertificate(leaf, signer)
        credential = CertVarCredential(os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], certificate)
        with credential, BlobServiceClient(os.environ["STORAGE_ACCOUNT_URL"], credential=credential) as service:
            containers = [container.name for container in service.list_containers()]
            print(f"signed in with {signer}")
            print("containers:", *containers)


if __name__ == "__main__":
    if "--local" in sys.argv:
        local.start("softhsm")
    main()
