"""Work in a thread that callers wait for until a deadline: a thread that hangs cannot be interrupted, only left."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, cast

from azure_certvar_credential._transport.deadline import NEVER, Deadline, deadline
from azure_certvar_credential._transport.threads import Worker

T = TypeVar("T")


class Call:
    """One acquisition under way. Without an outcome when it is done, it was never begun.

    :param deadline: when it ends, whatever has come of it.
    :ivar leader: the thread that makes it; None before and after.
    """

    __slots__ = ("deadline", "done", "error", "leader", "result")

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self.done = threading.Event()
        self.result: Any = None
        self.error: BaseException | None = None
        self.leader: int | None = None

    def run(
        self, function: Callable[..., Any], *arguments: object, caught: type[BaseException] = BaseException
    ) -> None:
        """Call a function in this thread, and note what it returns or raises.

        :param caught: what is noted, and raised again in every caller that waits; others leave this method.
        """
        self.leader = threading.get_ident()
        result, error = None, None
        with self.deadline.applied():
            try:
                result = function(*arguments)
            except caught as raised:
                error = raised
        self.finish(result, error)
        del result, error  # the traceback holds this frame

    def finish(self, result: Any, error: BaseException | None) -> None:
        """Note the outcome, unless there is one: the call may have been given up at its deadline."""
        if not self.done.is_set():
            self.result, self.error = result, error
            # Before the callers go on: from now on they do not wait for this thread any more.
            self.leader = None
            self.done.set()

    def wait(self, seconds: float) -> bool:
        """Wait for the outcome; return whether there is one.

        :raises RuntimeError: the call waits for this very thread, through any number of other calls.
        """
        most = min(seconds, self.deadline.remaining(), threading.TIMEOUT_MAX)
        if deadline() is NEVER:  # nobody waits for a thread that makes no call itself
            return self.done.wait(most)
        # For credentials that wait for others.
        from azure_certvar_credential._runtime.deadlock import waiting

        with waiting(threading.get_ident(), self):
            return self.done.wait(most)


def here(run: Callable[..., None], *arguments: object, owner: object, deadline: Deadline) -> None:  # noqa: ARG001
    """Run a call in its caller's own thread, for work that is bounded by time-outs of its own.

    What is no ``Exception`` concerns that thread, and no other that waits for the call.
    """
    run(*arguments, caught=Exception)


def in_background(function: Callable[..., object], *arguments: object, owner: object, deadline: Deadline) -> None:
    """Call a function in a daemon thread.

    :param owner: whose threads are counted together.
    :param deadline: until when somebody waits.
    :raises AcquisitionTimeoutError: too many threads of the owner have been left.
    :raises RuntimeError: no thread can be started.
    """
    work = partial(contextvars.copy_context().run, function, *arguments)
    Worker(work, owner=owner, deadline=deadline, name="certvar-background").start()


def in_thread_or_here(function: Callable[..., object], *arguments: object, owner: object, deadline: Deadline) -> None:
    """Call a function in a daemon thread; in this one if none can be started, as while the interpreter shuts down."""
    try:
        in_background(function, *arguments, owner=owner, deadline=deadline)
    except RuntimeError:
        function(*arguments)


def within(seconds: float, function: Callable[..., T], *arguments: object) -> T:
    """Call a function in another thread and return what it returns, or raise what it raises.

    :raises AcquisitionTimeoutError: it takes longer than so many seconds, or too many have done so.
    """
    call = Call(Deadline(seconds))
    owner = getattr(function, "__self__", function)
    in_thread_or_here(call.run, function, *arguments, owner=owner, deadline=call.deadline)
    if not call.wait(seconds):
        raise call.deadline.error()
    if call.error is not None:
        raise call.error
    return cast("T", call.result)
