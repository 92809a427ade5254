"""Azure Managed Redis takes tokens of Microsoft Entra ID for passwords: redis-entraid brings them.

The server is a real one, with the ACL user that Azure would have made: its name is the application's object id, and its
password the token.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import redis
import redis.asyncio
from redis.auth.token_manager import RetryPolicy, TokenManagerConfig
from redis_entraid.cred_provider import EntraIdCredentialsProvider
from redis_entraid.identity_provider import DefaultAzureCredentialProvider

from azure_certvar_credential import CertVarCredential, ClientCertificate, RedisTokenCache, aio
from azure_certvar_credential.testing import EmulatorTransport, EntraEmulator
from tests.caches.servers import RedisServer

SCOPE = "https://redis.azure.com/.default"


@pytest.fixture
def credential() -> Iterator[CertVarCredential]:
    entra = EntraEmulator()
    certificate = ClientCertificate.self_signed("fleet")
    application = entra.add_application(certificate)
    with CertVarCredential(
        application.tenant_id, application.client_id, certificate, transport=EmulatorTransport(entra)
    ) as credential:
        yield credential


@pytest.fixture
def server(redis_executable: str, tmp_path: Path, credential: CertVarCredential) -> Iterator[RedisServer]:
    token = credential.get_token(SCOPE).token
    claims = jwt.decode(token, options={"verify_signature": False})
    with RedisServer(redis_executable, tmp_path) as server, server.client() as client:
        client.execute_command("ACL", "SETUSER", claims["oid"], "on", f">{token}", "~certvar:*", "-@all")
        client.execute_command("ACL", "SETUSER", claims["oid"], "+get", "+set", "+del", "+eval")
        client.execute_command("ACL", "SETUSER", "default", "off")
        yield server


@pytest.fixture
def provider(credential: CertVarCredential) -> Iterator[EntraIdCredentialsProvider]:
    provider = EntraIdCredentialsProvider(
        DefaultAzureCredentialProvider(credential, (SCOPE,)), TokenManagerConfig(0.7, 0, 30_000, RetryPolicy(3, 100))
    )
    yield provider
    provider._token_mgr.stop()


def options(server: RedisServer) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": server.port, "socket_timeout": 20.0}


def test_an_application_signs_in_to_redis_with_its_token(
    server: RedisServer, provider: EntraIdCredentialsProvider
) -> None:
    with pytest.raises(redis.AuthenticationError), redis.Redis(**options(server)) as nobody:
        RedisTokenCache(nobody).get("key")
    with redis.Redis(**options(server), credential_provider=provider) as client:
        cache = RedisTokenCache(client)
        cache.set("key", b"value", time.time() + 60)
        holder = cache.lock("key", 10)
        assert holder is not None
        cache.unlock("key", holder)
        assert cache.get("key") == b"value"


async def test_with_asyncio_too(server: RedisServer, provider: EntraIdCredentialsProvider) -> None:
    async with redis.asyncio.Redis(**options(server), credential_provider=provider) as client:
        cache = aio.RedisTokenCache(client)
        await cache.set("key", b"value", time.time() + 60)
        assert await cache.get("key") == b"value"
