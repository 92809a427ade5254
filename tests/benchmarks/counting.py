"""Counts that hold on a noisy machine, and how cost grows; the last counts are in ``counts.json``."""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks import cached, crowds, instructions
from tests.benchmarks.bench import Bench
from tests.benchmarks.contestants import SCOPE, credential
from tests.benchmarks.figures import Figure, Goal, seconds
from tests.benchmarks.touched import counts
from tests.benchmarks.touched import touched as touched_functions

KEPT = Path(__file__).with_name("counts.json")
# By how much instructions may grow before the figure is missed.
TOLERANCE = 1.03


def kept() -> dict[str, Any]:
    """Return the counts of the last run whose changes were accepted."""
    counted: dict[str, Any] = json.loads(KEPT.read_text())
    return counted


def growth(bench: Bench) -> Iterator[Figure]:
    """How cost grows: flat with entries and threads, with one request for any number of tasks."""
    bench.reset()
    for size in (1, 100, 10_000):  # memory holds no more
        yield Figure(16, f"cached get_token, entries: {size:,}", cached.timed("ours", size)() * 1e6, None, "µs", None)
    shared = credential("ours")
    shared.get_token(SCOPE)
    for callers in (1, 8, 64):
        rate = cached.rate(shared.get_token, 0.2, callers)
        yield Figure(16, f"cached get_token, threads: {callers}, calls a second", rate, None, "/s", None)
    crowds.warm("ours")
    for callers in (1, 100, 1_000 if bench.quick else 10_000):
        bench.reset(0.06)
        took = crowds.tasks("ours", callers)
        yield Figure(16, f"tasks on a cold cache, 60 ms: {callers:,}", took * 1e3, None, "ms", None)
        yield Figure(16, f"requests of {callers:,} tasks", bench.tell().get("token", 0), None, "", Goal(1, "ours"))
    with credential("ours", additionally_allowed_tenants=["*"]) as shared:
        shared.get_token(SCOPE)
        bench.reset()
        for first, last in ((1, 10), (10, 100), (100, 300 if bench.quick else 1_000)):
            names = [f"{number:08d}-1111-1111-1111-111111111111" for number in range(first, last)]
            took = seconds(lambda names=names: [shared.get_token(SCOPE, tenant_id=name) for name in names])  # type: ignore[misc]
            yield Figure(16, f"tenants {first:,} to {last:,}: each", took / len(names) * 1e3, None, "ms", None)


def counted_instructions(bench: Bench) -> Iterator[Figure]:
    """Instructions of a cached call and of an assertion, by Valgrind's callgrind (Debian: valgrind)."""
    if bench.quick or shutil.which("valgrind") is None:
        return
    last = kept()["instructions"] if kept()["python"] == platform.python_version() else {}
    for what in instructions.WORK:
        bound = last.get(what)
        goal = None if bound is None else Goal(bound * TOLERANCE, "ours")
        yield Figure(17, f"instructions: {what}", instructions.each(what), bound, "", goal)


def touched(_bench: Bench) -> Iterator[Figure]:
    """Files and functions that a construction and its first token go through."""
    last = kept()["touched"]
    for what, found in touched_functions().items():
        for unit, count, bound in zip(("files", "functions"), counts(found), last[what], strict=True):
            yield Figure(18, f"{unit} of a {what}", count, bound, "", Goal(bound, "ours"))
