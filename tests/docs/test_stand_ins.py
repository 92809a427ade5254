"""What ``--local`` runs the samples against refuses what the services refuse, and leads nowhere else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tests.docs.conftest import ROOT
from tests.docs.local_runs import nothing_set, split

REFUSED = {
    "graph": "401",
    "postgres": "OperationalError",
    "redis": "AuthenticationError",
    # How azure-servicebus reports that the broker took no token.
    "service bus": "ServiceBusConnectionError",
}
EXPECTED = [
    "graph, right token: 200",
    *(f"{name}, other audience: {outcome}" for name, outcome in REFUSED.items()),
    "sql, other audience: InvalidAudienceError",
    *(f"{name}, forged: {outcome}" for name, outcome in REFUSED.items()),
    "sql, forged: InvalidSignatureError",
    "redis, no token: AuthenticationError",
    "elsewhere: ProxyError",
]


@pytest.mark.real
def test_a_stand_in_takes_no_other_token() -> None:
    if not shutil.which("redis-server"):
        if os.environ.get("CI"):
            pytest.fail("redis-server is missing (nothing is skipped in CI)", pytrace=False)
        pytest.skip("redis-server is missing: run tests/run as root, or install it")
    environment = {**nothing_set(), "PYTHONPATH": str(ROOT / "samples")}

    result = subprocess.run(
        [sys.executable, "-m", "tests.docs.refusals"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )

    assert result.returncode == 0, result.stderr
    assert split(result.stdout)[1].splitlines() == EXPECTED
    assert not result.stderr
