"""Single flight of tasks: one for each key and event loop, awaited by every caller that wants its token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from functools import partial

from azure_certvar_credential._core.effects import Token
from azure_certvar_credential._core.request import TokenRequest
from azure_certvar_credential._runtime.cached_tokens import PATIENCE, CachedTokens
from azure_certvar_credential._runtime.deadlock import waiting
from azure_certvar_credential._runtime.immediate import UNOBSERVED
from azure_certvar_credential._transport.async_library import Task, async_library
from azure_certvar_credential._transport.deadline import Deadline
from azure_certvar_credential.caches.memory import Entry
from azure_certvar_credential.exceptions import CLOSED, AcquisitionTimeoutError, CredentialClosedError

Outcome = tuple[Token | None, Exception | None]


class _Call:
    """One acquisition under way.

    :ivar key: under which it stands in the table of calls.
    :ivar deadline: when it is cancelled.
    :ivar task: ends with the outcome; it raises nothing, so no failure goes unretrieved when nobody waits any more.
    :ivar waiters: how many callers wait; when the last is cancelled, so is the task.
    :ivar background: it began without a caller, so it does not end with the last one.
    :ivar cancelled: it was cancelled here; a source or signer may raise the same exception by itself.
    """

    __slots__ = ("background", "cancelled", "deadline", "key", "task", "waiters")

    def __init__(self, key: Hashable, deadline: Deadline) -> None:
        self.key = key
        self.deadline = deadline
        self.waiters = 0
        self.background = True
        self.cancelled = False
        self.task: Task[Outcome]

    @property
    def leader(self) -> Task[Outcome]:
        """The task, which makes the acquisition."""
        return self.task

    def cancel(self) -> None:
        """End the task."""
        self.cancelled = True
        self.task.cancel()

    def outcome(self) -> Outcome:
        """Return the token or the failure; neither if there is none of them, or not yet."""
        return self.task.result() if self.task.done() and not self.task.cancelled() else (None, None)


class SingleFlight:
    """The acquisitions of a credential.

    :param cached_tokens: the tokens.
    :param acquire: acquires the token of a request and keeps it.
    :param timeout: after how many seconds an acquisition is given up, unless its caller says otherwise.
    """

    def __init__(
        self, cached_tokens: CachedTokens, acquire: Callable[[TokenRequest], Awaitable[Token]], timeout: float
    ) -> None:
        self._cached_tokens = cached_tokens
        self._acquire = acquire
        self._timeout = timeout
        self._calls: dict[Hashable, _Call] = {}
        self._closed = False

    async def entry(self, request: TokenRequest, limit: Deadline | None = None) -> Entry:
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
                return await self._join(request, Deadline(self._timeout) if limit is None else limit)
            return await self._hurry(request, entry)

    def after_fork(self) -> None:
        """Forget the acquisitions of the parent process, whose event loop does not run in this one."""
        self._calls = {}

    async def close(self) -> None:
        """Cancel the acquisitions of the running loop; their callers get :class:`CredentialClosedError`."""
        self._closed = True
        loop = async_library().get_running_loop()
        calls = [call for call in list(self._calls.values()) if call.task.get_loop() is loop]
        for call in calls:
            call.cancel()
        await async_library().gather(*(call.task for call in calls), return_exceptions=True)

    async def _join(self, request: TokenRequest, deadline: Deadline) -> Entry:
        again = True
        while True:
            call = self._call(request, deadline)
            # Should it hang, it ends with those who wait for it, also if it was begun while nobody needed to.
            call.background = False
            with waiting(async_library().current_task(), call):
                await self._wait(call, deadline.remaining())
            token, error = call.outcome()
            if token is None and (error is None or isinstance(error, AcquisitionTimeoutError)):
                if self._closed and call.cancelled:
                    raise CredentialClosedError(CLOSED)
                if deadline.over:
                    error = deadline.error(call.deadline.waits_for)
                elif error is None or call.deadline.over:
                    continue  # it was given up, and this caller has time left for another one
            entry = self._cached_tokens.outcome(request, token, error, again=again)
            if entry is not None:
                return entry
            again = False

    async def _hurry(self, request: TokenRequest, entry: Entry) -> Entry:
        call = self._in_background(request)
        await self._wait(call, PATIENCE)
        token, error = call.outcome()
        if token is None and error is None:
            return self._cached_tokens.give_up_waiting(entry)
        return self._cached_tokens.outcome(request, token, error, again=False) or entry

    async def _wait(self, call: _Call, seconds: float) -> None:
        """Wait for a call, but leave it to the others when this caller is cancelled; the last one cancels it."""
        call.waiters += 1
        try:
            await async_library().wait({call.task}, timeout=seconds)
        finally:
            call.waiters -= 1
            if call.waiters == 0 and not call.background and not call.task.done():
                self._give_up(call)

    def _in_background(self, request: TokenRequest) -> _Call:
        return self._call(request, Deadline(self._timeout))

    def _call(self, request: TokenRequest, deadline: Deadline) -> _Call:
        loop = async_library().get_running_loop()
        key = (id(loop), request.key, request.claims)
        call = self._calls.get(key)
        # A loop that was closed with a call under way leaves it behind, and its id may come back.
        if call is None or call.task.get_loop() is not loop or call.task.done() or call.deadline.over:
            call = self._calls[key] = _Call(key, deadline)
            call.task = loop.create_task(self._run(request, call))
            call.task.add_done_callback(partial(self._forget, call))
            alarm = loop.call_later(deadline.remaining(), self._give_up, call)
            call.task.add_done_callback(lambda _: alarm.cancel())
        return call

    def _give_up(self, call: _Call) -> None:
        self._forget(call)
        call.cancel()

    def _forget(self, call: _Call, _task: object = None) -> None:
        if self._calls.get(call.key) is call:
            del self._calls[call.key]

    async def _run(self, request: TokenRequest, call: _Call) -> Outcome:
        began = self._cached_tokens.clock()
        call.deadline.adopt()
        try:
            return await self._acquire(request), None
        except Exception as error:  # noqa: BLE001 - it is raised in every caller that waits
            failure = error
        except async_library().CancelledError as error:
            if not call.deadline.over or self._closed:
                self._cached_tokens.call_abandoned(request)
                if call.cancelled:
                    raise
                # The event loop ends, or a source or signer raised it by itself.
                failure = RuntimeError("a source, signer or transport was cancelled")
                failure.__cause__ = error
                return None, failure
            failure = call.deadline.error()
        except BaseException:
            self._cached_tokens.call_abandoned(request)
            raise
        self._cached_tokens.call_failed(request, failure, began=began)
        return None, failure
