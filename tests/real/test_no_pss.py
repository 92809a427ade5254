"""A key on a token that cannot do PSS signs in all the same (SoftHSM with the mechanisms masked)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.real.softhsm import ROOT, SoftHsm

# Those that stay: with a list of those that go, SoftHSM 2.6.1 masks the first alone.
OFFERED = ("CKM_RSA_PKCS", "CKM_SHA256_RSA_PKCS", "CKM_SHA384_RSA_PKCS", "CKM_SHA512_RSA_PKCS")


@pytest.fixture(scope="module")
def seen(softhsm: SoftHsm, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a process with such a token did; a module reads its settings once in a process."""
    settings = tmp_path_factory.mktemp("no_pss") / "softhsm2.conf"
    given = Path(softhsm.environment["SOFTHSM2_CONF"]).read_text(encoding="utf-8")
    settings.write_text(f"{given}slots.mechanisms = {','.join(OFFERED)}\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "tests.real.without_pss", softhsm.module],
        cwd=ROOT,
        env={**os.environ, "SOFTHSM2_CONF": str(settings)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


@pytest.mark.parametrize("kind", ["sync", "aio"])
def test_it_signs_with_rs256_and_says_so_once(seen: dict[str, Any], kind: str) -> None:
    headers = seen[kind]["headers"]
    assert [(header["alg"], header["x5t#S256"]) for header in headers] == [("RS256", seen["x5t#S256"])] * 3
    (line,) = (line for line in seen[kind]["logged"] if "RS256" in line)
    assert "CKM_SHA256_RSA_PKCS_PSS" in line


@pytest.mark.parametrize("kind", ["sync", "aio"])
def test_an_algorithm_that_the_user_chose_is_not_replaced(seen: dict[str, Any], kind: str) -> None:
    assert "cannot sign with PS256" in seen[f"{kind}, chosen"]["refused"]
    assert not seen[f"{kind}, chosen"]["headers"]
