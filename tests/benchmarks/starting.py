"""Goals 1 and 2: a process that starts, signs in and ends."""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks.bench import Bench
from tests.benchmarks.figures import Figure, Goal, alternating, seconds

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
    ours, theirs = (_SIGN_IN.format(who=who) for who in ("ours", "theirs"))
    bench.program(ours)  # compiles what the measured ones import
    bench.program(theirs)
    times = alternating(
        lambda: seconds(lambda: bench.program(ours)),
        lambda: seconds(lambda: bench.program(theirs)),
        3 if bench.quick else 15,
    )
    yield Figure(1, "cold start, whole process to first token", times[0] * 1e3, times[1] * 1e3, "ms", Goal(0.70))


def added(bench: Bench) -> Iterator[Figure]:
    """Goal 2: the same, in a process that has imported a client library already."""
    bench.reset()
    ours, theirs = (_ADDED.format(sign_in=_SIGN_IN.format(who=who)) for who in ("ours", "theirs"))
    bench.program(ours)
    bench.program(theirs)
    times = alternating(
        lambda: float(bench.program(ours)), lambda: float(bench.program(theirs)), 3 if bench.quick else 15
    )
    what = "the same beside azure.storage.blob: time added"
    yield Figure(2, what, times[0] * 1e3, times[1] * 1e3, "ms", Goal(0.25))
