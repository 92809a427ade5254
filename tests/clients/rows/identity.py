"""What azure-identity makes of a credential."""

from __future__ import annotations

from typing import Final

from tests.clients.row import Row

ROWS: Final = (
    Row(
        "azure-identity: chain",
        "azure-identity",
        "ChainedTokenCredential(credential.shared(), ManagedIdentityCredential())",
        "clients/test_identity.py::test_a_chain_gets_a_token_and_may_be_closed",
        sync="from azure.identity import ChainedTokenCredential, ManagedIdentityCredential",
        aio="from azure.identity.aio import ChainedTokenCredential, ManagedIdentityCredential",
    ),
    Row(
        "azure-identity: token provider",
        "azure-identity",
        "get_bearer_token_provider(credential, scope)",
        "clients/test_identity.py::test_a_provider_returns_a_token",
        sync="from azure.identity import get_bearer_token_provider",
        aio="from azure.identity.aio import get_bearer_token_provider",
        scope="https://cognitiveservices.azure.com/.default",
    ),
    Row(
        "azure-identity: client assertion",
        "azure-identity",
        "ClientAssertionCredential(tenant_id, client_id, func=credential.client_assertion)",
        "clients/test_identity.py::test_azure_identity_sends_our_assertion",
        sync="from azure.identity import ClientAssertionCredential",
    ),
)
