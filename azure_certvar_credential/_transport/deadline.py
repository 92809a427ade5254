"""The one deadline of an acquisition, over its connections, retries, pauses, source, signer and metadata.

It travels in a context variable, so that it reaches what lies behind code of others: MSAL, or the source that asks
another credential. Threads and tasks that are started here copy the context.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf
from time import monotonic

from azure_certvar_credential.exceptions import AcquisitionTimeoutError


class Deadline:
    """The moment at which an acquisition ends without a token; never later than the deadline it was made under.

    :param seconds: how long the acquisition may take.
    :ivar waits_for: what the acquisition waits for at this moment: words for the message, and the value in them.
    """

    __slots__ = ("_ends", "seconds", "waits_for")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.waits_for: tuple[str, object] = ("{}", "a thread to start")
        self._ends = monotonic() + min(seconds, deadline().remaining())

    @property
    def over(self) -> bool:
        """Whether the moment has passed."""
        return self.remaining() <= 0

    def remaining(self) -> float:
        """Return the seconds that are left, 0 at least; infinity where there is no deadline."""
        return max(self._ends - monotonic(), 0.0)

    def error(self, waited_for: tuple[str, object] | None = None) -> AcquisitionTimeoutError:
        """Return the error that says what was waited for in vain.

        :param waited_for: what an acquisition waits for that this caller has joined; by default this one's.
        """
        words, value = waited_for or self.waits_for
        return AcquisitionTimeoutError(self.seconds, words.format(value))

    def check(self) -> None:
        """Raise :class:`AcquisitionTimeoutError` if the moment has passed."""
        if self._ends <= monotonic():
            raise self.error()

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Make this the deadline of everything in the block."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    def adopt(self) -> None:
        """Make this the deadline of the rest of a task, whose context is its own."""
        _current.set(self)


class _Never(Deadline):
    """Applies where there is no other."""

    def __init__(self) -> None:
        self.seconds = self._ends = inf
        self.waits_for = "{}", "what has no deadline"


NEVER = _Never()
_current: ContextVar[Deadline] = ContextVar("deadline", default=NEVER)
# Returns the deadline that applies here; one that never comes if there is none.
deadline: Callable[[], Deadline] = _current.get
