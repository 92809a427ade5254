"""Clients of Azure's services over HTTPS."""

from __future__ import annotations

from typing import Final

from tests.clients.row import Row

_SERVICES: Final = "clients/test_services.py::test_the_client_calls_its_service"
_KEY_VAULT: Final = "clients/test_key_vault.py::test_the_vault_s_challenge_is_answered"

ROWS: Final = (
    Row(
        "Key Vault: secrets",
        "azure-keyvault-secrets",
        "SecretClient(vault_url, credential)",
        _KEY_VAULT,
        sync="from azure.keyvault.secrets import SecretClient",
        aio="from azure.keyvault.secrets.aio import SecretClient",
    ),
    Row(
        "Key Vault: keys",
        "azure-keyvault-keys",
        "KeyClient(vault_url, credential)",
        _KEY_VAULT,
        sync="from azure.keyvault.keys import KeyClient",
        aio="from azure.keyvault.keys.aio import KeyClient",
    ),
    Row(
        "Key Vault: certificates",
        "azure-keyvault-certificates",
        "CertificateClient(vault_url, credential)",
        _KEY_VAULT,
        sync="from azure.keyvault.certificates import CertificateClient",
        aio="from azure.keyvault.certificates.aio import CertificateClient",
    ),
    Row(
        "Resource Manager",
        "azure-mgmt-resource",
        "ResourceManagementClient(credential, subscription_id)",
        "clients/test_services.py::test_a_claims_challenge_of_resource_manager_is_answered",
        sync="from azure.mgmt.resource.resources import ResourceManagementClient",
        aio="from azure.mgmt.resource.resources.aio import ResourceManagementClient",
    ),
    Row(
        "Resource Manager: subscriptions",
        "azure-mgmt-subscription",
        "SubscriptionClient(credential)",
        _SERVICES,
        sync="from azure.mgmt.subscription import SubscriptionClient",
        aio="from azure.mgmt.subscription.aio import SubscriptionClient",
    ),
    Row(
        "Microsoft Graph",
        "msgraph-sdk",
        "GraphServiceClient(credential)",
        "clients/test_services.py::test_graph_lists_its_users",
        sync="from msgraph import GraphServiceClient",
        aio="from msgraph import GraphServiceClient",
    ),
    Row(
        "App Configuration",
        "azure-appconfiguration",
        "AzureAppConfigurationClient(endpoint, credential)",
        _SERVICES,
        sync="from azure.appconfiguration import AzureAppConfigurationClient",
        aio="from azure.appconfiguration.aio import AzureAppConfigurationClient",
    ),
    Row(
        "AI Search",
        "azure-search-documents",
        'SearchClient(endpoint, "hotels", credential)',
        _SERVICES,
        sync="from azure.search.documents import SearchClient",
        aio="from azure.search.documents.aio import SearchClient",
    ),
    Row(
        "Event Grid",
        "azure-eventgrid",
        "EventGridPublisherClient(endpoint, credential)",
        _SERVICES,
        sync="from azure.eventgrid import EventGridPublisherClient",
        aio="from azure.eventgrid.aio import EventGridPublisherClient",
    ),
    Row(
        "Monitor: query logs",
        "azure-monitor-query",
        "LogsQueryClient(credential)",
        _SERVICES,
        sync="from azure.monitor.query import LogsQueryClient",
        aio="from azure.monitor.query.aio import LogsQueryClient",
    ),
    Row(
        "Monitor: ingest logs",
        "azure-monitor-ingestion",
        "LogsIngestionClient(endpoint, credential)",
        _SERVICES,
        sync="from azure.monitor.ingestion import LogsIngestionClient",
        aio="from azure.monitor.ingestion.aio import LogsIngestionClient",
    ),
    Row(
        "Monitor: OpenTelemetry",
        "azure-monitor-opentelemetry-exporter",
        "AzureMonitorTraceExporter(connection_string=connection_string, credential=credential)",
        _SERVICES,
        sync="from azure.monitor.opentelemetry.exporter import AzureMonitorTraceExporter",
    ),
)
