"""Clients of both kinds in one text: a test awaits what a client returns, whichever credential it has."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.clients.scene import Scene
from tests.clients.table import TABLE


@dataclass
class Player:
    """Runs the lines of the table.

    :ivar kind: ``sync`` or ``aio``: the credential of the lines.
    :ivar credential: the credential of the line that ran last.
    """

    scene: Scene
    kind: str
    credential: Any = None

    @asynccontextmanager
    async def client(
        self,
        name: str,
        options: dict[str, Any] | None = None,
        *,
        before: Callable[[Any], Awaitable[None]] | None = None,
        **names: Any,
    ) -> AsyncIterator[Any]:
        """Run a client's line, and close what it made in the end.

        :param name: the client, as in the table.
        :param options: more keyword arguments for the line's first call; None for ``connection_verify``.
        :param before: gets the credential before the line runs.
        :param names: the variables of the line; ``credential`` is there already.
        """
        options = {"connection_verify": self.scene.ca_file} if options is None else options
        async with AsyncExitStack() as stack:
            self.credential = await stack.enter_async_context(self.scene.credential(self.kind))
            if before is not None:
                await before(self.credential)
            made = await settled(TABLE[name].run(self.kind, options, {"credential": self.credential, **names}))
            await enter(stack, made)
            yield made


async def enter(stack: AsyncExitStack, manager: Any) -> Any:
    """Enter a context manager of either kind, or nothing at all."""
    if hasattr(manager, "__aenter__"):
        return await stack.enter_async_context(manager)
    return stack.enter_context(manager) if hasattr(manager, "__enter__") else manager


async def settled(value: Any) -> Any:
    """A value: that of a coroutine, the list of what an iterator yields, or itself."""
    if inspect.isawaitable(value):
        value = await value
    if hasattr(value, "__anext__"):
        return [item async for item in value]
    return list(value) if hasattr(value, "__next__") else value
