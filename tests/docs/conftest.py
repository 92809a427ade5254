"""Runs pages and samples against the local Entra under Microsoft's own host names; see ``play.py``."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.testing import Application, EntraEmulator, KeyVaultEmulator
from tests.docs.outside import Outside
from tests.real.servers.tls import TlsFiles

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = sorted((ROOT / "samples").glob("*.py"))
PLAY_SECONDS = 100.0
_PASSWORD = "correct horse"
# What the directory knows: resources that every tenant has, and the next API of a middle tier. A page or sample that
# asks for another one could not run against a real tenant.
RESOURCES = (
    "https://graph.microsoft.com",
    "https://management.azure.com",
    "https://storage.azure.com",
    "https://vault.azure.net",
    "api://AzureADTokenExchange",
    "api://protected",
)


@dataclass(frozen=True, slots=True)
class Stage:
    """Where documentation runs: an application in the local Entra, its certificate, and the outside world.

    :ivar entra: the local Entra, for what else has to be registered there.
    :ivar hosts: ports of the outside world's hosts on 127.0.0.1.
    :ivar names: what the snippets of a page may use without defining it.
    :ivar environment: environment variables, those that the samples and the page name.
    :ivar vault: the vault that the samples and the page name.
    :ivar application: the application that the environment names.
    """

    entra: EntraEmulator
    hosts: Mapping[str, int]
    names: Mapping[str, Any] = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)
    vault: KeyVaultEmulator = field(repr=False)
    application: Application = field(repr=False)

    def play(self, *files: Path | str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run pages' snippets or a sample; bounded by 100 seconds.

        :param environment: more variables than :attr:`environment`.
        :raises AssertionError: it did not end with exit code 0; the text holds all that it printed.
        """
        result = subprocess.run(
            self._command(*files),
            cwd=ROOT,
            env=self._variables(environment),
            input=self._script,
            capture_output=True,
            text=True,
            timeout=PLAY_SECONDS,
            check=False,
        )
        assert result.returncode == 0, f"{files} failed:\n{result.stdout}\n{result.stderr}"
        return result

    @contextmanager
    def serve(self, file: Path, **environment: str) -> Iterator[str]:
        """Run a sample that is a server, and yield the URL that it prints; interrupted at the end, as by Ctrl-C.

        :param environment: more variables than :attr:`environment`.
        :raises AssertionError: it printed none, or did not end with exit code 0.
        """
        server = subprocess.Popen(
            self._command(file),
            cwd=ROOT,
            env={**self._variables(environment), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        # Whatever happens here, the server does not outlive it.
        guard = threading.Timer(PLAY_SECONDS, server.kill)
        guard.start()
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            server.stdin.write(self._script)
            server.stdin.close()
            printed = ""
            while (running := re.search(r"Running on (http://127\.0\.0\.1:\d+)", printed)) is None:
                line = server.stdout.readline()
                assert line, f"{file.name} ended:\n{printed}"
                printed += line
            yield running[1]
            server.send_signal(signal.SIGINT)
            printed += server.stdout.read()
            assert server.wait(PLAY_SECONDS) == 0, f"{file.name} failed:\n{printed}"
        finally:
            guard.cancel()
            server.kill()
            server.wait()
            server.stdout.close()

    @property
    def _script(self) -> str:
        return json.dumps({"hosts": dict(self.hosts), "names": dict(self.names)})

    def _command(self, *files: Path | str) -> list[str]:
        return [sys.executable, "-m", "tests.docs.play", *map(str, files)]

    def _variables(self, more: Mapping[str, str]) -> dict[str, str]:
        return {**_inherited(), **self.environment, **more}


def _inherited() -> dict[str, str]:
    """This process's environment without what would lead the documentation elsewhere."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AZURE_") and not name.lower().endswith("_proxy")
    }


@pytest.fixture(autouse=True, scope="module")
def _uncovered(uncovered: None) -> None:
    """Pages and samples do what other tests cover."""


@pytest.fixture
def stage(server_tls: TlsFiles, tmp_path: Path) -> Iterator[Stage]:
    """A stage with one registered application."""
    certificate = ClientCertificate.self_signed("documentation")
    stranger = ClientCertificate.self_signed("stranger")
    entra = EntraEmulator(known_resources=RESOURCES)
    application = entra.add_application(certificate)
    federated = entra.add_application()
    federated.trust_federated(
        issuer=f"https://login.microsoftonline.com/{application.tenant_id}/v2.0",
        subject=application.object_ids[application.tenant_id],
    )
    blueprint = entra.add_application(certificate)
    agent = entra.add_agent_identity(blueprint)
    agent_user = entra.add_user("Sales Agent", agent=agent)
    authority = trustme.CA()
    trusted = tmp_path / "trusted.pem"
    # The outside world's authority, and that of the real servers on loopback.
    trusted.write_bytes(authority.cert_pem.bytes() + server_tls.ca.read_bytes())
    pfx = certificate.to_pfx(_PASSWORD)
    unprotected = base64.b64encode(certificate.to_pfx(None)).decode()
    with Outside(entra, authority) as outside:
        outside.vault.add_certificate("app", certificate)
        yield Stage(
            entra=entra,
            hosts=outside.hosts,
            names={
                "tenant_id": application.tenant_id,
                "client_id": application.client_id,
                "pem": certificate.to_pem(),
                "federated_client_id": federated.client_id,
                "user_token": entra.issue_user_token(entra.add_user("Megan Bowen"), application),
                "blueprint_client_id": blueprint.client_id,
                "agent_client_id": agent.client_id,
                "agent_user_id": agent_user.object_id,
                "user_token_for_blueprint": entra.issue_user_token(entra.add_user("Alex Wilber"), blueprint),
                "vault_url": outside.vault.vault_url,
                "pfx_bytes": {"base64": base64.b64encode(pfx).decode()},
                "pfx_password": _PASSWORD,
                "unregistered_credential": {
                    "credential": [application.tenant_id, application.client_id, stranger.to_pem()]
                },
            },
            environment={
                "AZURE_TENANT_ID": application.tenant_id,
                "AZURE_CLIENT_ID": application.client_id,
                "APP_CERT": unprotected,
                "SSL_CERT_FILE": str(trusted),
                "REQUESTS_CA_BUNDLE": str(trusted),
                "KEY_VAULT_URL": outside.vault.vault_url,
                "XDG_CACHE_HOME": str(tmp_path / "cache"),
            },
            vault=outside.vault,
            application=application,
        )
