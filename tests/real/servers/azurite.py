"""npm's Azurite: Microsoft's emulator of Azure Storage, which checks bearer tokens as far as ``--oauth basic`` goes.

It verifies ``iss``, ``aud``, ``iat``, ``nbf`` and ``exp`` of the access token, and not its signature: it shows that a
token has the form that Azure Storage takes and that the SDK's client sends it, not who issued it.
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.real.servers.node import Node
from tests.real.servers.process import ServerProcess
from tests.real.servers.tls import TlsFiles

_ACCOUNT = "devstoreaccount1"
_SERVICES = ("Blob", "Queue", "Table")


class Azurite:
    """Running blob, queue and table services over HTTPS on loopback, everything in memory.

    :ivar account_url: for ``BlobServiceClient``; the account is in the path, as emulators have it.
    :ivar queue_url: the same for ``QueueServiceClient``.
    :ivar table_url: the same for ``TableServiceClient``.
    :ivar ca_file: path of the PEM file with the authority of its TLS certificate, for ``connection_verify``.
    """

    def __init__(self, node: Node, tls: TlsFiles, directory: Path) -> None:
        command = [
            str(node.program),
            str(node.modules / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"),
            # The system chooses free ports, so that no two runs ever meet.
            *(f"--{name.lower()}{option}" for name in _SERVICES for option in ("Host=127.0.0.1", "Port=0")),
            "--oauth=basic",
            f"--cert={tls.certificate}",
            f"--key={tls.key}",
            # A newer SDK asks for a newer version of the REST protocol than this Azurite has heard of.
            "--skipApiVersionCheck",
            "--disableProductStyleUrl",
            "--inMemoryPersistence",
            "--disableTelemetry",
        ]
        self.process = ServerProcess("azurite", command, directory)
        self.account_url, self.queue_url, self.table_url = (
            f"https://localhost:{self.process.wait_for(_listening(name))[1]}/{_ACCOUNT}" for name in _SERVICES
        )
        self.ca_file = str(tls.ca)


def _listening(service: str) -> re.Pattern[str]:
    return re.compile(rf"{service} service is successfully listening at https://127\.0\.0\.1:(\d+)")
