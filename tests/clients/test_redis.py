"""redis-py and redis-entraid on a Redis whose ACL has the token as the password, as Azure Managed Redis has it.

``tests/caches/test_redis_entra.py`` has asyncio, and the token cache behind such a client.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from azure_certvar_credential import CertVarCredential
from tests.caches.servers import RedisServer
from tests.clients.resource import KeyRing
from tests.clients.scene import Scene
from tests.clients.table import TABLE
from tests.real.servers.tls import TlsFiles

AUDIENCE: Final = "https://redis.azure.com"


@pytest.fixture
def server(redis_executable: str, server_tls: TlsFiles, tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(redis_executable, tmp_path, tls=server_tls) as server:
        yield server


# Without an event loop, which redis-entraid would take for its own and then block.
def test_a_value(scene: Scene, keys: KeyRing, server: RedisServer) -> None:
    with CertVarCredential(**scene.arguments) as credential, server.client() as administrator:
        token = credential.get_token(f"{AUDIENCE}/.default").token
        user = keys.verify(token, AUDIENCE)["oid"]
        administrator.execute_command("ACL", "SETUSER", user, "on", f">{token}", "~*", "+@all")
        administrator.execute_command("ACL", "SETUSER", "default", "off")

        options = {"ssl_ca_certs": scene.ca_file, "socket_timeout": 20.0}
        names = {"credential": credential, "host": "localhost", "port": server.port}
        with TABLE["Redis"].run("sync", options, names) as client:
            assert client.set("key", "value")
            assert client.get("key") == b"value"
            client.connection_pool.connection_kwargs["credential_provider"]._token_mgr.stop()
