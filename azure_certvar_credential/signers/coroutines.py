"""Tells functions that have to be awaited from those that do not, before they are called."""

from __future__ import annotations

import inspect


def is_coroutine_function(function: object) -> bool:
    """Say whether calling this returns a coroutine, be it a function or an object that is called."""
    called = inspect.getattr_static(type(function), "__call__", None)
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called)
