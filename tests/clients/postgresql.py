"""PostgreSQL with the rules of Azure Database: TLS, and a role whose password is its token, sent in clear text.

The server compares passwords and knows nothing of tokens, so the test verifies the token before it makes it the role's
password, as Azure's server verifies it at each sign-in.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from tests.caches.servers import free_port
from tests.real.servers.process import ServerProcess
from tests.real.servers.tls import TlsFiles

ROLE = "app"
_READY = re.compile("database system is ready to accept connections")
# The superuser comes through a socket in the server's own directory; the application by TLS alone.
_RULES = "local all postgres trust\nhostssl all all 127.0.0.1/32 password\n"


def programs() -> Path | None:
    """The directory of ``initdb`` and ``postgres``: on PATH, or Debian's for the newest version."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((path.parent for path in versions), key=lambda path: float(path.parent.name), default=None)


class PostgreSql:
    """A running server with the database ``postgres``.

    :ivar port: its port on 127.0.0.1.
    """

    def __init__(self, process: ServerProcess, directory: Path, port: int) -> None:
        self._process, self._directory, self.port = process, directory, port
        with self._superuser() as connection:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(ROLE)))

    def _superuser(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=str(self._directory), port=self.port, user="postgres", dbname="postgres", autocommit=True
        )

    def take_only(self, token: str) -> None:
        """Let the role sign in with this token and no other."""
        with self._superuser() as connection:
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(ROLE), sql.Literal(token)))


@contextmanager
def postgresql(bin_directory: Path, tls: TlsFiles) -> Iterator[PostgreSql]:
    """Run a server on loopback TLS."""
    # Not in pytest's directory, which only root may enter when root runs the tests: the server refuses to run as root.
    with tempfile.TemporaryDirectory(prefix="certvar-pg-") as name:
        directory, data, port = Path(name), Path(name) / "data", free_port()
        for path in (tls.certificate, tls.key):
            shutil.copy(path, directory)
        user = _owner(directory)
        subprocess.run(
            [bin_directory / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--no-sync", "--encoding=UTF8"],
            check=True,
            capture_output=True,
            timeout=60,
            cwd=directory,
            user=user,
        )
        (data / "pg_hba.conf").write_text(_RULES)
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": directory,
            "ssl": "on",
            "ssl_cert_file": directory / tls.certificate.name,
            "ssl_key_file": directory / tls.key.name,
            "fsync": "off",
        }
        command = [str(bin_directory / "postgres"), "-D", str(data)]
        for setting, value in settings.items():
            command += ["-c", f"{setting}={value}"]
        process = ServerProcess("postgresql", command, directory, user=user)
        try:
            process.wait_for(_READY)
            yield PostgreSql(process, directory, port)
        finally:
            process.stop()


def _owner(directory: Path) -> str | None:
    """Make the account that runs the server own a directory: ``postgres`` for root, else the caller."""
    (directory / "server.key").chmod(0o600)
    if os.geteuid() != 0:
        return None
    account = pwd.getpwnam("postgres")
    for path in (directory, *directory.iterdir()):
        os.chown(path, account.pw_uid, account.pw_gid)
    return account.pw_name
