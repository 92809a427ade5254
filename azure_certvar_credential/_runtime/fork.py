"""Tells credentials that they woke up in a child process (gunicorn's prefork, multiprocessing)."""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet


class Forkable(Protocol):
    """Has something to start afresh after ``os.fork``."""

    def after_fork(self) -> None: ...


_living: WeakSet[Forkable] = WeakSet()


def tell_after_fork(*parts: Forkable) -> None:
    """Call ``after_fork()`` of each part in every child process, for as long as the part lives."""
    for part in parts:
        _living.add(part)


def _in_child() -> None:
    for part in list(_living):
        part.after_fork()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_in_child)
