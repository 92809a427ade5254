"""What belongs to one event loop each, such as connections and asyncio's locks."""

from __future__ import annotations

from typing import Generic, TypeVar
from weakref import ref

from azure_certvar_credential._transport.async_library import Loop

T = TypeVar("T")


class PerLoop(Generic[T]):
    """A value for each event loop, let go of when the loop has ended.

    Loops run in several threads. Nothing here needs a lock: each step is one operation on a dictionary, or works on a
    copy of its keys. Those are references to loops, of which one to a loop that is gone equals no other.
    """

    __slots__ = ("_values",)

    def __init__(self) -> None:
        self._values: dict[ref[Loop], T] = {}

    def get(self, loop: Loop) -> T | None:
        """Return the value of a loop, or None."""
        return self._values.get(ref(loop))

    def put(self, loop: Loop, value: T) -> T:
        """Keep a value for a loop and return it. Values of loops that have ended go: they may refer to their loop."""
        for key in list(self._values):
            other = key()
            if other is None or other.is_closed():
                self._values.pop(key, None)
        self._values[ref(loop)] = value
        return value

    def pop(self, loop: Loop) -> None:
        """Let go of the value of a loop, if there is one."""
        self._values.pop(ref(loop), None)

    def __len__(self) -> int:
        return len(self._values)

    def values(self) -> list[T]:
        """Return all values."""
        return list(self._values.values())
