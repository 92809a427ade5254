"""An Azure Function that signs in with a certificate from its app settings: copy it as function_app.py.

Install, in a clone of this repository:

    pip install '.[testing]' azure-functions azure-storage-blob

Set among the app settings, or run it with --local, which calls the function twice:

    AZURE_TENANT_ID      the tenant's GUID or domain name
    AZURE_CLIENT_ID      the 'Application (client) ID' of the app registration
    APP_CERT             a Key Vault reference: @Microsoft.KeyVault(SecretUri=https://contoso.vault.azure.net/secrets/app)
    STORAGE_ACCOUNT_URL  such as https://account.blob.core.windows.net

Credential and client are made once for each worker, at its cold start: inside the function, each call would read the
certificate, connect and request a token anew. With --local the sample prints what the two calls took:

    cold: … ms, containers: 1
    warm: … ms, containers: 1
"""

import os
import sys
import time
from functools import cache

import azure.functions as func
from azure.storage.blob import BlobServiceClient

from azure_certvar_credential import CertVarCredential

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


@cache
def service() -> BlobServiceClient:
    """Make the client at the first call; a setting that is wrong fails that call and not the whole worker."""
    names = os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], os.environ["APP_CERT"]
    return BlobServiceClient(os.environ["STORAGE_ACCOUNT_URL"], credential=CertVarCredential(*names))


@app.route(route="containers")
def containers(request: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the signature of HTTP triggers
    """Count the account's containers."""
    return func.HttpResponse(f"containers: {len(list(service().list_containers()))}")


if __name__ == "__main__" and "--local" in sys.argv:
    import local

    local.start()
    for start in ("cold", "warm"):
        began = time.perf_counter()
        answer = containers(func.HttpRequest("GET", "/api/containers", body=b""))
        print(f"{start}: {(time.perf_counter() - began) * 1000:.0f} ms, {answer.get_body().decode()}")
