"""The instructions of one call, which no other load on the machine changes.

``python -m tests.benchmarks.instructions WORK N`` does some work N times; callgrind counts the instructions of two such
processes, and their difference is that of the further calls: start, imports and construction are in both. The runner
hands in the certificate.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential._core.client_authentication import assertion
from tests.benchmarks.cached import filled
from tests.benchmarks.contestants import CLIENT, PEM, TENANT, credential

_ROOT = Path(__file__).resolve().parents[2]
_FEW, _MANY = 200, 1200


def _cached() -> Callable[[], object]:
    shared = credential("ours")
    (scope,) = filled(shared, "ours", 1)
    return lambda: shared.get_token(scope)


def _signing_input() -> Callable[[], object]:
    certificate = ClientCertificate.load(os.environ[PEM])
    return lambda: assertion.signing_input(
        assertion.encoded_header(certificate, "PS256"),
        client_id=CLIENT,
        audience=f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token",
        issued_at=time.time(),
        jti=str(uuid.uuid4()),
    )


# A signature takes what OpenSSL takes, and blinding makes that differ from one to the next.
WORK: dict[str, Callable[[], Callable[[], object]]] = {
    "cached get_token": _cached,
    "assertion without its signature": _signing_input,
}


def each(what: str) -> float:
    """Return the instructions of one call."""
    _run([], what, _FEW)  # compiles what is imported
    return (_counted(what, _MANY) - _counted(what, _FEW)) / (_MANY - _FEW)


def _counted(what: str, calls: int) -> int:
    with tempfile.TemporaryDirectory(prefix="callgrind-") as folder:
        said = _run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out"], what, calls)
    found = re.search(r"Collected : ([0-9]+)", said)
    if found is None:
        raise RuntimeError("callgrind has collected nothing")
    return int(found[1])


def _run(under: list[str], what: str, calls: int) -> str:
    done = subprocess.run(
        [*under, sys.executable, "-m", "tests.benchmarks.instructions", what, str(calls)],
        cwd=_ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        check=True,
        capture_output=True,
        text=True,
        timeout=600,
    )
    return done.stderr


if __name__ == "__main__":
    work = WORK[sys.argv[1]]()
    for _ in range(int(sys.argv[2])):
        work()
