"""List the clusters of an Azure Databricks workspace with its SDK.

Install, in a clone of this repository:

    pip install '.[testing]' databricks-sdk

Set in the environment, or run it with --local:

    AZURE_TENANT_ID   the tenant's GUID or domain name
    AZURE_CLIENT_ID   the 'Application (client) ID' of the app registration
    APP_CERT          certificate and private key: PEM, or base64 of a PFX
    WORKSPACE_URL     such as https://adb-1234567890123456.7.azuredatabricks.net

Add the application to the workspace as a service principal. The SDK itself signs in with a secret, but takes a strategy
of one's own, which it asks for the headers of each request. The sample prints, with --local:

    nightly: RUNNING
    requests: …, tokens: 1
"""

import os
import sys

from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config, CredentialsProvider, CredentialsStrategy

import local
from azure_certvar_credential import CertVarCredential

DATABRICKS = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d/.default"  # the same application in every tenant


class FromCertificate(CredentialsStrategy):
    def __init__(self, credential: CertVarCredential) -> None:
        self.token, self.tokens = credential.token_provider(DATABRICKS), list[str]()

    def auth_type(self) -> str:
        return "certificate"

    def __call__(self, _config: Config) -> CredentialsProvider:
        return self.headers

    def headers(self) -> dict[str, str]:
        self.tokens.append(self.token())
        return {"Authorization": f"Bearer {self.tokens[-1]}"}


if __name__ == "__main__":
    if "--local" in sys.argv:
        local.start()
    names = os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], os.environ["APP_CERT"]
    with CertVarCredential(*names) as signed_in:
        strategy = FromCertificate(signed_in)
        for cluster in WorkspaceClient(host=os.environ["WORKSPACE_URL"], credentials_strategy=strategy).clusters.list():
            print(f"{cluster.cluster_name}: {cluster.state.value if cluster.state else 'unknown'}")
        print(f"requests: {len(strategy.tokens)}, tokens: {len(set(strategy.tokens))}")
