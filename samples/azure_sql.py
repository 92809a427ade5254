"""Connect to Azure SQL Database or Fabric's SQL: the drivers take a token as a connection attribute.

Install, in a clone of this repository:

    pip install '.[testing]' mssql-python

Set in the environment, or run it with --local:

    AZURE_TENANT_ID   the tenant's GUID or domain name
    AZURE_CLIENT_ID   the 'Application (client) ID' of the app registration
    APP_CERT          certificate and private key: PEM, or base64 of a PFX
    SQL_CONNECTION    such as Server=contoso.database.windows.net;Database=orders;Encrypt=strict

In the database, CREATE USER … FROM EXTERNAL PROVIDER makes a user of the application. pyodbc has the same function; for
mssql-python alone, token_provider=credential does it too. With --local no SQL Server runs and the driver is not needed:
SQLite stands in behind a check of the attribute. The sample prints:

    connected as …
"""

import os
import struct
import sys
from typing import Any

import local
from azure_certvar_credential import CertVarCredential

SQL_COPT_SS_ACCESS_TOKEN = 1256


def attribute(token: str) -> bytes:
    """Return a token as the ODBC driver wants it: its length in octets as a little-endian integer, and UTF-16."""
    octets = token.encode("utf-16-le")
    return struct.pack("<i", len(octets)) + octets


def main(connect: Any) -> None:
    """Connect and ask who is there."""
    names = os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], os.environ["APP_CERT"]
    with CertVarCredential(*names) as credential:
        token = credential.get_token("https://database.windows.net/.default").token
    connection = connect(os.environ["SQL_CONNECTION"], attrs_before={SQL_COPT_SS_ACCESS_TOKEN: attribute(token)})
    print("connected as", connection.execute("SELECT SUSER_SNAME()").fetchone()[0])
    connection.close()


if __name__ == "__main__":
    if "--local" in sys.argv:
        local.start("sql_driver")
        from local.sql_driver import connect as stand_in

        main(stand_in)
    else:
        from mssql_python import connect

        main(connect)
