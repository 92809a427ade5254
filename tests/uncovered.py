"""Tests that repeat what others cover, thousands of times, and are twice as fast without measuring that."""

from __future__ import annotations

import os
from collections.abc import Iterator

import coverage
import pytest

# What coverage tells the programs that a measured one starts.
_PROGRAMS = "COVERAGE_PROCESS_CONFIG"


@pytest.fixture(scope="module")
def uncovered() -> Iterator[None]:
    """Do not measure coverage in this module, nor in the programs that it starts."""
    measuring = coverage.Coverage.current()
    with pytest.MonkeyPatch.context() as patch:
        if _PROGRAMS in os.environ:
            patch.delenv(_PROGRAMS)
        if measuring is not None:
            measuring.stop()
        yield
        if measuring is not None:
            measuring.start()
