"""What is remembered of failed acquisitions: the last one, and the pauses that servers asked for."""

from __future__ import annotations

from collections.abc import Hashable

from azure_certvar_credential._runtime.shared_errors import noted, own_copy
from azure_certvar_credential._secrecy.redaction import redact_error
from azure_certvar_credential._values import Value
from azure_certvar_credential.exceptions import AuthenticationError

# The most pauses remembered. A server that is asked all the same repeats its answer.
MAX_REFUSALS = 1000


class LastFailure(Value):
    """The last acquisition that failed.

    :ivar key: which one it was.
    :ivar failed_on: when it failed, in seconds since the epoch.
    :ivar message: the error's class and message, without anything secret.
    :ivar error_codes: Entra's AADSTS codes, as numbers.
    :ivar hint: cause and remedy; None if none is known.
    """

    key: Hashable
    failed_on: float
    message: str
    error_codes: tuple[int, ...]
    hint: str | None


class _Refusal(Value):
    """A server's request to be left alone.

    :ivar noted_on: when it was made, in seconds since the epoch.
    :ivar until: until when it holds, likewise.
    :ivar error: the answer.
    """

    noted_on: float
    until: float
    error: AuthenticationError


class Failures:
    """The failures of one credential; their owner lets one thread at a time change them.

    :ivar refusals: the pauses that servers asked for, by acquisition.
    :ivar last: the last one; None if there was none, or the same acquisition has succeeded since.
    """

    __slots__ = ("last", "refusals")

    def __init__(self) -> None:
        self.refusals: dict[Hashable, _Refusal] = {}
        self.last: LastFailure | None = None

    def check(self, key: Hashable, now: float) -> None:
        """Raise the server's answer again if its pause is not over.

        :raises AuthenticationError: the answer, with what is left of the pause.
        """
        refusal = self.refusals.get(key)
        # A refusal from the future was noted before the clock was set back.
        if refusal is not None and refusal.noted_on <= now < refusal.until:
            raise own_copy(refusal.error, retry_after=refusal.until - now)

    def note(self, key: Hashable, error: Exception, now: float) -> None:
        """Note a failure, and drop the pauses that are over.

        :param key: of the acquisition.
        :param now: the time in seconds since the epoch.
        """
        answer = error if isinstance(error, AuthenticationError) else None
        codes, hint = ((), None) if answer is None else (tuple(answer.error_codes), answer.hint)
        self.last = LastFailure(key, now, redact_error(error), codes, hint)
        if answer is None or not answer.retry_after:
            return
        for old in [old for old, other in self.refusals.items() if not other.noted_on <= now < other.until]:
            del self.refusals[old]
        if len(self.refusals) < MAX_REFUSALS:
            self.refusals[key] = _Refusal(now, now + answer.retry_after, noted(answer))

    def forget(self, key: Hashable) -> None:
        """Forget the failures of an acquisition that has succeeded since."""
        self.refusals.pop(key, None)
        if self.last is not None and self.last.key == key:
            self.last = None
