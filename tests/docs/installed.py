"""What the samples import, and what has to be installed for it."""

from __future__ import annotations

# What has to be installed for a module or name that a sample imports: an extra of this package, or a package.
NEEDED = {
    "authlib.integrations.requests_client": "authlib",
    "authlib.oauth2.rfc7523": "authlib",
    "httpx": "httpx",
    "httpx2": "mcp",
    "mcp": "mcp",
    "mcp.client.auth.extensions.client_credentials": "mcp",
    "mcp.client.streamable_http": "mcp",
    "mcp.shared.auth": "mcp",
    "requests": "requests",
    "azure.functions": "azure-functions",
    "azure.servicebus": "azure-servicebus",
    "mssql_python": "mssql-python",
    "psycopg_pool": "psycopg[binary,pool]",
    "redis": "redis",
    "redis.auth.token_manager": "redis",
    "redis_entraid.cred_provider": "redis-entraid",
    "redis_entraid.identity_provider": "redis-entraid",
    "sqlalchemy": "sqlalchemy",
    "azure.kusto.data": "azure-kusto-data",
    "databricks.sdk": "databricks-sdk",
    "databricks.sdk.core": "databricks-sdk",
    "fastapi": "fastapi",
    "fastapi.security": "fastapi",
    "office365.sharepoint.client_context": "Office365-REST-Python-Client",
    "openai": "openai",
    "uvicorn": "uvicorn",
    "aiohttp": "aio",
    "azure.storage.blob": "azure-storage-blob",
    "azure_certvar_credential.aio": "aio",
    "azure_certvar_credential.keyvault": "keyvault",
    "azure_certvar_credential.testing": "testing",
    "dask.delayed": "dask",
    "local": "testing",
    "local.sql_driver": "testing",
    "msgraph": "msgraph-sdk",
    "Pkcs11Signer": "pkcs11",
    "RedisTokenCache": "redis",
}
# These come with the package itself.
ALWAYS = ("azure.core", "azure_certvar_credential", "cryptography")
