"""Single flight with threads: however many callers want a token, one request is made, and all share its outcome."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Hashable

from azure_certvar_credential._core.effects import Token
from azure_certvar_credential._core.request import TokenRequest
from azure_certvar_credential._runtime.cached_tokens import PATIENCE, CachedTokens, Step
from azure_certvar_credential._runtime.deadlock import waiting
from azure_certvar_credential.caches.memory import Entry

# Whoever has no token waits so long (seconds) for a flight in the background, which nobody could interrupt, and then
# takes over. An attempt that runs into both of its time-outs takes 40.
LONGEST_REFRESH = 60.0


class _Call:
    """One acquisition under way. Without an outcome when it is done, its leader was interrupted.

    :ivar leader: the thread that flies it; None before and after.
    :ivar patience: how many seconds somebody without a token waits for it, or None for as long as it takes.
    """

    __slots__ = ("done", "error", "leader", "patience", "token")

    def __init__(self, patience: float | None = None) -> None:
        self.patience = patience
        self.done = threading.Event()
        self.token: Token | None = None
        self.error: Exception | None = None
        self.leader: int | None = None


class SingleFlight:
    """The flights of a credential, one for each key at most.

    :param cached_tokens: the tokens.
    :param acquire: acquires the token of a request and keeps it; called by one thread for each key at a time.
    """

    def __init__(self, cached_tokens: CachedTokens, acquire: Callable[[TokenRequest], Token]) -> None:
        self._cached_tokens = cached_tokens
        self._acquire = acquire
        # setdefault and pop are atomic on a dict whose keys hash and compare without running Python code.
        self._calls: dict[Hashable, _Call] = {}

    def entry(self, request: TokenRequest) -> Entry:
        """Return an entry for a request, from memory or by a flight.

        :raises AuthenticationError, azure.core.exceptions.AzureError: the flight failed, and no token still serves.
        """
        step, entry = self._cached_tokens.plan(request)
        if entry is None:
            return self._join(request)
        if step is Step.REFRESH:
            self._start_in_background(request)
        return self._hurry(request, entry) if step is Step.HURRY else entry

    def after_fork(self) -> None:
        """Forget the flights of the parent process, whose leaders are not in this one."""
        self._calls = {}

    def _join(self, request: TokenRequest) -> Entry:
        again = True
        while True:
            flight = self._lead_or_join(request)
            if flight.token is None and flight.error is None:
                continue  # its leader was interrupted, and somebody has to take over
            entry = self._cached_tokens.outcome(request, flight.token, flight.error, again=again)
            if entry is not None:
                return entry
            again = False

    def _hurry(self, request: TokenRequest, entry: Entry) -> Entry:
        flight = self._start_in_background(request)
        if not flight.done.wait(PATIENCE) or (flight.token is None and flight.error is None):
            return self._cached_tokens.give_up_waiting(entry)
        return self._cached_tokens.outcome(request, flight.token, flight.error, again=False) or entry

    def _lead_or_join(self, request: TokenRequest) -> _Call:
        key = (request.key, request.claims)
        mine = _Call()
        try:
            flight = self._calls.setdefault(key, mine)
            if flight is mine:
                self._lead(mine, request)
                return mine
        finally:
            # Whatever interrupts the leader, a KeyboardInterrupt included, the others are freed and one takes over.
            self._finish(key, mine)
        with waiting(threading.get_ident(), flight):
            finished = flight.done.wait(flight.patience)
        if not finished:
            self._forget(key, flight)  # it hangs, and one of those who wait takes over
        return flight

    def _start_in_background(self, request: TokenRequest) -> _Call:
        """Return the flight of a request, started in the background if there is none."""
        key = (request.key, request.claims)
        mine = _Call(LONGEST_REFRESH)
        flight = self._calls.setdefault(key, mine)
        if flight is mine:
            try:
                in_background(self._lead_and_finish, key, mine, request)
            except RuntimeError as error:  # no more threads to be had, or the interpreter is shutting down
                mine.error = error
                self._cached_tokens.call_failed(request, error, began=self._cached_tokens.now())
                self._finish(key, mine)
            except BaseException:  # a signal's handler raised, and whether there is a thread is not known
                self._cached_tokens.call_abandoned(request)
                self._finish(key, mine)
                raise
        return flight

    def _lead_and_finish(self, key: Hashable, flight: _Call, request: TokenRequest) -> None:
        try:
            self._lead(flight, request)
        finally:
            self._finish(key, flight)

    def _lead(self, flight: _Call, request: TokenRequest) -> None:
        flight.leader = threading.get_ident()
        began = self._cached_tokens.now()
        try:
            flight.token = self._acquire(request)
        except Exception as error:  # noqa: BLE001 - it is raised in every caller that waits
            flight.error = error
            self._cached_tokens.call_failed(request, error, began=began)
        except BaseException:
            self._cached_tokens.call_abandoned(request)
            raise

    def _finish(self, key: Hashable, flight: _Call) -> None:
        self._forget(key, flight)
        # Before anybody is told: who still waits is not waiting for this thread any more.
        flight.leader = None
        flight.done.set()

    def _forget(self, key: Hashable, flight: _Call) -> None:
        if self._calls.get(key) is flight:
            self._calls.pop(key, None)


def in_background(function: Callable[..., object], *arguments: object) -> None:
    """Call a function in a daemon thread, which ends with the process and holds nobody up at exit.

    :raises RuntimeError: no thread can be started.
    """
    target = contextvars.copy_context().run
    threading.Thread(target=target, args=(function, *arguments), name="certvar-background", daemon=True).start()
