"""Clients of platforms for data and documents, some of which take a token and no credential."""

from __future__ import annotations

from typing import Final

from tests.clients.row import Row

_SERVICES: Final = "clients/test_services.py::test_the_client_calls_its_service"

ROWS: Final = (
    Row(
        "Cosmos DB",
        "azure-cosmos",
        "CosmosClient(account_url, credential)",
        "clients/test_services.py::test_an_item_of_cosmos_is_read",
        sync="from azure.cosmos import CosmosClient",
        aio="from azure.cosmos.aio import CosmosClient",
    ),
    Row(
        "Data Explorer (Kusto)",
        "azure-kusto-data",
        "KustoClient(KustoConnectionStringBuilder.with_azure_token_credential(cluster, credential.shared()))",
        _SERVICES,
        sync="from azure.kusto.data import KustoClient, KustoConnectionStringBuilder",
        aio="from azure.kusto.data import KustoConnectionStringBuilder\nfrom azure.kusto.data.aio import KustoClient",
    ),
    Row(
        "Databricks",
        "databricks-sdk",
        'WorkspaceClient(host=host, credentials_strategy=credentials_strategy("entra", [])'
        '(lambda _: lambda: {"Authorization": f"Bearer {credential.get_token(scope).token}"}))',
        _SERVICES,
        sync="from databricks.sdk import WorkspaceClient\n"
        "from databricks.sdk.credentials_provider import credentials_strategy",
        scope="2ff814a6-3304-4ab8-85cb-cd0e6f879c1d/.default",
    ),
    Row(
        "SharePoint",
        "office365-rest-python-client",
        "ClientContext(site_url).with_access_token("
        'lambda: {"access_token": credential.get_token(scope).token, "token_type": "Bearer", "expires_in": 0})',
        _SERVICES,
        sync="from office365.sharepoint.client_context import ClientContext",
        scope="https://contoso.sharepoint.com/.default",
    ),
    Row(
        "Azure DevOps",
        "azure-devops",
        'Connection(organization_url, BasicTokenAuthentication({"access_token": credential.get_token(scope).token}))',
        _SERVICES,
        sync="from azure.devops.connection import Connection\n"
        "from msrest.authentication import BasicTokenAuthentication",
        scope="499b84ac-1321-427f-aa17-267ca6975798/.default",
    ),
    Row(
        "joblib",
        "joblib",
        "Parallel(n_jobs=2)(delayed(work)(credential) for _ in range(2))",
        "clients/test_processes.py::test_each_process_signs_in",
        sync="from joblib import Parallel, delayed",
    ),
    Row(
        "Dask",
        "dask",
        'compute(delayed(work)(credential), delayed(work)(credential), scheduler="processes")',
        "clients/test_processes.py::test_each_process_signs_in",
        sync="from dask import compute, delayed",
    ),
)
