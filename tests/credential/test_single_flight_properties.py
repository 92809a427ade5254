"""Single flight, held against every order of events that Hypothesis can think of."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from azure_certvar_credential._core.effects import Token
from azure_certvar_credential._core.request import TokenRequest
from azure_certvar_credential._runtime.cached_tokens import CachedTokens
from azure_certvar_credential.aio._single_flight import SingleFlight
from azure_certvar_credential.caches.memory import Entry, TokenMemory

KEYS = 2
REQUESTS = [TokenRequest((f"api://{n}/.default",), "tenant") for n in range(KEYS)]


@dataclass
class Acquisition:
    """An acquisition under way, which the test ends."""

    request: TokenRequest
    end: asyncio.Future[Token]


@dataclass
class Model:
    """Drives flights and knows what must come out.

    :ivar callers: each caller's task and key, in the order they came.
    :ivar acquisitions: every acquisition that was ever started.
    :ivar cancelled: the numbers of the callers that were cancelled.
    """

    now: float = 1000.0
    callers: list[tuple[asyncio.Task[Entry], int]] = field(default_factory=list)
    acquisitions: list[Acquisition] = field(default_factory=list)
    cancelled: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.cached_tokens = CachedTokens(TokenMemory(), lambda: self.now, "tenant")
        self.flights = SingleFlight(self.cached_tokens, self.acquire, 30.0)

    def acquire(self, request: TokenRequest) -> Awaitable[Token]:
        return self._acquire(request)

    async def _acquire(self, request: TokenRequest) -> Token:
        one = Acquisition(request, asyncio.get_running_loop().create_future())
        assert not self.under_way(REQUESTS.index(request)), "two acquisitions of one key at a time"
        self.acquisitions.append(one)
        token = await one.end
        self.cached_tokens.write(request, token)
        return token

    def under_way(self, key: int) -> list[Acquisition]:
        return [one for one in self.acquisitions if one.request == REQUESTS[key] and not one.end.done()]

    def waiting(self, key: int) -> list[asyncio.Task[Entry]]:
        return [task for task, other in self.callers if other == key and not task.done()]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("call"), st.integers(0, KEYS - 1)),
        st.tuples(st.just("cancel"), st.integers(0, 20)),
        st.tuples(st.just("succeed"), st.integers(0, KEYS - 1)),
        st.tuples(st.just("fail"), st.integers(0, KEYS - 1)),
        st.tuples(st.just("pass time"), st.integers(1, 200)),
        st.tuples(st.just("let run"), st.just(0)),
    ),
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_every_caller_gets_the_outcome_of_one_acquisition_of_its_key(steps: list[tuple[str, int]]) -> None:
    """Whatever comes, goes, fails or is cancelled, in whatever order."""
    asyncio.run(_play(steps))


async def _play(steps: list[tuple[str, int]]) -> None:
    model = Model()
    for kind, number in steps:
        await _step(model, kind, number)
    for _ in range(4):  # a caller that came as a flight was cancelled may have started another
        await _settle()
        for one in [one for one in model.acquisitions if not one.end.done()]:
            _end(model, one, succeed=True)
    await _settle()

    for number, (task, key) in enumerate(model.callers):
        assert task.done(), "a caller waits for ever"
        if task.cancelled():
            assert number in model.cancelled, "a caller was cancelled by somebody else"
        elif task.exception() is None:
            assert task.result().token.value.startswith(f"{key}:"), "a token of another key"
        else:
            assert isinstance(task.exception(), ConnectionError)
    assert model.flights._calls == {}


async def _step(model: Model, kind: str, number: int) -> None:
    if kind == "call":
        model.callers.append((asyncio.create_task(model.flights.entry(REQUESTS[number])), number))
    elif kind == "cancel" and number < len(model.callers) and model.callers[number][0].cancel():
        model.cancelled.add(number)
    elif kind in ("succeed", "fail"):
        for one in model.under_way(number):
            _end(model, one, succeed=kind == "succeed")
    elif kind == "pass time":
        model.now += number
    elif kind == "let run":
        await _settle()
        for key in range(KEYS):
            assert len(model.under_way(key)) == 1 or not model.waiting(key), "callers wait for nothing"


def _end(model: Model, one: Acquisition, *, succeed: bool) -> None:
    if succeed:
        key = REQUESTS.index(one.request)
        name = f"{key}:{model.acquisitions.index(one)}"
        one.end.set_result(Token(name, "Bearer", model.now + 100, model.now + 50, model.now + 90))
    else:
        one.end.set_exception(ConnectionError("gone"))


async def _settle() -> None:
    """Let every task that can run do so: no step takes more turns of the loop than this."""
    for _ in range(12):
        await asyncio.sleep(0)
