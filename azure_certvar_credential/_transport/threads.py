"""Daemon threads for work that may hang, a bounded number for each owner.

Code that hangs, such as a source or a look-up of a name, cannot be interrupted; its thread is left behind and ends when
the code does. A caller that asks again and again must not leave one more each time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from math import inf
from typing import TypeVar

from azure_certvar_credential._transport.deadline import Deadline, deadline
from azure_certvar_credential.exceptions import AcquisitionTimeoutError

T = TypeVar("T")

# Of one owner: with so many threads left behind, it gets no more until one of them ends.
MOST_LEFT = 8


class Worker(threading.Thread):
    """A daemon thread, which ends with the process and does not delay its exit.

    :param work: runs in the thread.
    :param owner: whose threads are counted together.
    :param deadline: until when somebody waits for the work.
    :param name: the thread's name.
    :ivar abandoned: whether those who waited have left before the deadline.
    """

    def __init__(self, work: Callable[[], object], *, owner: object, deadline: Deadline, name: str) -> None:
        super().__init__(target=work, name=name, daemon=True)
        self._owner = owner
        self._deadline = deadline
        self.abandoned = False

    def start(self) -> None:
        """Start the thread.

        :raises AcquisitionTimeoutError: too many threads of the owner have been left behind.
        :raises RuntimeError: no thread can be started.
        """
        left = [one for one in threading.enumerate() if isinstance(one, Worker) and one.is_left_by(self._owner)]
        if len(left) >= MOST_LEFT:
            raise left[0].error(len(left))
        super().start()

    def is_left_by(self, owner: object) -> bool:
        """Return whether this is a thread of an owner that nobody waits for any more."""
        return self._owner is owner and (self.abandoned or self._deadline.over)

    def error(self, left: int) -> AcquisitionTimeoutError:
        """Return the error of this thread's deadline, for one that is not started.

        :param left: how many threads have been left behind.
        """
        words, value = self._deadline.waits_for
        hangs = f"{{}}, as {left} threads still do, so that no other is started"
        return self._deadline.error((hangs, words.format(value)))


def until_deadline(work: Callable[[], T], *, owner: object) -> T:
    """Do what cannot be interrupted, and wait for it no longer than until the deadline.

    It is done in this thread if that is a :class:`Worker`, which may be left behind, or if there is no deadline.

    :param owner: whose threads are counted together.
    :raises AcquisitionTimeoutError: the deadline has passed, or too many threads of the owner have been left behind.
    """
    current, outcomes, failures = deadline(), list[T](), list[Exception]()
    if current.remaining() == inf or isinstance(threading.current_thread(), Worker):
        return work()

    def note() -> None:
        try:
            outcomes.append(work())
        except Exception as error:  # noqa: BLE001 - raised again in the thread that waits
            failures.append(error)
        done.set()

    done = threading.Event()
    Worker(note, owner=owner, deadline=current, name="certvar-lookup").start()
    if not done.wait(min(current.remaining(), threading.TIMEOUT_MAX)):
        raise current.error()
    if failures:
        raise failures[0]
    return outcomes[0]
