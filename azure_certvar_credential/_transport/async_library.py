"""Tells which library runs the caller: asyncio, or trio, which azure-core has a transport for."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

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
