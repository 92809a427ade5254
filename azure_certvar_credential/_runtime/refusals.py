"""Requests that a server asked not to repeat before a time, with its answer."""

from __future__ import annotations

from collections.abc import Hashable

from azure_certvar_credential._runtime.shared_errors import noted, own_copy
from azure_certvar_credential._values import Value
from azure_certvar_credential.exceptions import AuthenticationError

# The most pauses remembered. A server that is asked all the same repeats its answer.
MAX_REFUSALS = 1000


class _Refusal(Value):
    """A server's request to be left alone.

    :ivar noted_on: when it was made, in seconds since the epoch.
    :ivar until: until when it holds, likewise.
    :ivar error: the answer.
    """

    noted_on: float
    until: float
    error: AuthenticationError


class Refusals:
    """The refusals that still hold, by request; their owner lets one thread at a time change them."""

    __slots__ = ("_refusals",)

    def __init__(self) -> None:
        self._refusals: dict[Hashable, _Refusal] = {}

    def check(self, key: Hashable, now: float) -> None:
        """Raise the server's answer again if its pause is not over.

        :raises AuthenticationError: the answer, with what is left of the pause.
        """
        refusal = self._refusals.get(key)
        # A refusal from the future was noted before the clock was set back.
        if refusal is not None and refusal.noted_on <= now < refusal.until:
            raise own_copy(refusal.error, retry_after=refusal.until - now)

    def note(self, key: Hashable, error: AuthenticationError, now: float) -> None:
        """Note an answer with ``retry_after``, and drop those whose pause is over."""
        refusal = _Refusal(now, now + (error.retry_after or 0.0), noted(error))
        for old in [old for old, other in self._refusals.items() if not other.noted_on <= now < other.until]:
            del self._refusals[old]
        if len(self._refusals) < MAX_REFUSALS:
            self._refusals[key] = refusal

    def forget(self, key: Hashable) -> None:
        """Forget the refusal of a request that has succeeded since."""
        self._refusals.pop(key, None)
