"""PostgreSQL's drivers sign in with the token as the password, and each new connection with the current one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest

from tests.clients.playing import Player, enter, settled
from tests.clients.postgresql import ROLE, PostgreSql, postgresql, programs
from tests.clients.resource import KeyRing
from tests.real.servers.tls import TlsFiles

AUDIENCE = "https://ossrdbms-aad.database.windows.net"
SCOPE = f"{AUDIENCE}/.default"


@pytest.fixture(scope="session")
def server(server_tls: TlsFiles) -> Iterator[PostgreSql]:
    found = programs()
    if found is None:
        reason = "PostgreSQL (initdb) is missing: run tests/run as root, or install it"
        if os.environ.get("CI"):
            pytest.fail(f"{reason} (nothing is skipped in CI)", pytrace=False)
        pytest.skip(reason)
    with postgresql(found, server_tls) as server:
        yield server


class SignIn:
    """What Azure's server does with a password: it verifies the token.

    :ivar conninfo: what libpq connects with, but the password.
    :ivar url: the same as a URL.
    """

    def __init__(self, server: PostgreSql, keys: KeyRing, ca_file: str) -> None:
        self._server, self._keys = server, keys
        tls = {"sslmode": "verify-full", "sslrootcert": ca_file}
        place = {"host": "127.0.0.1", "port": server.port, "user": ROLE, "dbname": "postgres"}
        self.conninfo = " ".join(f"{name}={value}" for name, value in (place | tls).items())
        self.url = f"postgresql://{ROLE}@127.0.0.1:{server.port}/postgres?{urlencode(tls)}"

    async def renew(self, credential: Any) -> None:
        """Have the credential get a new token, which from now on is the only one that the server takes."""
        claims = '{"access_token": {"nbf": {"essential": true, "value": "1"}}}'
        token = (await settled(credential.get_token(SCOPE, claims=claims))).token
        self._keys.verify(token, AUDIENCE)
        self._server.take_only(token)


@pytest.fixture
def sign_in(server: PostgreSql, keys: KeyRing, server_tls: TlsFiles) -> SignIn:
    return SignIn(server, keys, str(server_tls.ca))


@pytest.mark.parametrize("kind", ["sync"])
async def test_a_connection(player: Player, sign_in: SignIn) -> None:
    conninfo = sign_in.conninfo
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(conninfo, password="another")
    async with player.client("PostgreSQL: psycopg", {}, before=sign_in.renew, conninfo=conninfo) as connection:
        assert connection.execute("SELECT session_user").fetchone() == (ROLE,)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("PostgreSQL: psycopg_pool", "sync"),
        ("PostgreSQL: psycopg_pool, asyncio", "aio"),
        ("PostgreSQL: asyncpg", "aio"),
    ],
)
async def test_a_pool_asks_for_the_password_of_each_connection(player: Player, sign_in: SignIn, name: str) -> None:
    async def role(connection: Any) -> str:
        if name == "PostgreSQL: asyncpg":
            return str(await connection.fetchval("SELECT session_user"))
        ((role,),) = await settled(connection.execute("SELECT session_user"))
        return str(role)

    names = {"conninfo": sign_in.conninfo, "dsn": sign_in.url}
    async with (
        player.client(name, {"min_size": 1, "max_size": 2}, before=sign_in.renew, **names) as pool,
        AsyncExitStack() as stack,
    ):
        take = pool.acquire if name == "PostgreSQL: asyncpg" else pool.connection
        assert await role(await enter(stack, take())) == ROLE
        # The first is taken, so that the next is a new connection, when the server knows the first token no more.
        await sign_in.renew(player.credential)
        assert await role(await enter(stack, take())) == ROLE


@pytest.mark.parametrize("kind", ["sync"])
async def test_an_engine_asks_for_the_password_of_each_connection(player: Player, sign_in: SignIn) -> None:
    from sqlalchemy import create_engine, text

    engine = create_engine(sign_in.url.replace("postgresql://", "postgresql+psycopg://"))
    async with player.client("PostgreSQL: SQLAlchemy", {}, before=sign_in.renew, engine=engine):
        with engine.connect() as first:
            assert first.execute(text("SELECT session_user")).scalar() == ROLE
            await sign_in.renew(player.credential)
            with engine.connect() as second:
                assert second.execute(text("SELECT session_user")).scalar() == ROLE
    engine.dispose()
