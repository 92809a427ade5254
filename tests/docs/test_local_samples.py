"""Every sample runs with ``--local`` and nothing set, and prints what it promises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.conftest import SAMPLES
from tests.docs.local_runs import promised, run_locally

# Fixtures for the programs that pip cannot install; they skip the test, or fail it in CI, where one is missing.
PROGRAMS = {"fleet_with_redis": "redis_executable", "hsm_key": "softhsm"}


def cases() -> list[object]:
    real = [pytest.mark.real]
    return [pytest.param(path, id=path.stem, marks=real if path.stem in PROGRAMS else []) for path in SAMPLES]


@pytest.mark.parametrize("sample", cases())
def test_a_sample_prints_what_it_promises(sample: Path, request: pytest.FixtureRequest) -> None:
    if sample.stem in PROGRAMS:
        request.getfixturevalue(PROGRAMS[sample.stem])

    output = run_locally(sample)

    assert re.fullmatch(promised(sample.name), output)
