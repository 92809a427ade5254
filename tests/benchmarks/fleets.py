"""Goal 15: the processes of a machine share one token; ``python -m tests.benchmarks.fleets PATH`` is one of them.

It makes its credential, with the cache at the path or without one if that is empty, says that it is ready, and prints
the seconds of its callers once its input has a line.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter

from azure_certvar_credential import SQLiteTokenCache
from tests.benchmarks import crowds
from tests.benchmarks.bench import Bench
from tests.benchmarks.figures import Figure, Goal
from tests.benchmarks.flights import LATENCY

PROCESSES, CALLERS = 8, 25


def fleet(bench: Bench) -> Iterator[Figure]:
    """Goal 15: 8 processes of 25 threads each on a cold cache, beside one process that shares nothing."""
    fleets: list[float] = []
    plain: list[float] = []
    requests = 0
    for _ in range(1 if bench.quick else 5):
        with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
            took, seen = _run(bench, PROCESSES, str(Path(folder, "tokens.db")))
        fleets.append(took)
        requests = max(requests, seen)
        plain.append(_run(bench, 1, "")[0])
    what = f"{PROCESSES} x {CALLERS} callers, shared cache, cold, 60 ms"
    yield Figure(15, f"{what}: requests", requests, None, "", Goal(1, "ours"))
    took = statistics.median(fleets)
    yield Figure(15, f"{what}: time beside 1 x {CALLERS} without", took, statistics.median(plain), "s", None)


def _run(bench: Bench, processes: int, path: str) -> tuple[float, int]:
    """Return the seconds from the start of the callers to the last token, and the number of requests."""
    with ExitStack() as stack:
        members = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "tests.benchmarks.fleets", path],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(processes)
        ]
        pipes = [(member.stdin, member.stdout) for member in members]
        ready = [output.readline() for _, output in pipes if output is not None]
        if ready != ["ready\n"] * processes:
            raise RuntimeError(f"a process is not ready: {ready}")
        bench.reset(LATENCY)
        began = perf_counter()
        for told, _ in pipes:
            if told is not None:
                told.write("go\n")
                told.flush()
        for _, output in pipes:
            if output is not None:
                json.loads(output.readline())
        return perf_counter() - began, bench.tell().get("token", 0)


def main(path: str) -> None:
    """Be one of the processes."""
    options = {"token_cache": SQLiteTokenCache(path)} if path else {}

    def begin() -> None:
        print("ready", flush=True)
        sys.stdin.readline()

    print(json.dumps(crowds.threads("ours", CALLERS, begin=begin, **options)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
