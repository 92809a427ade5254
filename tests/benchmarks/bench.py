"""What every measurement is given: the endpoint, the certificate, and how much time there is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azure_certvar_credential import ClientCertificate
from tests.benchmarks import contestants

_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Bench:
    """Passed to every measurement.

    :ivar certificate: RSA-2048, self-signed.
    :ivar quick: fewer repetitions and smaller numbers.
    """

    certificate: ClientCertificate
    quick: bool
    server: subprocess.Popen[str]

    def tell(self, **said: Any) -> dict[str, int]:
        """Tell the endpoint's process something; returns what it has seen: ``token``, ``discovery``, ..."""
        if self.server.stdin is None or self.server.stdout is None:
            raise RuntimeError("the endpoint's process has no pipes")
        self.server.stdin.write(json.dumps(said) + "\n")
        self.server.stdin.flush()
        seen: dict[str, int] = json.loads(self.server.stdout.readline())
        return seen

    def reset(self, latency: float = 0.0, behaviour: str = "ok") -> None:
        """Start to count afresh, with this latency in seconds and this behaviour."""
        self.tell(forget=True, latency=latency, behaviour=behaviour)

    def module(self, name: str, *arguments: str) -> Any:
        """Run a module of this folder in a fresh process; return the JSON that it prints."""
        return json.loads(self._run("-m", f"tests.benchmarks.{name}", *arguments))

    def program(self, text: str) -> str:
        """Run a program in a fresh process; return what it prints."""
        return self._run("-c", text)

    def _run(self, *arguments: str) -> str:
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=_ROOT, stdout=subprocess.PIPE, check=True, timeout=120, text=True).stdout


@contextmanager
def open_bench(*, quick: bool) -> Iterator[Bench]:
    """Start the endpoint, and put certificate and endpoint into the environment for all who are measured."""
    command = [sys.executable, "-m", "tests.benchmarks.server"]
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-") as folder,
        subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server,
    ):
        certificate = ClientCertificate.self_signed("benchmark")
        bench = Bench(certificate, quick, server)
        hello = json.loads(server.stdout.readline()) if server.stdout else {}
        ca_file = Path(folder, "ca.pem")
        ca_file.write_text(hello["ca"])
        # Everybody's bytecode is found compiled, as in a deployment; the first run of each compiles it.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(Path(folder, "bytecode"))
        os.environ[contestants.PEM] = certificate.to_pem()
        os.environ[contestants.CA_FILE] = str(ca_file)
        os.environ[contestants.AUTHORITY] = f"https://localhost:{hello['port']}"
        yield bench
        # The end of its input ends it; Popen's exit waits for that.
