"""Runs what takes long in a daemon thread of its own, awaited from an event loop.

Not in the loop's default executor: an application may have filled that with work that waits for this very token, and
``asyncio.run`` joins its threads at the end, so a call that hangs would hold up the exit.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from azure_certvar_credential._transport.async_library import async_library
from azure_certvar_credential._transport.deadline import deadline
from azure_certvar_credential._transport.threads import Worker


async def in_thread(function: Callable[..., Any], *arguments: Any, owner: object = None) -> Any:
    """Call a function in a thread and return what it returns, or raise what it raises.

    A caller that is cancelled leaves the thread to end by itself.

    :param owner: whose threads are counted together; by default the object of a method, or the function.
    :raises AcquisitionTimeoutError: too many threads of the owner have been left.
    """
    loop = async_library().get_running_loop()
    future = loop.create_future()
    context = contextvars.copy_context()

    result: Any = None
    error: BaseException | None = None

    # Without parameters: asyncio's debug mode logs them, and a result may be a private key.
    def deliver() -> None:
        if future.cancelled():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    def work() -> None:
        nonlocal result, error
        try:
            result = context.run(function, *arguments)
        except StopIteration as stop:  # which a future cannot carry
            error = RuntimeError("StopIteration was raised")
            error.__cause__ = stop
        except BaseException as raised:  # noqa: BLE001 - raised again in the caller
            # Without this frame, which may still run, and so keep its variables, when the caller empties the others.
            error = raised.with_traceback(raised.__traceback__ and raised.__traceback__.tb_next)
        with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
            loop.call_soon_threadsafe(deliver)

    owner = getattr(function, "__self__", function) if owner is None else owner
    worker = Worker(work, owner=owner, deadline=deadline(), name="certvar-work")
    worker.start()
    try:
        return await future
    finally:
        worker.abandoned = future.cancelled() or not future.done()
        result = error = None  # neither kept alive by this frame nor shown with it
