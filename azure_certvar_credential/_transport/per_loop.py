"""What belongs to one event loop each, such as connections and asyncio's locks."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar
from weakref import ref

T = TypeVar("T")


class PerLoop(Generic[T]):
    """A value for each event loop, let go of when the loop has ended.

    Loops run in several threads. Nothing here needs a lock, because each step is one operation on a dictionary whose
    keys are numbers, or works on a copy of it.
    """

    __slots__ = ("_values",)

    def __init__(self) -> None:
        self._values: dict[int, tuple[ref[asyncio.AbstractEventLoop], T]] = {}

    def get(self, loop: asyncio.AbstractEventLoop) -> T | None:
        """Return the value of a loop, or None."""
        of, value = self._values.get(id(loop), (None, None))
        # An ended loop's number may have come back.
        return value if of is not None and of() is loop else None

    def put(self, loop: asyncio.AbstractEventLoop, value: T) -> T:
        """Keep a value for a loop and return it. Values of loops that have ended go: they may refer to their loop."""
        for number, (of, _) in list(self._values.items()):
            other = of()
            if other is None or other.is_closed():
                self._values.pop(number, None)
        self._values[id(loop)] = (ref(loop), value)
        return value

    def pop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let go of the value of a loop, if there is one."""
        if self.get(loop) is not None:
            self._values.pop(id(loop), None)

    def __len__(self) -> int:
        return len(self._values)

    def values(self) -> list[T]:
        """Return all values."""
        return [value for _, value in list(self._values.values())]
