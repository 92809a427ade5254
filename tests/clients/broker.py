"""The broker of ``broker.mjs``: rhea from npm, as Service Bus and Event Hubs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.real.servers.node import Node
from tests.real.servers.process import ServerProcess
from tests.real.servers.tls import TlsFiles

_PROGRAM = Path(__file__).with_name("broker.mjs")


class Broker:
    """A running broker.

    :param keys: the key set of the tokens' issuer.
    :ivar endpoint: for the clients' ``custom_endpoint_address``.
    """

    def __init__(self, node: Node, tls: TlsFiles, keys: dict[str, Any], directory: Path) -> None:
        command = [str(node.program), str(_PROGRAM), str(tls.certificate), str(tls.key), str(node.modules)]
        self.process = ServerProcess("broker", command, directory)
        self.process.write(json.dumps(keys))
        port = self.process.wait_for(re.compile(r'\{"port":(\d+)\}'))[1]
        self.endpoint = f"sb://localhost:{port}"

    def set_clock(self, offset: int) -> None:
        """Put the broker's clock forward.

        :param offset: seconds that it is ahead of this computer's.
        """
        self.process.write(str(offset))
        self.process.wait_for(re.compile(rf'\{{"offset":{offset}\}}'))

    @property
    def events(self) -> list[dict[str, Any]]:
        """All that happened, oldest first."""
        return [json.loads(line) for line in self.process.log.splitlines() if line.startswith("{")]
