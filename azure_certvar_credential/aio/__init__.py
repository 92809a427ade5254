"""The asynchronous credentials, under the same names. Needs the extra ``aio``, or another asynchronous transport.

>>> from azure_certvar_credential.aio import CertVarCredential
>>> async def main():
...     async with CertVarCredential(tenant_id, client_id, os.environ["APP_CERT"]) as credential:
...         return await credential.get_token("https://graph.microsoft.com/.default")
>>> token = asyncio.run(main())

The other examples use ``await`` as a coroutine does, or ``python -m asyncio``.
"""

from __future__ import annotations

from azure_certvar_credential._runtime.assertion_provider import AnyAssertionSource as AssertionSource
from azure_certvar_credential.aio._credential import CertVarCredential, FederatedCredential
from azure_certvar_credential.aio._derived import AgentCredential, AgentUserCredential, OnBehalfOfCredential
from azure_certvar_credential.aio._msal import MsalCertVarCredential
from azure_certvar_credential.caches.protocol import AsyncTokenCache
from azure_certvar_credential.caches.redis_aio import RedisTokenCache

__all__ = [
    "AgentCredential",
    "AgentUserCredential",
    "AssertionSource",
    "AsyncTokenCache",
    "CertVarCredential",
    "FederatedCredential",
    "MsalCertVarCredential",
    "OnBehalfOfCredential",
    "RedisTokenCache",
]
