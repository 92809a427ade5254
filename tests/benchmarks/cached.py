"""Goals 6 and 7: ``get_token`` when the token is in the cache."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from time import perf_counter
from typing import Any

from azure_certvar_credential._core.effects import Token
from tests.benchmarks.bench import Bench
from tests.benchmarks.contestants import CLIENT, SCOPE, TENANT, Who, async_credential, credential
from tests.benchmarks.figures import Figure, Goal, alternating

SIZES = (1, 100, 10_000)
# How long a measurement lasts at least, in seconds.
SPAN = 0.05
# Calls between two looks at the clock, which costs about as much as one of ours.
LEAST = 100


def sizes(bench: Bench) -> Iterator[Figure]:
    """Goal 6: with one entry, a hundred, and ten thousand, asked for one after another."""
    bench.reset()
    repeat = 3 if bench.quick else 9
    sync = {size: alternating(timed("ours", size), timed("theirs", size), repeat) for size in SIZES}
    aio = {size: alternating(_async_timed("ours", size), _async_timed("theirs", size), repeat) for size in SIZES}
    for size, (ours, theirs) in sync.items():
        yield Figure(6, f"cached get_token, entries: {size:,}", ours * 1e6, theirs * 1e6, "µs", Goal(0.03))
    # azure-identity's async cache grows slower with every entry: the goal is beside its best.
    best = aio[1][1]
    for size, (ours, theirs) in aio.items():
        yield Figure(6, f"cached get_token, aio, entries: {size:,}", ours * 1e6, theirs * 1e6, "µs", None)
        what = f"cached get_token, aio, entries: {size:,}; theirs with 1"
        yield Figure(6, what, ours * 1e6, best * 1e6, "µs", Goal(0.08))
    for kind, times in {"sync": sync, "aio": aio}.items():
        ours, theirs = (times[SIZES[-1]][side] / times[1][side] for side in (0, 1))
        yield Figure(6, f"flatness, {kind}: {SIZES[-1]:,} entries beside 1", ours, theirs, "", Goal(1.5, "ours"))


def threads(bench: Bench) -> Iterator[Figure]:
    """Goal 7: eight threads, one entry."""
    bench.reset()
    span = 0.2 if bench.quick else 0.5

    def measured(shared: Any) -> Callable[[], float]:
        shared.get_token(SCOPE)
        return lambda: rate(shared.get_token, span)

    ours, theirs = alternating(measured(credential("ours")), measured(credential("theirs")), 3 if bench.quick else 5)
    yield Figure(7, "cached get_token, 8 threads, calls a second", ours, theirs, "/s", Goal(50, least=True))


def rate(get_token: Callable[[str], object], span: float, callers: int = 8) -> float:
    """Return how many calls a second as many threads make together, over a span of seconds.

    :param get_token: answers from memory.
    """
    counts: list[int] = []
    gate = threading.Barrier(callers)

    def call() -> None:
        gate.wait()
        count, end = 0, perf_counter() + span
        while perf_counter() < end:
            for _ in range(100):
                get_token(SCOPE)
            count += 100
        counts.append(count)

    running = [threading.Thread(target=call) for _ in range(callers)]
    start = perf_counter()
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return sum(counts) / (perf_counter() - start)


def timed(who: Who, size: int) -> Callable[[], float]:
    """Return what measures a cached call, in seconds, with as many entries in memory."""
    shared = credential(who)
    scopes = filled(shared, who, size) * max(1, LEAST // size)

    def measure() -> float:
        get_token, calls, start = shared.get_token, 0, perf_counter()
        while perf_counter() < start + SPAN:
            for scope in scopes:
                get_token(scope)
            calls += len(scopes)
        return (perf_counter() - start) / calls

    return measure


def _async_timed(who: Who, size: int) -> Callable[[], float]:
    async def fill() -> tuple[Callable[[str], Awaitable[object]], Sequence[str]]:
        shared = async_credential(who)
        scopes = filled(shared, who, size)
        # With many entries, each of their calls takes milliseconds.
        few = scopes * max(1, LEAST // size) if who == "ours" or size <= LEAST else scopes[:: size // 20]
        return shared.get_token, few

    get_token, scopes = asyncio.run(fill())

    async def measure() -> float:
        calls, start = 0, perf_counter()
        while perf_counter() < start + SPAN:
            for scope in scopes:
                await get_token(scope)
            calls += len(scopes)
        return (perf_counter() - start) / calls

    return lambda: asyncio.run(measure())


def filled(shared: Any, who: Who, size: int) -> list[str]:
    """Put tokens into a credential's cache by its own means, without a request for each; return their scopes."""
    scopes = [f"https://resource{number}.example.com/.default" for number in range(size)]
    now = time.time()
    if who == "ours":
        for scope in scopes:
            request = shared._parts.settings.request((scope,), claims=None, tenant_id=None, enable_cae=False)
            shared._cached_tokens.write(request, Token("t" * 1400, "Bearer", now + 3600, now + 1800, now + 3570))
        return scopes
    cache = shared._initialize_cache() if hasattr(shared, "_initialize_cache") else shared._client._initialize_cache()
    authority = getattr(shared, "_authority", None) or shared._client._authority
    for scope in scopes:
        cache.add(
            {
                "client_id": CLIENT,
                "scope": [scope],
                "token_endpoint": f"{authority}/{TENANT}/oauth2/v2.0/token",
                "response": {"access_token": "t" * 1400, "token_type": "Bearer", "expires_in": 3600},
            }
        )
    return scopes
