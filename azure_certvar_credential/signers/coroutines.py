"""Recognises functions whose result must be awaited before they are called."""

from __future__ import annotations

import inspect


def is_coroutine_function(function: object) -> bool:
    """Return whether calling a function, or an object with ``__call__``, returns a coroutine."""
    called = inspect.getattr_static(type(function), "__call__", None)
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called)
