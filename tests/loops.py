"""Every event loop of the tests says goodbye to its connections before it ends, as a server's loop has time to do.

aiohttp closes TLS connections over some turns of the loop after its session is closed (versions before 3.12 do not
wait for that at all, and azure-core's own clients use them so), and ``asyncio.run`` gives them none. What is left are
sockets that the garbage collector finds in the middle of another test. A connection that nobody closes is still found:
the wait ends, and pytest turns its ResourceWarning into an error.
"""

from __future__ import annotations

import asyncio
import threading
from asyncio import base_events
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Far more than a goodbye on loopback takes, even on a busy machine; a connection that nobody closes costs this once.
_MOST_SECONDS = 2.0
_TURN = 0.002

_hasty = threading.local()

_shutdown_asyncgens = base_events.BaseEventLoop.shutdown_asyncgens


@contextmanager
def hasty() -> Iterator[None]:
    """Let loops of this thread end without a goodbye, where the other side is known to take no leave."""
    _hasty.on = True
    try:
        yield
    finally:
        del _hasty.on


async def goodbyes(loop: Any) -> None:
    """Wait until a loop has no connection any more, but for its own, by which threads wake it."""
    ends = loop.time() + _MOST_SECONDS
    while len(loop._selector.get_map()) > 1 and loop.time() < ends:  # noqa: ASYNC110 - no event tells of a goodbye
        await asyncio.sleep(_TURN)


async def _shutdown(loop: base_events.BaseEventLoop) -> None:
    # asyncio.run and pytest-asyncio call this at the end, when all tasks are done and the loop still turns. The
    # credential closes what it opened in a loop here too, if nobody did before.
    await _shutdown_asyncgens(loop)
    if not hasattr(_hasty, "on"):
        await goodbyes(loop)


def install() -> None:
    base_events.BaseEventLoop.shutdown_asyncgens = _shutdown  # type: ignore[method-assign, assignment]
