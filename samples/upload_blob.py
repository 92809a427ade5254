"""Upload a blob, signing in with a certificate from an environment variable.

Install, in a clone of this repository:

    pip install '.[testing]' azure-storage-blob

Set in the environment, or run it with --local:

    AZURE_TENANT_ID      the tenant's GUID or domain name
    AZURE_CLIENT_ID      the 'Application (client) ID' of the app registration
    APP_CERT             certificate and private key: PEM, or base64 of a PFX
    STORAGE_ACCOUNT_URL  such as https://account.blob.core.windows.net

The application needs the role 'Storage Blob Data Contributor' on the account. The sample prints:

    hello.txt: 39 bytes
    Hello from a certificate in a variable.
"""

import os
import sys

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient

import local
from azure_certvar_credential import CertVarCredential


def main() -> None:
    """Create a container, upload a blob and read it back."""
    credential = CertVarCredential(os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], os.environ["APP_CERT"])
    with credential, BlobServiceClient(os.environ["STORAGE_ACCOUNT_URL"], credential=credential) as service:
        container = service.get_container_client("certvar-sample")
        try:
            container.create_container()
        except ResourceExistsError:
            print("the container already exists")
        container.upload_blob("hello.txt", b"Hello from a certificate in a variable.", overwrite=True)
        for blob in container.list_blobs():
            print(f"{blob.name}: {blob.size} bytes")
        print(container.download_blob("hello.txt").readall().decode())


if __name__ == "__main__":
    if "--local" in sys.argv:
        local.start()
    main()
