"""Connect to Azure Database for PostgreSQL: a token is the password of each new connection.

Install, in a clone of this repository:

    pip install '.[testing]' 'psycopg[binary,pool]' sqlalchemy

Set in the environment, or run it with --local:

    AZURE_TENANT_ID   the tenant's GUID or domain name
    AZURE_CLIENT_ID   the 'Application (client) ID' of the app registration
    APP_CERT          certificate and private key: PEM, or base64 of a PFX
    PGHOST, PGUSER    the server, and the role that was made for the application, and what else libpq reads

Set PGSSLMODE=verify-full and PGSSLROOTCERT=system too. PostgreSQL reads the password when a connection opens, and
leaves it open when the token expires. With --local, a stand-in for the server verifies the password. The sample prints:

    psycopg_pool: connected as …
    SQLAlchemy: connected as …
"""

import os
import sys
from typing import Any

from psycopg_pool import ConnectionPool
from sqlalchemy import create_engine, event, text

import local
from azure_certvar_credential import CertVarCredential

QUERY = "SELECT current_user"


def main() -> None:
    """Connect through the pools of psycopg and of SQLAlchemy."""
    names = os.environ["AZURE_TENANT_ID"], os.environ["AZURE_CLIENT_ID"], os.environ["APP_CERT"]
    with CertVarCredential(*names) as credential:
        token = credential.token_provider("https://ossrdbms-aad.database.windows.net/.default")

        # The pool calls the function for each connection that it opens.
        with ConnectionPool(kwargs=lambda: {"password": token()}, min_size=1) as pool, pool.connection() as connection:
            print("psycopg_pool: connected as", *connection.execute(QUERY).fetchone() or ())

        engine = create_engine("postgresql+psycopg://", use_native_hstore=False)

        @event.listens_for(engine, "do_connect")
        def sign_in(_dialect: Any, _record: Any, _arguments: Any, options: dict[str, Any]) -> None:
            options["password"] = token()

        with engine.connect() as session:
            print("SQLAlchemy: connected as", session.execute(text(QUERY)).scalar_one())
        engine.dispose()


if __name__ == "__main__":
    if "--local" in sys.argv:
        local.start("postgres")
    main()
