"""Each of pyca/cryptography's test vectors loads, or is refused for the reason that it has, and soon."""

from __future__ import annotations

import time

import pytest

from tests.fuzz.vectors import TABLE, expected, files, reason

pytestmark = pytest.mark.usefixtures("uncovered")

# Of the processor's time, for one file with every password; the slowest takes hundredths of a second.
_SECONDS = 2.0


def test_every_vector_loads_or_is_refused_for_its_reason_in_time() -> None:
    wrong = []
    for name in files():
        began = time.thread_time()
        found = reason(name)
        took = time.thread_time() - began
        if found not in expected(name) or took > _SECONDS:
            wrong.append(f"{name}: {found}, {took:.1f} s")

    assert wrong == []


def test_the_vectors_are_all_there_and_every_row_has_some() -> None:
    patterns = {reasons: pattern for pattern, reasons in TABLE.items()}

    assert len(files()) > 2000
    assert {patterns[expected(name)] for name in files()} == set(patterns.values())
