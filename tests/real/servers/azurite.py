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
_READY = re.compile(r"successfully listens on https://127\.0\.0\.1:(\d+)")


class Azurite:
    """A running blob service over HTTPS on loopback, everything in memory.

    :ivar account_url: for ``BlobServiceClient``; the account is in the path, as emulators have it.
    :ivar ca_file: path of the PEM file with the authority of its TLS certificate, for ``connection_verify``.
    """

    def __init__(self, node: Node, tls: TlsFiles, directory: Path) -> None:
        command = [
            str(node.program),
            str(node.modules / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"),
            "--blobHost=127.0.0.1",
            "--blobPort=0",  # the system chooses a free one, so that no two runs ever meet
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
        port = self.process.wait_for(_READY)[1]
        self.account_url = f"https://localhost:{port}/{_ACCOUNT}"
        self.ca_file = str(tls.ca)
