"""Finds credentials that wait for each other: each gets its token with the next one, and the last with the first."""

from __future__ import annotations

from collections.abc import Generator, Hashable
from contextlib import contextmanager
from typing import Protocol

from azure_certvar_credential._runtime.fork import tell_after_fork


class Led(Protocol):
    """A call of single flight.

    :ivar leader: the thread or task that makes it; None until there is one.
    """

    @property
    def leader(self) -> Hashable | None: ...


class _Waits:
    """Which thread or task waits for which call at this moment, over all credentials of the process."""

    def __init__(self) -> None:
        self.calls: dict[Hashable, Led] = {}

    def after_fork(self) -> None:
        """Forget the parent's threads, whose identifiers come back in this process."""
        self.calls = {}


_waits = _Waits()
tell_after_fork(_waits)


@contextmanager
def waiting(me: Hashable, call: Led) -> Generator[None]:
    """Note for the time of the block that a thread or task waits for a call.

    :param me: the thread or task that waits.
    :raises RuntimeError: the call waits for this very thread or task, through any number of others.
    """
    # Written before it is read: of two that close a circle in the same moment, at least one sees the other.
    before = _waits.calls.get(me)
    _waits.calls[me] = call
    try:
        leader = call.leader
        if leader == me or leader in _waits.calls:
            _refuse_circle(me, call)
        yield
    finally:
        if before is None:
            _waits.calls.pop(me, None)
        else:
            _waits.calls[me] = before


def _refuse_circle(me: Hashable, call: Led) -> None:
    seen: set[int] = set()
    behind: Led | None = call
    while behind is not None and id(behind) not in seen:  # others may stand in a circle that this one only leads to
        seen.add(id(behind))
        leader = behind.leader
        if leader == me:
            raise RuntimeError(
                "this credential is asked for a token by the very code that it is getting that token with: "
                "a source, signer, cache, hook or log handler must not use the credential that calls it"
                + (", not even through another credential" if behind is not call else "")
            )
        behind = None if leader is None else _waits.calls.get(leader)
