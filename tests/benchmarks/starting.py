"""Goals 1 and 2: a process that starts, signs in and ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from tests.benchmarks.bench import Bench
from tests.benchmarks.contestants import WHO
from tests.benchmarks.figures import Figure, Goal, rounds, seconds

_SIGN_IN = """
from tests.benchmarks.contestants import SCOPE, credential
credential({who!r}).get_token(SCOPE)
"""

_ADDED = """
import azure.storage.blob
from time import perf_counter
start = perf_counter()
{sign_in}
print(perf_counter() - start)
"""


def whole(bench: Bench) -> Iterator[Figure]:
    """Goal 1: from the start of Python to the end of the process."""
    bench.reset()
    programs = [_SIGN_IN.format(who=who) for who in WHO]
    (ours, theirs, floor), spread = _measured(bench, programs, lambda text: seconds(lambda: bench.program(text)))
    what = "cold start, whole process to first token"
    yield Figure(1, what, ours * 1e3, theirs * 1e3, "ms", Goal(0.70), floor * 1e3, spread)


def added(bench: Bench) -> Iterator[Figure]:
    """Goal 2: the same, in a process that has imported a client library already."""
    bench.reset()
    programs = [_ADDED.format(sign_in=_SIGN_IN.format(who=who)) for who in WHO]
    (ours, theirs, floor), spread = _measured(bench, programs, lambda text: float(bench.program(text)))
    what = "the same beside azure.storage.blob: time added"
    yield Figure(2, what, ours * 1e3, theirs * 1e3, "ms", Goal(0.40), floor * 1e3, spread)


def _measured(bench: Bench, programs: list[str], measure: Callable[[str], float]) -> tuple[list[float], float]:
    for text in programs:
        bench.program(text)  # compiles what the measured ones import
    return rounds(*(partial(measure, text) for text in programs), repeat=3 if bench.quick else 15)
