"""The faults that wait for a request, and the answers that they hold."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from azure_certvar_credential.testing.faults import Fault
from azure_certvar_credential.testing.http import Hold, Request

Predicate = Callable[[Request], bool]
"""Selects the requests that a fault applies to."""


@dataclass(slots=True)
class _Queued:
    fault: Fault
    remaining: int | None
    when: Predicate


class FaultQueue:
    """The faults that wait for a request; thread-safe.

    A request meets at most one fault: the first in the queue that applies to it.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._queue: list[_Queued] = []
        self._holds: list[Hold] = []

    def add(self, fault: Fault, times: int | None, when: Predicate) -> None:
        """Queue ``fault`` for the next ``times`` requests that ``when`` selects; None for all of them."""
        if times is not None and times < 1:
            raise ValueError(f"times must be at least 1, or None for every request; got {times}")
        with self._condition:
            self._queue.append(_Queued(fault, times, when))

    def take(self, request: Request) -> Fault | None:
        """Return the fault that applies to ``request``, if any, and count it as used."""
        with self._condition:
            for queued in self._queue:
                if queued.when(request):
                    if queued.remaining is not None:
                        queued.remaining -= 1
                        if queued.remaining == 0:
                            self._queue.remove(queued)
                    return queued.fault
        return None

    def clear(self) -> None:
        """Remove every fault from the queue."""
        with self._condition:
            self._queue.clear()

    def hold(self, hold: Hold) -> None:
        """Register an answer that is being held."""
        with self._condition:
            self._holds = [*(known for known in self._holds if not known.future.done()), hold]
            self._condition.notify_all()

    def wait_for_hanging(self, count: int, timeout: float) -> bool:
        """Block until ``count`` answers are held; return False if ``timeout`` seconds pass first."""
        with self._condition:
            return self._condition.wait_for(lambda: len(self._holds) >= count, timeout)

    def release(self) -> None:
        """Release every answer that is being held."""
        with self._condition:
            holds, self._holds = self._holds, []
        for hold in holds:
            hold.release()

    def __len__(self) -> int:
        """The number of queued faults."""
        return len(self._queue)
