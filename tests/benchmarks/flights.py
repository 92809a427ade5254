"""Goals 8 to 11: many callers of one token, and many tenants."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import perf_counter

from tests.benchmarks import crowds
from tests.benchmarks.bench import Bench
from tests.benchmarks.contestants import SCOPE, WHO, Who, credential
from tests.benchmarks.figures import Figure, Goal

LATENCY = 0.06
PEERS: tuple[Who, ...] = ("ours", "theirs")


def threads(bench: Bench) -> Iterator[Figure]:
    """Goal 8: 200 threads on a cold cache."""
    yield from _crowd(bench, 8, "threads", "200 threads, cold cache, 60 ms", 0.03)


def tasks(bench: Bench) -> Iterator[Figure]:
    """Goal 9: 1,000 tasks on a cold cache."""
    yield from _crowd(bench, 9, "tasks", "1,000 tasks, cold cache, 60 ms", 0.15)


def tenants(bench: Bench) -> Iterator[Figure]:
    """Goal 10: one tenant after another."""
    count = 50 if bench.quick else 300
    repeat = 1 if bench.quick else 5
    ours, theirs, floor = _compare(bench, partial(_tenants, count, 1), WHO, latency=0.0, repeat=repeat)
    what = f"{count} tenants one after another"
    times = (1e3 * measured[0] / count for measured in (ours, theirs, floor))
    yield _figure(10, f"{what}: time each", times, "ms", Goal(0.037))
    yield Figure(10, f"{what}: requests each", ours[1] / count, theirs[1] / count, "", Goal(1, "ours"))


def many_tenants(bench: Bench) -> Iterator[Figure]:
    """Goal 11: 1,000 tenants and 32 workers."""
    count = 64 if bench.quick else 1000
    ours, theirs, floor = _compare(bench, partial(_tenants, count, 32), WHO, latency=LATENCY, repeat=1)
    what = f"{count:,} tenants, 32 workers, 60 ms"
    yield _figure(11, f"{what}: time", (measured[0] for measured in (ours, theirs, floor)), "s", Goal(0.045))
    yield Figure(11, f"{what}: requests", ours[1], theirs[1], "", Goal(count, "ours"))


def _figure(number: int, what: str, values: Iterable[float], unit: str, goal: Goal) -> Figure:
    ours, theirs, floor = values
    return Figure(number, what, ours, theirs, unit, goal, floor)


def _crowd(bench: Bench, number: int, kind: str, what: str, goal: float) -> Iterator[Figure]:
    here = _compare(bench, crowds.CROWDS[kind], PEERS, latency=LATENCY, repeat=1 if bench.quick else 5)
    states = {"all imported": here}
    if not bench.quick:

        def fresh(who: Who) -> float:
            return float(bench.module("crowds", kind, who))

        states["fresh process"] = _compare(bench, fresh, PEERS, latency=LATENCY, repeat=3)
    for state, (ours, theirs) in states.items():
        yield Figure(number, f"{what}, {state}: time", ours[0], theirs[0], "s", Goal(goal))
        yield Figure(number, f"{what}, {state}: requests", ours[1], theirs[1], "", Goal(1, "ours"))


def _compare(
    bench: Bench, run: Callable[[Who], float], contestants: Sequence[Who], *, latency: float, repeat: int
) -> list[tuple[float, float]]:
    """Run in turns; return the median time and the most requests (token and discovery) of each."""
    results: dict[Who, list[tuple[float, int]]] = {who: [] for who in contestants}
    bench.reset()
    for who in results:
        crowds.warm(who)
    for _ in range(repeat):
        for who, measured in results.items():
            bench.reset(latency)
            took = run(who)
            seen = bench.tell()
            measured.append((took, seen.get("token", 0) + seen.get("discovery", 0)))
    return [
        (statistics.median(took for took, _ in measured), float(max(count for _, count in measured)))
        for measured in results.values()
    ]


def _tenants(count: int, workers: int, who: Who) -> float:
    names = [f"{number:08d}-1111-1111-1111-111111111111" for number in range(count)]
    with credential(who, additionally_allowed_tenants=["*"]) as shared, ThreadPoolExecutor(workers) as pool:
        start = perf_counter()
        for _ in pool.map(lambda name: shared.get_token(SCOPE, tenant_id=name), names):
            pass
        return perf_counter() - start
