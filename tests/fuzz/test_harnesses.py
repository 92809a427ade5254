"""A bounded run of every harness, the same each time: a coverage-guided fuzzer finds nothing that should not be."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from tests.fuzz.harnesses import HARNESSES

# Some seconds each.
_RUNS = {"load": 3000, "pfx": 600, "user_assertions": 20_000}
_OTHERS = 20_000


@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris has no wheel for this Python and system")
@pytest.mark.parametrize("harness", HARNESSES)
def test_a_bounded_run_finds_nothing(harness: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", harness, "--runs", str(_RUNS.get(harness, _OTHERS))],
        env={name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.parametrize("harness", HARNESSES)
def test_a_harness_takes_its_seeds(harness: str) -> None:
    """Wherever there is no fuzzer, this much is run."""
    run, seeds = HARNESSES[harness]
    for seed in seeds():
        for end in range(0, len(seed) + 1, max(1, len(seed) // 20)):
            run(seed[:end])
