"""One attempt at a time, for what many callers need at once and what has no key of its own to be flown under."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from azure_certvar_credential._runtime.shared_errors import noted, own_copy


class SerializedAttempts:
    """Attempts that are made one after the other; whoever waited for one that failed does not make it again.

    Otherwise the last of fifty callers would wait for fifty timeouts.

    :ivar lock: for threads, to be held around :meth:`attempt`; asyncio has its own.
    :ivar number: how many attempts have ended; to be read before waiting for the lock.
    """

    __slots__ = ("__weakref__", "_failure", "lock", "number")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.number = 0
        self._failure: Exception | None = None

    @contextmanager
    def attempt(self, seen: int) -> Iterator[None]:
        """Make an attempt in the block, unless one that was waited for has failed.

        :param seen: the number of attempts that had ended before the wait.
        :raises Exception: the failure of that attempt, in a copy of the caller's own.
        """
        if self.number != seen and self._failure is not None:
            raise own_copy(self._failure)
        self._failure = None
        try:
            yield
        except Exception as error:
            self._failure = noted(error)
            raise
        finally:
            self.number += 1

    def after_fork(self) -> None:
        """Forget who was making an attempt: that thread is not in this process."""
        self.lock = threading.Lock()
