"""Signals as callbacks of the running event loop, on every platform."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType

STOPPING = tuple(signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name))
"""The signals that end a server."""


@contextmanager
def delivered(signals: Iterable[signal.Signals], callback: Callable[[signal.Signals], None]) -> Iterator[None]:
    """Have the running event loop call ``callback`` for each signal that arrives; only in the main thread.

    :param signals: the signals, except those that are ignored; their former handlers are back in place at the end.
    :param callback: called in the event loop with the signal.
    """
    loop = asyncio.get_running_loop()

    def handle(number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(callback, signal.Signals(number))

    # A signal that nohup or a shell has had ignored stays so. Not loop.add_signal_handler, which Windows lacks.
    heard = [number for number in signals if signal.getsignal(number) is not signal.SIG_IGN]
    former = {number: signal.signal(number, handle) for number in heard}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


@contextmanager
def stopping() -> Iterator[asyncio.Event]:
    """Yield an event that Ctrl-C sets, or another signal that ends a server."""
    stopped = asyncio.Event()
    with delivered(STOPPING, lambda _: stopped.set()):
        yield stopped
