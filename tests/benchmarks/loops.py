"""Goal 14: how long an event loop stands still."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from tests.benchmarks.bench import Bench
from tests.benchmarks.figures import Figure, Goal
from tests.benchmarks.stalls import LATER


def stalls(bench: Bench) -> Iterator[Figure]:
    """The longest stall: the median over several processes."""
    bench.reset()
    for state, where in {"imported": "aiohttp in use", "fresh": "fresh process"}.items():
        # The first pair compiles what the others import.
        pairs = [
            [bench.module("stalls", who, state) for who in ("ours", "theirs")] for _ in range(3 if bench.quick else 12)
        ][1:]
        for key, (name, goal) in {
            "build": ("build", Goal(3, "ours")),
            "first": ("first token", Goal(3, "ours")),
            "later": (f"{LATER} later tokens", Goal(1.5, "ours")),
            "idle": ("nothing to do", None),
        }.items():
            ours, theirs = (1e3 * statistics.median(pair[side][key] for pair in pairs) for side in (0, 1))
            yield Figure(14, f"event loop's longest stall, {where}: {name}", ours, theirs, "ms", goal)
