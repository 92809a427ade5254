"""A lock that a thread which hangs cannot keep: one turn ends at the deadline of its holder."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from azure_certvar_credential._transport.deadline import Deadline, deadline


class Turn:
    """Lets one thread at a time run a block; usable from any thread."""

    def __init__(self) -> None:
        self.after_fork()

    def after_fork(self) -> None:
        """Start afresh in a child process: the thread whose turn it is, is not there."""
        self._changed = threading.Condition()
        self._holder: Deadline | None = None

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Run the block when the thread before has ended, or its deadline has passed.

        :raises AcquisitionTimeoutError: this thread's own deadline passes first.
        """
        mine = deadline()
        with self._changed:
            while self._holder is not None and not self._holder.over:
                mine.check()
                self._changed.wait(min(mine.remaining(), self._holder.remaining(), threading.TIMEOUT_MAX))
            # A value of its own: two turns may be taken under one deadline.
            self._holder = turn = Deadline(mine.remaining())
        try:
            yield
        finally:
            with self._changed:
                if self._holder is turn:
                    self._holder = None
                    self._changed.notify_all()
