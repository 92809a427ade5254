"""Every sample runs with ``--local`` and nothing set, and prints what it promises."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.conftest import ROOT, SAMPLES
from tests.docs.local_runs import nothing_set, promised, run_locally

# What pip cannot install; the test is skipped, or fails in CI, where it is missing.
PROGRAMS = {"fleet_with_redis": "redis-server", "hsm_key": "softhsm2-util", "redis_cache": "redis-server"}


def cases() -> list[object]:
    real = [pytest.mark.real]
    return [pytest.param(path, id=path.stem, marks=real if path.stem in PROGRAMS else []) for path in SAMPLES]


@pytest.mark.parametrize("sample", cases())
def test_a_sample_prints_what_it_promises(sample: Path) -> None:
    program = PROGRAMS.get(sample.stem)
    if program and not shutil.which(program):
        reason = f"{program} is missing: run tests/run as root, or install it"
        if os.environ.get("CI"):
            pytest.fail(f"{reason} (nothing is skipped in CI)", pytrace=False)
        pytest.skip(reason)

    output = run_locally(sample)

    assert re.fullmatch(promised(sample.name), output)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_sample_says_which_program_it_lacks(name: str, tmp_path: Path) -> None:
    sample = ROOT / "samples" / f"{name}.py"
    environment = {**nothing_set(), "PATH": str(tmp_path)}

    result = subprocess.run(
        [sys.executable, str(sample), "--local"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )

    assert result.returncode == 1
    assert not result.stdout
    assert re.fullmatch(r"--local needs .+; pip has none\n", result.stderr)
