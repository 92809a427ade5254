"""The names of asyncio that the asynchronous credential uses, for trio.

Single flight and the refresh in the background outlive the caller that begins them, so no nursery of a caller can hold
them. They are system tasks, which trio cancels when its main task ends.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable
from contextvars import copy_context
from typing import Any, Generic, TypeVar

import trio
from trio import Cancelled as CancelledError
from trio import Lock

__all__ = ["CancelledError", "Lock", "current_task", "ensure_future", "gather", "get_running_loop", "wait"]

T = TypeVar("T")


class TrioFuture(Generic[T]):
    """Holds a result or an error as soon as there is one."""

    def __init__(self) -> None:
        self._ended = trio.Event()
        self._result: T
        self._error: BaseException | None = None

    def __await__(self) -> Generator[Any, Any, T]:
        yield from self._ended.wait().__await__()
        return self.result()

    def done(self) -> bool:
        """Whether it has ended."""
        return self._ended.is_set()

    def cancelled(self) -> bool:
        """Whether it has ended without a result or an error."""
        return self.done() and self._error is None and not hasattr(self, "_result")

    def result(self) -> T:
        """Return the result, or raise the error."""
        if self._error is not None:
            raise self._error
        return self._result

    def set_result(self, result: T) -> None:
        """End with a result."""
        self._result = result
        self._ended.set()

    def set_exception(self, error: BaseException) -> None:
        """End with an error."""
        self._error = error
        self._ended.set()

    async def wait(self, seconds: float) -> None:
        """Return when it has ended, or after so many seconds."""
        with trio.move_on_after(seconds):
            await self._ended.wait()


class TrioTask(TrioFuture[T]):
    """A coroutine that runs in a system task, in a copy of the caller's context.

    :param loop: the run of trio that it belongs to.
    :param coroutine: what runs.
    """

    def __init__(self, loop: TrioLoop, coroutine: Coroutine[Any, Any, T]) -> None:
        super().__init__()
        self._loop = loop
        self._scope = trio.CancelScope()
        self._callbacks: list[Callable[[TrioTask[T]], object]] = []
        task = trio.lowlevel.spawn_system_task(self._run, coroutine, name=coroutine, context=copy_context())
        self._loop.tasks[task] = self

    def get_loop(self) -> TrioLoop:
        """Return the run of trio that the task belongs to."""
        return self._loop

    def cancel(self) -> None:
        """Have :class:`trio.Cancelled` raised in the coroutine."""
        self._scope.cancel()

    def add_done_callback(self, callback: Callable[[TrioTask[T]], object]) -> None:
        """Call a function with this task when it ends."""
        self._callbacks.append(callback)

    async def _run(self, coroutine: Coroutine[Any, Any, T]) -> None:
        try:
            with self._scope:
                self._result = await coroutine
        except CancelledError:  # trio's main task has ended
            raise
        except BaseException as error:  # noqa: BLE001 - raised in those who wait; a system task's would end the program
            self._error = error
        finally:
            del self._loop.tasks[trio.lowlevel.current_task()]
            self._ended.set()
            for callback in self._callbacks:
                callback(self)


class TrioLoop:
    """What an event loop is to asyncio: one call of :func:`trio.run`.

    :ivar tasks: those that were started here and run.
    """

    def __init__(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        self.tasks: dict[trio.lowlevel.Task, TrioTask[Any]] = {}

    def is_closed(self) -> bool:
        """Whether the run has ended."""
        try:
            self._token.run_sync_soon(int, idempotent=True)
        except trio.RunFinishedError:
            return True
        return False

    def create_task(self, coroutine: Coroutine[Any, Any, T]) -> TrioTask[T]:
        """Run a coroutine beside the caller."""
        return TrioTask(self, coroutine)

    def call_later(self, seconds: float, function: Callable[..., object], *arguments: Any) -> TrioTask[None]:
        """Call a function in so many seconds, unless the task is cancelled before."""

        async def later() -> None:
            await trio.sleep(seconds)
            function(*arguments)

        return self.create_task(later())

    @staticmethod
    def create_future() -> TrioFuture[Any]:
        """Return a future without a result."""
        return TrioFuture()

    def call_soon_threadsafe(self, function: Callable[..., object]) -> None:
        """Call a function in trio's thread.

        :raises trio.RunFinishedError: the run has ended; a ``RuntimeError``, like asyncio's.
        """
        self._token.run_sync_soon(function)


_loop: trio.lowlevel.RunVar[TrioLoop] = trio.lowlevel.RunVar("azure_certvar_credential")


def get_running_loop() -> TrioLoop:
    """Return the run of trio that the caller belongs to."""
    try:
        return _loop.get()
    except LookupError:
        loop = TrioLoop()
        _loop.set(loop)
        return loop


def current_task() -> TrioTask[Any] | trio.lowlevel.Task:
    """Return the task that runs; one that was started here as it was returned."""
    task = trio.lowlevel.current_task()
    return get_running_loop().tasks.get(task, task)


def ensure_future(work: Awaitable[T]) -> TrioTask[T]:
    """Await something beside the caller."""

    async def awaited() -> T:
        return await work

    return get_running_loop().create_task(awaited())


async def wait(tasks: Iterable[TrioTask[Any]], timeout: float = math.inf) -> None:  # noqa: ASYNC109 - asyncio's name
    """Return when all tasks have ended, or after so many seconds."""
    with trio.move_on_after(timeout):
        for task in tasks:
            await task.wait(math.inf)


async def gather(*tasks: TrioTask[Any], return_exceptions: bool) -> None:  # noqa: ARG001 - they stay in the tasks
    """Return when all tasks have ended."""
    await wait(tasks)
