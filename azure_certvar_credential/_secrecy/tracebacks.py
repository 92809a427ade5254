"""Clears the frames of an exception's traceback.

Error reporters show the variables of every frame that an exception has passed through. In this package they hold
secrets: the text of a private key, a password, an assertion, a token. The traceback keeps its files, lines and
functions; the values of the variables go.
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
    """Yield an error and every error that its traceback shows: causes, contexts, and the members of a group.

    The exception that the caller is handling at this moment is left out: it came first, and belongs to the caller.
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
    """Return an error after clearing its frames and those of the errors that led to it.

    Call it outside the ``except`` block. A function that is still running, above all the caller, keeps its variables
    and has to delete those that are secret.
    """
    for one in linked(error):
        one.__traceback__ = _emptied(one.__traceback__)
    return error


def _emptied(traceback: TracebackType | None) -> TracebackType | None:
    """Return a traceback whose frames are cleared, without the frames that cannot be cleared."""
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
    """Clear a frame; return whether its line may stay in the traceback.

    A coroutine or generator that has raised an error may still be running: it passed the error on as a value, or
    handled a shared error. Before Python 3.13, clearing its frame would end it, wherever it waits; so the frame is left
    alone and its line leaves the traceback. From 3.13 on this concerns only frames that have not ended.
    """
    suspends = bool(frame.f_code.co_flags & _SUSPENDS)
    if suspends and sys.version_info < (3, 13):
        return False
    try:
        frame.clear()
    except RuntimeError:  # it is running or suspended
        return not suspends
    return True


def clears_frames(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function with secret arguments: what it raises shows neither them nor values computed from them.

    It is meant for the functions that users call; it covers everything that these call in turn.
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001 - raised again below
            failure = error
        del args, kwargs
        failure = cleared(failure)
        # Drop the line of the call above: the raise below repeats it.
        failure.__traceback__ = failure.__traceback__ and failure.__traceback__.tb_next
        try:
            raise failure
        finally:
            del failure  # else frame and exception keep each other alive

    return call
