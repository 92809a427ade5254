"""Empties the frames behind an exception.

Error reporters show the variables of every frame that an exception has passed through. In this package they hold what
nobody may read: the text of a private key, a password, an assertion, a token. Files, lines and functions of the
traceback stay; what the variables held goes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import wraps
from typing import ParamSpec, TypeVar

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
        members = getattr(one, "exceptions", ())  # of an ExceptionGroup, which Python 3.10 does not have
        waiting += [one.__cause__, one.__context__]
        waiting += [member for member in members if isinstance(member, BaseException)]


def cleared(error: E) -> E:
    """Return an error whose frames, and those of the errors that it came from, hold no variables any more.

    To be called outside of the ``except`` block. A frame that is still running, the caller's above all, cannot be
    emptied: it has to delete what it must not show.
    """
    import traceback  # for errors alone

    for one in linked(error):
        traceback.clear_frames(one.__traceback__)
    return error


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
        try:
            raise cleared(failure)
        finally:
            del failure  # or frame and exception would keep each other alive

    return call
