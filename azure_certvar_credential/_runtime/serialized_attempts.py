"""One attempt at a time, for what many callers need at once and what has no key of its own to be flown under."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from azure_certvar_credential._runtime.failures import noted, own_copy
from azure_certvar_credential._runtime.turn import Turn
from azure_certvar_credential.exceptions import AcquisitionTimeoutError


class SerializedAttempts:
    """Attempts that are made one after the other; a caller who waited for one that failed does not make it again.

    Otherwise the last of fifty callers would wait for fifty failures.

    :ivar number: how many attempts have ended; to be read before waiting for the lock.
    """

    __slots__ = ("__weakref__", "_failure", "_turn", "number")

    def __init__(self) -> None:
        self._turn = Turn()
        self.number = 0
        self._failure: Exception | None = None

    @property
    def lock(self) -> AbstractContextManager[None]:
        """For threads, to be held around :meth:`attempt`; asyncio has its own."""
        return self._turn.taken()

    def after_fork(self) -> None:
        """Forget who was making an attempt: that thread is not in this process."""
        self._turn.after_fork()

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
        except AcquisitionTimeoutError:
            raise  # this caller's time was over, which says nothing of the others'
        except Exception as error:
            self._failure = noted(error)
            raise
        finally:
            self.number += 1
