"""Single flight with threads: however many callers want a token, one request is made, and all share its outcome.

An acquisition runs in a thread of its own, and its callers wait for it until their deadlines: code that hangs, of a
source or a signer, can be left but not interrupted. One that runs nobody else's code is bounded by the time-outs of its
sockets, and needs no other thread than its caller's; except the main thread, because a handler of signals may raise in
it at any moment, which would look like a failure of the connection.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable

from azure_certvar_credential._core.effects import Token
from azure_certvar_credential._core.request import TokenRequest
from azure_certvar_credential._runtime.cached_tokens import PATIENCE, CachedTokens
from azure_certvar_credential._runtime.immediate import UNOBSERVED
from azure_certvar_credential._sync.calls import Call, here, in_background, in_thread_or_here
from azure_certvar_credential._transport.deadline import Deadline
from azure_certvar_credential.caches.memory import Entry
from azure_certvar_credential.exceptions import AcquisitionTimeoutError


class SingleFlight:
    """The acquisitions of a credential, one for each key at most.

    :param cached_tokens: the tokens.
    :param acquire: acquires the token of a request and keeps it; called by one thread for each key at a time.
    :param timeout: after how many seconds an acquisition is given up, unless its caller says otherwise.
    :param is_bounded: whether ``acquire`` ends by itself at the deadline.
    """

    def __init__(
        self,
        cached_tokens: CachedTokens,
        acquire: Callable[[TokenRequest], Token],
        timeout: float,
        *,
        is_bounded: bool = False,
    ) -> None:
        self._cached_tokens = cached_tokens
        self._acquire = acquire
        self._timeout = timeout
        self._is_bounded = is_bounded
        # setdefault and pop are atomic on a dict whose keys hash and compare without running Python code.
        self._calls: dict[Hashable, Call] = {}

    def entry(self, request: TokenRequest, limit: Deadline | None = None) -> Entry:
        """Return an entry for a request, from memory or by an acquisition.

        :param limit: until when a caller without a token waits; None for the credential's own time-out from now.
        :raises AcquisitionTimeoutError: there is no token by then.
        :raises AuthenticationError, azure.core.exceptions.AzureError: the acquisition failed, and no token still
            serves.
        """
        step, entry = self._cached_tokens.plan(request)
        if step == "refresh":
            self._in_background(request)
        if entry is not None and step != "hurry":
            return entry
        observer = self._cached_tokens.observer
        with UNOBSERVED if observer is None else observer.wait():
            if entry is None:
                return self._join(request, Deadline(self._timeout) if limit is None else limit)
            return self._hurry(request, entry)

    def after_fork(self) -> None:
        """Forget the acquisitions of the parent process, whose threads are not in this one."""
        self._calls = {}

    def _join(self, request: TokenRequest, deadline: Deadline) -> Entry:
        again = True
        alone = self._is_bounded and threading.current_thread() is not threading.main_thread()
        while True:
            call = self._call(request, deadline, here if alone else in_thread_or_here)
            if not call.wait(deadline.remaining()) and call.deadline.over:
                self._give_up(request, call)
            token, error = call.result, call.error
            if token is None and (error is None or isinstance(error, AcquisitionTimeoutError)):
                if deadline.over:
                    error = deadline.error(call.deadline.waits_for)
                elif error is None or call.deadline.over:
                    continue  # it was given up, and this caller has time left for another one
            if error is not None and not isinstance(error, Exception):
                raise error  # SystemExit or the like, of a source or signer
            entry = self._cached_tokens.outcome(request, token, error, again=again)
            if entry is not None:
                return entry
            again = False

    def _hurry(self, request: TokenRequest, entry: Entry) -> Entry:
        call = self._in_background(request)
        call.wait(PATIENCE)
        token, error = call.result, call.error
        if token is not None or isinstance(error, Exception):
            return self._cached_tokens.outcome(request, token, error, again=False) or entry  # type: ignore[arg-type]
        return self._cached_tokens.give_up_waiting(entry)

    def _in_background(self, request: TokenRequest) -> Call:
        return self._call(request, Deadline(self._timeout), in_background)

    def _call(self, request: TokenRequest, deadline: Deadline, start: Callable[..., None]) -> Call:
        """Return the call of a request, started if there is none or if it has outlasted its deadline."""
        key, mine = (request.key, request.claims), Call(deadline)
        while (call := self._calls.setdefault(key, mine)) is not mine:
            if not call.deadline.over:
                return call
            self._give_up(request, call)
        try:
            start(mine.run, self._lead, request, mine, owner=self, deadline=deadline)
        # Too many threads hang, there are no more to be had, or the interpreter is shutting down.
        except (AcquisitionTimeoutError, RuntimeError) as error:
            self._failed(request, mine, error)
            mine.finish(None, error)
        except BaseException:  # a signal's handler raised, and whether there is a thread is not known
            self._cached_tokens.call_abandoned(request)
            self._forget(request, mine)
            mine.finish(None, None)
            raise
        return mine

    def _lead(self, request: TokenRequest, call: Call) -> Token:
        began = self._cached_tokens.clock()
        try:
            return self._acquire(request)
        except Exception as error:
            self._failed(request, call, error, began)
            raise
        except BaseException:
            self._cached_tokens.call_abandoned(request)
            raise
        finally:
            self._forget(request, call)

    def _give_up(self, request: TokenRequest, call: Call) -> None:
        """Take a call that hangs for failed; should it come back, its token is kept all the same."""
        error = call.deadline.error()
        self._failed(request, call, error)
        call.finish(None, error)

    def _failed(self, request: TokenRequest, call: Call, error: Exception, began: float | None = None) -> None:
        self._forget(request, call)
        if not call.done.is_set():
            now = self._cached_tokens.clock()
            self._cached_tokens.call_failed(request, error, began=now if began is None else began)

    def _forget(self, request: TokenRequest, call: Call) -> None:
        key = (request.key, request.claims)
        if self._calls.get(key) is call:
            self._calls.pop(key, None)
