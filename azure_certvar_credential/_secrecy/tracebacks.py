"""Empties the frames behind an exception.

Error reporters show the variables of every frame that an exception has passed through. In this package they hold what
nobody may read: the text of a private key, a password, an assertion, a token. Files, lines and functions of the
traceback stay; what the variables held goes.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Iterator
from functools import wraps
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR, CO_ITERABLE_COROUTINE
from types import FrameType, TracebackType
from typing import Any, ParamSpec, TypeVar

_SUSPENDS = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR | CO_ITERABLE_COROUTINE
# Python 3.10 has no groups.
_GROUPS: Any = getattr(builtins, "BaseExceptionGroup", ())

E = TypeVar("E", bound=BaseException)
P = ParamSpec("P")
R = TypeVar("R")


def linked(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and every one that a traceback shows with it: causes, contexts, and the members of a group.

    What the caller is handling at this moment is left out: it came before, and is none of this package's.
    """
    waiting: list[BaseException | None] = [error]
    seen = {id(None), id(sys.exc_info()[1])}
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__]
        if isinstance(one, _GROUPS):
            waiting += one.exceptions


def cleared(error: E) -> E:
    """Return an error whose frames, and those of the errors that it came from, hold no variables any more.

    To be called outside of the ``except`` block. A function that is still running, the caller's above all, keeps its
    variables: it has to delete what it must not show.
    """
    for one in linked(error):
        one.__traceback__ = _emptied(one.__traceback__)
    return error


def _emptied(traceback: TracebackType | None) -> TracebackType | None:
    """Return a traceback without the variables of its frames, and without the frames that cannot be emptied."""
    kept: list[TracebackType] = []
    while traceback is not None:
        if _empty(traceback.tb_frame):
            kept.append(traceback)
        traceback = traceback.tb_next
    first: TracebackType | None = None
    for entry in reversed(kept):
        entry.tb_next, first = first, entry
    return first


def _empty(frame: FrameType) -> bool:
    """Empty a frame; return whether its line may stay in the traceback.

    A coroutine or generator that has raised an error may go on all the same: it handed the error to somebody else, or
    handled it while it was shared. Before Python 3.13 clearing its frame would end it, wherever it waits, so such a
    frame is left alone and its line is taken out; from 3.13 on only if it has not ended.
    """
    suspends = bool(frame.f_code.co_flags & _SUSPENDS)
    if suspends and sys.version_info < (3, 13):
        return False
    try:
        frame.clear()
    except RuntimeError:  # it is running, or waits
        return not suspends
    return True


def clears_frames(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function whose arguments are secret: whatever it raises shows neither them nor what was made of them.

    It is for functions that a user calls; inside of them nobody has to think of it again.
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001 - raised again below
            failure = error
        del args, kwargs
        failure = cleared(failure)
        # Without the line of the call above, which the one below would repeat.
        failure.__traceback__ = failure.__traceback__ and failure.__traceback__.tb_next
        try:
            raise failure
        finally:
            del failure  # or frame and exception would keep each other alive

    return call
