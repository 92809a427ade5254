"""Goal 12: how much memory a tenant and a credential take."""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks.bench import Bench
from tests.benchmarks.contestants import WHO
from tests.benchmarks.figures import Figure, Goal


def memory(bench: Bench) -> Iterator[Figure]:
    """Measured once: it is the same every time."""
    bench.reset()
    count = "10" if bench.quick else "100"
    for what, bound in {"tenant": 5.0, "credential": 6.0}.items():
        ours, theirs, floor = (bench.module("memory", who, what, count) / 1024 for who in WHO)
        yield Figure(12, f"memory a {what}", ours, theirs, "KiB", Goal(bound, "ours"), floor)
