"""Goal 13: the refresh time has passed, the token is valid, and the server is well, busy, broken or silent."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import perf_counter
from unittest import mock

from tests.benchmarks.bench import Bench
from tests.benchmarks.contestants import SCOPE, Who, async_credential, credential
from tests.benchmarks.figures import Figure, Goal

LATENCY = 0.06
CALLERS = 4
CALLS = 10
PAUSE = 0.02
SLOW = 0.02
# How many seconds the callers are watched: until azure-identity's retries are over; less for a server that never
# answers, which takes as long as one looks.
PATIENCE = {"ok": 4.0, "429": 4.0, "503": 4.0, "hang": 1.0}
QUICK_PATIENCE = {**PATIENCE, "429": 1.0}
# The endpoint advises a refresh after 1800 s of 3600; the package adds up to a minute of jitter.
AFTER_REFRESH_ON = 1900.0

_BEHAVIOURS = {"ok": "well", "429": "429", "503": "503", "hang": "silent"}


@dataclass(slots=True)
class Calls:
    """What the calls after the refresh time came to.

    :ivar took: the seconds of each; a call that is let go of at the end of the watch counts with what it took.
    :ivar errors: how many raised, by class.
    """

    took: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def slow(self) -> int:
        """How many callers waited noticeably."""
        return sum(seconds > SLOW for seconds in self.took)


def refreshing(bench: Bench) -> Iterator[Figure]:
    """Four callers with ten calls each, of threads and of tasks."""
    for kind, run in {"threads": _in_threads, "tasks": _in_tasks}.items():
        longest_ours = longest_theirs = 0.0
        for behaviour, name in _BEHAVIOURS.items():
            ours, theirs = run(bench, "ours", behaviour), run(bench, "theirs", behaviour)
            longest_ours, longest_theirs = max(longest_ours, *ours.took), max(longest_theirs, *theirs.took)
            what = f"past refresh_on, Entra {name}, {CALLERS} {kind}"
            yield Figure(13, f"{what}: calls over 20 ms", ours.slow, theirs.slow, "", Goal(0, "ours"))
            yield Figure(13, f"{what}: errors", len(ours.errors), len(theirs.errors), "", Goal(0, "ours"))
        what = f"longest of those calls, {kind}"
        yield Figure(13, what, longest_ours * 1e3, longest_theirs * 1e3, "ms", None)


def _in_threads(bench: Bench, who: Who, behaviour: str) -> Calls:
    bench.reset(LATENCY)
    patience = (QUICK_PATIENCE if bench.quick else PATIENCE)[behaviour]
    calls = Calls()
    with credential(who) as shared, _Time() as clock:
        shared.get_token(SCOPE)
        clock.pass_(AFTER_REFRESH_ON)
        bench.tell(behaviour=behaviour)

        def caller() -> None:
            end = perf_counter() + patience
            for _ in range(CALLS):
                start = perf_counter()
                try:
                    shared.get_token(SCOPE)
                except Exception as error:  # noqa: BLE001 - the figure is how many there are, of any kind
                    calls.errors.append(type(error).__name__)
                calls.took.append(perf_counter() - start)
                if perf_counter() > end:
                    return
                time.sleep(PAUSE)

        running = [threading.Thread(target=caller) for _ in range(CALLERS)]
        for thread in running:
            thread.start()
        end = perf_counter() + patience
        for thread in running:
            thread.join(max(0.0, end - perf_counter()))
        # Lets go of those who wait still; what their calls took is in the figure.
        bench.tell(behaviour="ok")
        for thread in running:
            thread.join()
    return calls


def _in_tasks(bench: Bench, who: Who, behaviour: str) -> Calls:
    calls = Calls()
    patience = (QUICK_PATIENCE if bench.quick else PATIENCE)[behaviour]

    async def run() -> None:
        bench.reset(LATENCY)
        async with async_credential(who) as shared:
            with _Time() as clock:
                await shared.get_token(SCOPE)
                clock.pass_(AFTER_REFRESH_ON)
                bench.tell(behaviour=behaviour)
                end = perf_counter() + patience

                async def caller() -> None:
                    for _ in range(CALLS):
                        start = perf_counter()
                        try:
                            await shared.get_token(SCOPE)
                        except Exception as error:  # noqa: BLE001 - as above
                            calls.errors.append(type(error).__name__)
                        calls.took.append(perf_counter() - start)
                        if perf_counter() > end:
                            return
                        await asyncio.sleep(PAUSE)

                running = [asyncio.create_task(caller()) for _ in range(CALLERS)]
                await asyncio.wait(running, timeout=patience)
                await asyncio.to_thread(bench.tell, behaviour="ok")
                await asyncio.gather(*running)

    asyncio.run(run())
    return calls


class _Time:
    """Moves the wall clock of this process, for ours and theirs in the same way."""

    def __init__(self) -> None:
        self._passed = 0.0
        self._real: Callable[[], float] = time.time
        self._patch = mock.patch("time.time", self)

    def __call__(self) -> float:
        return self._real() + self._passed

    def pass_(self, seconds: float) -> None:
        self._passed += seconds

    def __enter__(self) -> _Time:
        self._patch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._patch.stop()
