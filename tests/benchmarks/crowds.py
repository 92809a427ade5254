"""Many callers of one token at once.

``python -m tests.benchmarks.crowds threads|tasks ours|theirs`` prints the seconds that they take in a fresh process: a
cold cache is met there most, and the first calls import what the first request needs.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Callable
from time import perf_counter
from typing import Any, cast

from tests.benchmarks.contestants import SCOPE, Who, async_credential, credential


def threads(who: Who, callers: int = 200, *, begin: Callable[[], object] = bool, **options: Any) -> float:
    """Return the seconds from the moment at which all threads call until the last has its token.

    :param begin: returns when they shall call.
    :param options: more arguments of the credential.
    """
    with credential(who, **options) as shared:
        gate = threading.Barrier(callers + 1)
        ends: list[float] = []

        def call() -> None:
            gate.wait()
            shared.get_token(SCOPE)
            ends.append(perf_counter())

        running = [threading.Thread(target=call) for _ in range(callers)]
        for thread in running:
            thread.start()
        begin()
        gate.wait()
        start = perf_counter()
        for thread in running:
            thread.join()
        if len(ends) != callers:
            raise RuntimeError(f"{callers - len(ends)} callers of {who} failed")
        return max(ends) - start


def tasks(who: Who, callers: int = 1000) -> float:
    """Return the seconds that as many tasks take together."""

    async def run() -> float:
        async with async_credential(who) as shared:
            start = perf_counter()
            await asyncio.gather(*(shared.get_token(SCOPE) for _ in range(callers)))
            return perf_counter() - start

    return asyncio.run(run())


def warm(who: Who) -> None:
    """Import everything that a request needs."""

    async def run() -> None:
        async with async_credential(who) as shared:
            await shared.get_token(SCOPE)

    with credential(who) as shared:
        shared.get_token(SCOPE)
    if who != "floor":  # it is synchronous
        asyncio.run(run())


CROWDS = {"threads": threads, "tasks": tasks}

if __name__ == "__main__":
    print(json.dumps(CROWDS[sys.argv[1]](cast("Who", sys.argv[2]))))
