"""Microsoft's ODBC driver signs in with the token: through mssql-python, which brings it, and through pyodbc."""

from __future__ import annotations

import platform
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from azure_certvar_credential import CertVarCredential
from tests.clients.resource import KeyRing
from tests.clients.scene import Scene
from tests.clients.sql_server import SqlServer
from tests.clients.table import TABLE
from tests.real.servers.tls import TlsFiles


@pytest.fixture
def server(keys: KeyRing, server_tls: TlsFiles) -> Iterator[SqlServer]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(server_tls.certificate, server_tls.key)
    with SqlServer(tls, keys) as server:
        yield server


def _driver() -> Path:
    """Microsoft's ODBC driver, out of mssql-python's wheel."""
    import mssql_python_odbc

    machine = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
    libraries = Path(mssql_python_odbc.__file__).parent / "libs" / "linux" / "debian_ubuntu" / machine / "lib"
    return next(libraries.glob("libmsodbcsql-18*"))


def _connection_string(server: SqlServer, server_tls: TlsFiles, name: str) -> str:
    place = f"Server=tcp:localhost,{server.port};Database=orders"
    driver = f"Driver={_driver()};" if name == "Azure SQL: pyodbc" else ""
    return f"{driver}{place};Encrypt=strict;ServerCertificate={server_tls.certificate};"


@pytest.mark.parametrize("name", ["Azure SQL: mssql-python", "Azure SQL: pyodbc"])
def test_a_driver_signs_in(scene: Scene, server: SqlServer, server_tls: TlsFiles, name: str) -> None:
    string = _connection_string(server, server_tls, name)
    with CertVarCredential(**scene.arguments) as credential:
        names = {"credential": credential, "connection_string": string}
        TABLE[name].run("sync", {"autocommit": True}, names).close()

    assert [claims["appid"] for claims in server.logins] == [scene.application.client_id]


def test_a_token_for_another_resource_is_refused(scene: Scene, server: SqlServer, server_tls: TlsFiles) -> None:
    import pyodbc

    name = "Azure SQL: pyodbc"
    string = _connection_string(server, server_tls, name)
    with CertVarCredential(**scene.arguments) as credential:
        names = {"credential": credential, "connection_string": string, "scope": "https://graph.microsoft.com/.default"}
        with pytest.raises(pyodbc.Error, match="Login failed for user"):
            TABLE[name].run("sync", {"autocommit": True}, names)

    assert not server.logins
