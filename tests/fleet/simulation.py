"""A day of a fleet of a thousand members, by the package's own flow and a clock that jumps from event to event.

``python -m tests.fleet.simulation`` prints how many token requests the fleet sends, with a shared cache and without.
The members start within a minute, and each asks for a token every ten minutes on average. Network delays, the
differences of the members' clocks and all jitter are drawn from a seed. Nothing here knows a rule of refresh: the flow,
the cached tokens and the shared tokens are the ones that credentials run, sealing included.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from azure_certvar_credential._core import effects
from azure_certvar_credential._core.config import Settings
from azure_certvar_credential._core.effects import Moment
from azure_certvar_credential._core.flow import acquire
from azure_certvar_credential._runtime.cached_tokens import CachedTokens
from azure_certvar_credential._runtime.shared_tokens import SharedTokens
from azure_certvar_credential._transport.deadline import Deadline
from azure_certvar_credential.caches.memory import TokenMemory
from tests.core import responses
from tests.core.script import TENANT, made_settings, request
from tests.credential.shared_caches import MemoryCache

HOUR, START, BETWEEN_CALLS = 3600.0, 60.0, 600.0
LIFETIME = 3599
KEY = bytes(32)
# Seconds. A member's clock is off by a minute in the usual case, and never so far that two differ by five minutes.
USUAL_OFFSET, LARGEST_OFFSET = 60.0, 150.0
REDIS_DELAY, ENTRA_DELAY = (0.0003, 0.005), (0.08, 0.8)

Work = Generator[float, None, Any]


@dataclass
class Result:
    """What happened.

    :ivar requests: how many token requests there were.
    :ivar busiest_minute: the most of them in one minute.
    :ivar calls: how many calls of ``get_token``.
    :ivar looks: how many reads of the shared cache.
    :ivar least_left: the shortest life, in seconds, that a token had left when a caller got it.
    :ivar longest_wait: for how many seconds a caller waited.
    """

    requests: int = 0
    calls: int = 0
    looks: int = 0
    least_left: float = float(LIFETIME)
    longest_wait: float = 0.0
    minutes: Counter[int] = field(default_factory=Counter)

    @property
    def busiest_minute(self) -> int:
        return max(self.minutes.values())


class _Deadline(Deadline):
    """A deadline by the simulation's clock."""

    __slots__ = ("_day",)

    def __init__(self, day: Day, seconds: float) -> None:
        super().__init__(seconds)
        self._day, self._ends = day, day.now + seconds

    def remaining(self) -> float:
        return max(self._ends - self._day.now, 0.0)


class Day:
    """The events of a day.

    :param members: how many there are.
    :param shared: whether they share a cache.
    :param hours: how long the day is.
    :ivar now: the true time, in seconds since the start.
    """

    def __init__(self, members: int, *, shared: bool, seed: int, hours: float = 24.0) -> None:
        self.random = Random(seed)
        self.now, self._end = 0.0, hours * HOUR
        self.result = Result()
        self.cache = MemoryCache(lambda: self.now) if shared else None
        sharing: dict[str, Any] = {"token_cache": self.cache, "encryption_key": KEY} if shared else {}
        self.settings: Settings = made_settings(federated=True, **sharing)
        self.asked = request()
        self._events: list[tuple[float, int, Work]] = []
        self._numbers = itertools.count()
        self._ends_on: dict[str, float] = {}
        for _ in range(members):
            self._at(self.random.uniform(0, START), Member(self).calls())

    def run(self) -> Result:
        """Let the day pass."""
        while self._events:
            self.now, _, work = heapq.heappop(self._events)
            pause = next(work, None)
            if pause is not None and self.now + pause < self._end:
                self._at(self.now + pause, work)
        return self.result

    def start(self, work: Work) -> None:
        """Begin some work at this moment."""
        self._at(self.now, work)

    def issue(self) -> effects.Result:
        """Answer a token request."""
        self.result.requests += 1
        self.result.minutes[int(self.now // 60)] += 1
        value = f"token.{self.result.requests}"
        self._ends_on[value] = self.now + LIFETIME
        return responses.token(access_token=value, expires_in=LIFETIME)

    def served(self, value: str, *, since: float) -> None:
        """Note that a caller got a token."""
        result = self.result
        result.calls += 1
        result.least_left = min(result.least_left, self._ends_on[value] - self.now)
        result.longest_wait = max(result.longest_wait, self.now - since)

    def _at(self, time: float, work: Work) -> None:
        heapq.heappush(self._events, (time, next(self._numbers), work))


class Member:
    """A process with one credential, and a clock that is wrong."""

    def __init__(self, day: Day) -> None:
        self._day = day
        offset = max(-LARGEST_OFFSET, min(day.random.gauss(0, USUAL_OFFSET), LARGEST_OFFSET))
        # A date, since the flow takes a time near zero for a clock that was never set.
        self._clock: Callable[[], float] = lambda: 1_800_000_000.0 + day.now + offset
        self._tokens = CachedTokens(TokenMemory(), self._clock, TENANT, day.settings.sharing)
        self._shared = None if day.cache is None else SharedTokens(day.cache, day.settings, (KEY,))
        self._busy = False

    def calls(self) -> Work:
        """Call ``get_token`` at random moments, one call after the other."""
        day, asked = self._day, self._day.asked
        while True:
            step, entry = self._tokens.plan(asked)
            since = day.now
            if step == "refresh" and not self._busy:
                day.start(self._acquisition())
            elif entry is None or step == "hurry":
                yield from self._acquisition()
                entry = self._tokens.fresh(asked.key) or entry
            assert entry is not None, "a caller got no token"
            day.served(entry.token.value, since=since)
            yield day.random.expovariate(1 / BETWEEN_CALLS)

    def _acquisition(self) -> Work:
        self._busy = True
        deadline = _Deadline(self._day, self._day.settings.retry.timeout)
        yield from self._driven(acquire(self._day.settings, self._day.asked), self._perform, deadline)
        self._busy = False

    def _driven(self, flow: Any, perform: Any, deadline: Deadline) -> Work:
        answer = None
        while True:
            try:
                with deadline.applied():  # for this step alone: the next one is another member's
                    effect = flow.send(answer)
            except StopIteration as done:
                return done.value
            answer = yield from perform(effect, deadline)

    def _perform(self, effect: effects.Effect, deadline: Deadline) -> Work:
        day = self._day
        match effect:
            case effects.Now():
                return Moment(self._clock(), "jti", "correlation", day.random.random())
            case effects.ReadCache(asked):
                entry = self._tokens.store.get(asked.key)
                return None if entry is None else entry.token
            case effects.WriteCache(asked, token):
                return self._tokens.write(asked, token)
            case effects.LoadAssertion():
                return "assertion"
            case effects.Wait(seconds):
                yield seconds
                return None
            case effects.Send():
                delay = day.random.uniform(*ENTRA_DELAY)
                yield delay / 2
                answer = day.issue()
                yield delay / 2
                return answer
            case effects.Shared(question):
                assert self._shared is not None
                return (yield from self._driven(self._shared.answer(question), self._asked, deadline))
        raise NotImplementedError(effect)

    def _asked(self, call: Any, _deadline: Deadline) -> Work:
        delay = self._day.random.uniform(*REDIS_DELAY)
        self._day.result.looks += call.method == "get"
        yield delay / 2
        answer = getattr(self._day.cache, call.method)(*call.arguments)
        yield delay / 2
        return answer


def main() -> None:
    """Print a day with a shared cache and one without."""
    parser = argparse.ArgumentParser(prog="python -m tests.fleet.simulation", description=__doc__)
    parser.add_argument("--members", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    for shared in (False, True):
        result = Day(chosen.members, shared=shared, seed=chosen.seed).run()
        print(
            f"{chosen.members:,} members {'with' if shared else 'without'} a shared cache: {result.requests:,} token "
            f"requests a day, {result.busiest_minute:,} in the busiest minute; {result.calls:,} calls, each got a "
            f"token with {result.least_left:.0f} s left or more, and waited {result.longest_wait:.2f} s at most; "
            f"{result.looks / (24 * HOUR):.1f} reads of the cache a second"
        )


if __name__ == "__main__":
    main()
