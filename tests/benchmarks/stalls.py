"""The longest stalls of an event loop, measured in a process of its own.

``python -m tests.benchmarks.stalls ours|theirs fresh|imported``: a task sleeps for a millisecond again and again; what
it oversleeps is what nobody else on the loop could do either. The class is imported before the loop starts, as an
application does. ``imported`` has aiohttp there too, as in a process that uses any asynchronous Azure client.
"""

from __future__ import annotations

import asyncio
import json
import sys
from importlib import import_module
from time import perf_counter
from typing import cast

from tests.benchmarks.contestants import SCOPE, Who, async_credential, async_credential_class

TICK = 0.001
LATER = 20


class Ticker:
    """Watches the running loop.

    :ivar longest: seconds; since the last :meth:`lap`.
    """

    def __init__(self) -> None:
        self.longest = 0.0

    async def watch(self) -> None:
        while True:
            start = perf_counter()
            await asyncio.sleep(TICK)
            self.longest = max(self.longest, perf_counter() - start - TICK)

    async def lap(self) -> float:
        """Return the longest stall since the last lap."""
        await asyncio.sleep(5 * TICK)  # so that a stall that is just over is noticed
        longest, self.longest = self.longest, 0.0
        return longest


async def stalls(who: Who) -> dict[str, float]:
    """Return the longest stall in seconds while building, for the first token, and for later ones."""
    ticker = Ticker()
    watching = asyncio.create_task(ticker.watch())
    await asyncio.sleep(0.1)  # the process has settled
    idle = await ticker.lap()
    async with async_credential(who) as shared:
        build = await ticker.lap()
        await shared.get_token(SCOPE)
        first = await ticker.lap()
        for number in range(LATER):
            await shared.get_token(f"https://storage{number}.azure.com/.default")
        later = await ticker.lap()
    watching.cancel()
    return {"idle": idle, "build": build, "first": first, "later": later}


if __name__ == "__main__":
    contestant = cast("Who", sys.argv[1])
    async_credential_class(contestant)
    if sys.argv[2] == "imported":
        import_module("aiohttp")
        import_module("azure.core.pipeline.transport").AioHttpTransport  # noqa: B018 - imported when first named
    print(json.dumps(asyncio.run(stalls(contestant))))
