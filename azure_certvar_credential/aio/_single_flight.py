"""Single flight with asyncio: one task for each key and event loop, awaited by every caller that wants its token."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from functools import partial

from azure_certvar_credential._core.effects import Token
from azure_certvar_credential._core.request import TokenRequest
from azure_certvar_credential._runtime.cached_tokens import PATIENCE, CachedTokens, Step
from azure_certvar_credential._runtime.deadlock import waiting
from azure_certvar_credential.caches.memory import Entry
from azure_certvar_credential.exceptions import CLOSED, CredentialClosedError

Outcome = tuple[Token | None, Exception | None]


class _Call:
    """One acquisition under way.

    :ivar key: under which it stands in the table of flights.
    :ivar task: ends with the outcome; it raises nothing, so no failure goes unretrieved when nobody waits any more.
    :ivar waiters: how many callers wait; when the last is cancelled, so is the task.
    :ivar background: nobody waited from the start, so nobody's leaving ends it.
    """

    __slots__ = ("background", "key", "task", "waiters")

    def __init__(self, key: Hashable, task: asyncio.Task[Outcome], *, background: bool) -> None:
        self.key = key
        self.task = task
        self.waiters = 0
        self.background = background

    @property
    def leader(self) -> asyncio.Task[Outcome]:
        """The task, as who leads the flight."""
        return self.task


class SingleFlight:
    """The flights of a credential.

    :param cached_tokens: the tokens.
    :param acquire: acquires the token of a request and keeps it.
    """

    def __init__(self, cached_tokens: CachedTokens, acquire: Callable[[TokenRequest], Awaitable[Token]]) -> None:
        self._cached_tokens = cached_tokens
        self._acquire = acquire
        self._calls: dict[Hashable, _Call] = {}
        self._closed = False

    async def entry(self, request: TokenRequest) -> Entry:
        """Return an entry for a request, from memory or by a flight.

        :raises AuthenticationError, azure.core.exceptions.AzureError: the flight failed, and no token still serves.
        """
        step, entry = self._cached_tokens.plan(request)
        if entry is None:
            return await self._join(request)
        if step is Step.REFRESH:
            self._call_for(request, background=True)
        return await self._hurry(request, entry) if step is Step.HURRY else entry

    def after_fork(self) -> None:
        """Forget the flights of the parent process, whose event loop does not run in this one."""
        self._calls = {}

    async def close(self) -> None:
        """End the flights of the running loop; whoever waits for one is told that the credential is closed."""
        self._closed = True
        loop = asyncio.get_running_loop()
        tasks = [flight.task for flight in list(self._calls.values()) if flight.task.get_loop() is loop]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _join(self, request: TokenRequest) -> Entry:
        again = True
        while True:
            token, error = await self._join_call(request)
            entry = self._cached_tokens.outcome(request, token, error, again=again)
            if entry is not None:
                return entry
            again = False

    async def _hurry(self, request: TokenRequest, entry: Entry) -> Entry:
        flight = self._call_for(request, background=True)
        flight.waiters += 1  # so that it does not end with those who wait for as long as it takes
        try:
            done, _ = await asyncio.wait({flight.task}, timeout=PATIENCE)
        finally:
            flight.waiters -= 1
        if not done or flight.task.cancelled():
            return self._cached_tokens.give_up_waiting(entry)
        token, error = flight.task.result()
        return self._cached_tokens.outcome(request, token, error, again=False) or entry

    async def _join_call(self, request: TokenRequest) -> Outcome:
        while True:
            flight = self._call_for(request, background=False)
            # Should it hang, it ends with those who wait for it, also if it was begun while nobody needed to.
            flight.background = False
            flight.waiters += 1
            try:
                with waiting(asyncio.current_task(), flight):
                    # The shield keeps one caller's cancellation from the flight of the others.
                    return await asyncio.shield(flight.task)
            except asyncio.CancelledError:
                cancellations = _cancellations()
                if not flight.task.cancelled() or cancellations:
                    raise
                # Somebody else has ended the flight, and not this caller.
                if self._closed:
                    raise CredentialClosedError(CLOSED) from None
                if cancellations is None:
                    raise
            finally:
                flight.waiters -= 1
                if flight.waiters == 0 and not flight.background and not flight.task.done():
                    self._forget(flight)
                    flight.task.cancel()

    def _call_for(self, request: TokenRequest, *, background: bool) -> _Call:
        loop = asyncio.get_running_loop()
        key = (id(loop), request.key, request.claims)
        flight = self._calls.get(key)
        # A loop that was closed with a flight under way leaves it behind, and its id may come back.
        if flight is None or flight.task.get_loop() is not loop or flight.task.done():
            flight = _Call(key, loop.create_task(self._run(request)), background=background)
            self._calls[key] = flight
            flight.task.add_done_callback(partial(self._forget, flight))
        return flight

    def _forget(self, flight: _Call, _task: object = None) -> None:
        if self._calls.get(flight.key) is flight:
            del self._calls[flight.key]

    async def _run(self, request: TokenRequest) -> Outcome:
        began = self._cached_tokens.now()
        try:
            return await self._acquire(request), None
        except Exception as error:  # noqa: BLE001 - it is raised in every caller that waits
            self._cached_tokens.call_failed(request, error, began=began)
            return None, error
        except asyncio.CancelledError as error:
            self._cached_tokens.call_abandoned(request)
            if _cancellations() != 0:
                raise
            # A source or signer raised it by itself; nobody has cancelled anything.
            failure = RuntimeError("a source, signer or transport was cancelled")
            failure.__cause__ = error
            return None, failure
        except BaseException:
            self._cached_tokens.call_abandoned(request)
            raise


def _cancellations() -> int | None:
    """Return how often the running task's cancellation was asked for; None from Python 3.10, which does not tell."""
    cancelling = getattr(asyncio.current_task(), "cancelling", None)
    return None if cancelling is None else int(cancelling())
