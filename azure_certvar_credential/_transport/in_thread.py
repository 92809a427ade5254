"""Runs what takes long in a daemon thread of its own, awaited from an event loop.

Not in the loop's default executor: an application may have filled that with work that waits for this very token, and
``asyncio.run`` joins its threads at the end, so a call that hangs would hold up the exit.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any


async def in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a thread and return what it returns, or raise what it raises.

    A caller that is cancelled leaves the thread to end by itself.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()
    context = contextvars.copy_context()

    def deliver(result: Any, error: BaseException | None) -> None:
        if future.cancelled():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    def work() -> None:
        result: Any = None
        error: BaseException | None = None
        try:
            result = context.run(function, *arguments)
        except StopIteration as stop:  # which a future cannot carry
            error = RuntimeError("StopIteration was raised")
            error.__cause__ = stop
        except BaseException as raised:  # noqa: BLE001 - raised again in the caller
            error = raised
        with suppress(RuntimeError):  # the loop has ended, and nobody waits any more
            loop.call_soon_threadsafe(deliver, result, error)

    threading.Thread(target=work, name="certvar-work", daemon=True).start()
    return await future
