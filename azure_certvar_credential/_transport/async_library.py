"""Tells which library runs the caller, asyncio or trio, which azure-core has a transport for; and waits with either."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from azure_certvar_credential._transport.deadline import Deadline
from azure_certvar_credential.exceptions import ConfigurationError

if TYPE_CHECKING:
    from azure_certvar_credential._transport.trio_loop import TrioLoop, TrioTask

T = TypeVar("T")

# Unquoted, they would import trio.
Loop: TypeAlias = "asyncio.AbstractEventLoop | TrioLoop"
Task: TypeAlias = "asyncio.Task[T] | TrioTask[T]"


def async_library() -> Any:
    """Return the module asyncio, or the one with the same names for trio when trio runs the caller."""
    if "trio" in sys.modules:
        # sniffio, which comes with trio, tells the two apart also where one runs inside the other.
        from sniffio import AsyncLibraryNotFoundError, current_async_library

        try:
            current = current_async_library()
        except AsyncLibraryNotFoundError:  # a callback of an asyncio loop, or no loop at all
            return asyncio
        if current == "trio":
            from azure_certvar_credential._transport import trio_loop

            return trio_loop
    return asyncio


def refuse_aiohttp_under_trio() -> None:
    """Raise :class:`ConfigurationError` where aiohttp, the transport that is made if none is given, does not run."""
    if async_library() is not asyncio:
        raise ConfigurationError(
            "aiohttp does not run under trio: pass azure-core's TrioRequestsTransport as transport="
        )


async def within(seconds: float, work: Awaitable[T]) -> T:
    """Await some work and return its result.

    :raises AcquisitionTimeoutError: it takes longer than so many seconds; it is cancelled then.
    :raises RuntimeError: it was cancelled by something else, which is no reason to cancel its caller.
    """
    return await until(Deadline(seconds), work)


async def until(deadline: Deadline, work: Awaitable[T]) -> T:
    """Await some work until a deadline, and return its result.

    :raises AcquisitionTimeoutError: it takes longer; it is cancelled then.
    :raises RuntimeError: it was cancelled by something else, which is no reason to cancel its caller.
    """
    with deadline.applied():
        task: Task[T] = async_library().ensure_future(work)
    try:
        await async_library().wait({task}, timeout=deadline.remaining())
        if not task.done():
            raise deadline.error()
        if task.cancelled():
            raise RuntimeError("the call was cancelled")
        return await task
    finally:
        task.cancel()
