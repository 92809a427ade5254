"""Drivers of databases and caches, which take the token as a password."""

from __future__ import annotations

from typing import Final

from tests.clients.row import Row

_POSTGRESQL: Final = "https://ossrdbms-aad.database.windows.net/.default"

ROWS: Final = (
    Row(
        "PostgreSQL: psycopg",
        "psycopg",
        "connect(conninfo, password=credential.get_token(scope).token)",
        "clients/test_postgresql.py::test_a_connection",
        sync="from psycopg import connect",
        scope=_POSTGRESQL,
    ),
    Row(
        "PostgreSQL: psycopg_pool",
        "psycopg-pool",
        'ConnectionPool(conninfo, kwargs=lambda: {"password": credential.get_token(scope).token})',
        "clients/test_postgresql.py::test_a_pool_asks_for_the_password_of_each_connection",
        sync="from psycopg_pool import ConnectionPool",
        scope=_POSTGRESQL,
    ),
    Row(
        "PostgreSQL: psycopg_pool, asyncio",
        "psycopg-pool",
        "AsyncConnectionPool(conninfo, kwargs=login)",
        "clients/test_postgresql.py::test_a_pool_asks_for_the_password_of_each_connection",
        aio="from psycopg_pool import AsyncConnectionPool",
        scope=_POSTGRESQL,
        before='async def login(): return {"password": (await credential.get_token(scope)).token}',
    ),
    Row(
        "PostgreSQL: SQLAlchemy",
        "sqlalchemy",
        'listen(engine, "do_connect", lambda dialect, record, args, parameters: '
        "parameters.update(password=credential.get_token(scope).token))",
        "clients/test_postgresql.py::test_an_engine_asks_for_the_password_of_each_connection",
        sync="from sqlalchemy.event import listen",
        scope=_POSTGRESQL,
    ),
    Row(
        "PostgreSQL: asyncpg",
        "asyncpg",
        "create_pool(dsn, password=credential.token_provider(scope))",
        "clients/test_postgresql.py::test_a_pool_asks_for_the_password_of_each_connection",
        aio="from asyncpg import create_pool",
        scope=_POSTGRESQL,
    ),
    Row(
        "Redis",
        "redis-entraid",
        "Redis(host=host, port=port, ssl=True, credential_provider=EntraIdCredentialsProvider("
        "DefaultAzureCredentialProvider(credential, (scope,)), "
        "TokenManagerConfig(0.7, 0, 30_000, RetryPolicy(3, 100))))",
        "clients/test_redis.py::test_a_value",
        sync="from redis import Redis\n"
        "from redis.auth.token_manager import RetryPolicy, TokenManagerConfig\n"
        "from redis_entraid.cred_provider import EntraIdCredentialsProvider\n"
        "from redis_entraid.identity_provider import DefaultAzureCredentialProvider",
        scope="https://redis.azure.com/.default",
    ),
    Row(
        "Azure SQL: mssql-python",
        "mssql-python",
        "connect(connection_string, token_provider=credential)",
        "clients/test_sql_server.py::test_a_driver_signs_in",
        sync="from mssql_python import connect",
    ),
    Row(
        "Azure SQL: pyodbc",
        "pyodbc",
        'connect(connection_string, attrs_before={1256: pack(f"<I{len(token)}s", len(token), token)})',
        "clients/test_sql_server.py::test_a_driver_signs_in",
        sync="from pyodbc import connect\nfrom struct import pack",
        scope="https://database.windows.net/.default",
        before='token = credential.get_token(scope).token.encode("utf-16-le")',
    ),
)
