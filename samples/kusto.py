"""Query Azure Data Explorer (Kusto), Fabric's Eventhouse or Log Analytics in KQL.

Install, in a clone of this repository:

    pip install '.[testing]' azure-kusto-data

Set in the environment, or run it with --local:

    AZURE_TENANT_ID   the tenant's GUID or domain name
    AZURE_CLIENT_ID   the 'Application (client) ID' of the app registration
    APP_CERT          certificate and private key: PEM, or base64 of a PFX
    KUSTO_URL         the cluster, such as https://help.kusto.windows.net
    KUSTO_DATABASE    such as Samples

The application needs the role 'viewer' in the database. The client asks the cluster for the scope of its tokens, and
closes the credential when it is closed: share the client, not the credential. The sample prints, with --local:

    Flood: 12
    Hail: 7
"""

import os
import sys

from azure.kusto.data import KustoClient, KustoConnectionStringBuilder

import local
from azure_certvar_credential import CertVarCredential

QUERY = "StormEvents | summarize Count = count() by EventType | order by Count"


def main() -> None:
    """Run the query and print its rows."""
    names = os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], os.environ["APP_CERT"]
    credential = CertVarCredential(*names)
    connection = KustoConnectionStringBuilder.with_azure_token_credential(os.environ["KUSTO_URL"], credential)
    with KustoClient(connection) as client:
        answer = client.execute(os.environ["KUSTO_DATABASE"], QUERY)
        for row in answer.primary_results[0]:
            print(f"{row['EventType']}: {row['Count']}")


if __name__ == "__main__":
    if "--local" in sys.argv:
        local.start()
    main()
