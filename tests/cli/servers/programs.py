"""Runs ``certvar`` as a program, as a shell would."""

from __future__ import annotations

import shlex
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.testing import Application, EntraServer
from tests.cli.commands.kit import PROGRAM, SECONDS, variables
from tests.real.servers.node import ROOT

CERTVAR = tuple(PROGRAM)
STORAGE = "https://storage.azure.com"
SCOPE = f"{STORAGE}/.default"
PASSWORD = "opens the PFX"
# Those of this process would lead a client elsewhere.
_LEADING_ELSEWHERE = ("IDENTITY_", "IMDS_", "MSI_")


def environment(**changed: str) -> dict[str, str]:
    """Return the environment of a program: these variables, and this process's without those that it would heed."""
    kept = {name: value for name, value in variables({}).items() if not name.startswith(_LEADING_ELSEWHERE)}
    return {**kept, "PYTHONPATH": str(ROOT), **changed}


def sign_in_of(application: Application, server: EntraServer) -> dict[str, str]:
    """Return the variables by which a program signs in to the local Entra."""
    return {
        "AZURE_TENANT_ID": application.tenant_id,
        "AZURE_CLIENT_ID": application.client_id,
        "AZURE_AUTHORITY_HOST": server.url,
        "REQUESTS_CA_BUNDLE": server.ca_file,
        "SSL_CERT_FILE": server.ca_file,
    }


def pfx_of(certificate: ClientCertificate) -> dict[str, str]:
    """Return the variables that hold a certificate as a PFX with a password."""
    from base64 import b64encode

    return {
        "AZURE_CLIENT_CERTIFICATE": b64encode(certificate.to_pfx(PASSWORD)).decode(),
        "AZURE_CLIENT_CERTIFICATE_PASSWORD": PASSWORD,
    }


@dataclass
class Server:
    """A ``certvar`` that serves, until the context ends.

    :ivar arguments: the command and its options.
    :ivar variables: its environment.
    :ivar output: what it has handed over on standard output.
    """

    arguments: Sequence[str]
    variables: Mapping[str, str]
    output: str = ""
    _log: IO[str] = field(init=False)

    def __enter__(self) -> Server:
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8")
        self._process = subprocess.Popen(
            [*CERTVAR, *self.arguments],
            env=dict(self.variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        assert self._process.stdout is not None
        # The server ends its output when it listens.
        self.output = self._process.stdout.read()
        if not self.output:
            raise RuntimeError(f"certvar ended with {self._process.wait(SECONDS)}:\n{self.log}")
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.end(signal.SIGTERM)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._log.close()

    @property
    def exports(self) -> dict[str, str]:
        """The variables that it handed over, as a shell reads them."""
        words = shlex.split(self.output)
        assert words[::2] == ["export"] * (len(words) // 2)
        return dict(word.split("=", 1) for word in words[1::2])

    @property
    def log(self) -> str:
        """What it has written to standard error."""
        self._log.seek(0)
        return self._log.read()

    def end(self, number: signal.Signals) -> int:
        """Send a signal and return the exit code."""
        self._process.send_signal(number)
        return self._process.wait(SECONDS)


def run(
    command: Sequence[str | Path], variables: Mapping[str, str], *, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    return subprocess.run(
        [str(word) for word in command],
        env=dict(variables),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
