"""What the examples in docstrings may use without defining it, beside the names of a page."""

from __future__ import annotations

import asyncio
import json
import os
import pathlib
from typing import Any

import msal
import redis
import redis.asyncio
from azure.storage.blob import BlobServiceClient
from redis.auth.token_manager import RetryPolicy, TokenManagerConfig
from redis_entraid.cred_provider import EntraIdCredentialsProvider
from redis_entraid.identity_provider import DefaultAzureCredentialProvider

from azure_certvar_credential import CertVarCredential, ClientCertificate, FederatedCredential


def objects(names: dict[str, Any]) -> dict[str, Any]:
    """Return the names of a page, and the modules and objects that examples stand beside."""
    made = ClientCertificate.load(names["pem"])
    in_tenant = (names["tenant_id"], names["client_id"])
    return {
        **names,
        **{module.__name__: module for module in (asyncio, json, msal, os, pathlib, redis)},
        "BlobServiceClient": BlobServiceClient,
        "CertVarCredential": CertVarCredential,
        "ClientCertificate": ClientCertificate,
        "FederatedCredential": FederatedCredential,
        "DefaultAzureCredentialProvider": DefaultAzureCredentialProvider,
        "EntraIdCredentialsProvider": EntraIdCredentialsProvider,
        "RetryPolicy": RetryPolicy,
        "TokenManagerConfig": TokenManagerConfig,
        "authority": f"https://login.microsoftonline.com/{names['tenant_id']}",
        "blueprint": CertVarCredential(names["tenant_id"], names["blueprint_client_id"], names["pem"]),
        "cache": msal.SerializableTokenCache(),
        "credential": CertVarCredential(*in_tenant, names["pem"]),
        "key_service": made.signer,
        "leaf": made.leaf,
        "vault_credential": CertVarCredential(*in_tenant, names["pem"]),
    }
