"""What becomes of a failed acquisition: each caller's copy of the error, and what is remembered of it.

Remembered are the last failure, and the pauses that servers asked for.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeVar

from azure.core.exceptions import AzureError

from azure_certvar_credential._secrecy.redaction import redact_error
from azure_certvar_credential._values import Value
from azure_certvar_credential.exceptions import AuthenticationError, CertificateError, ConfigurationError

E = TypeVar("E", bound=Exception)

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


def own_copy(error: E, **changes: object) -> E:
    """Return a copy of an error for one more caller: an exception that is raised twice mixes up its tracebacks.

    An error of a foreign class is returned itself: only its class knows how to make another.
    """
    if not issubclass(type(error), (AzureError, CertificateError, ConfigurationError)):
        return error
    copy: E = type(error).__new__(type(error), *error.args)
    copy.__dict__.update(error.__dict__)
    copy.__dict__.update(changes)
    copy.__cause__ = error.__cause__
    # Raising the copy adds to this chain and leaves the original's alone.
    return copy.with_traceback(error.__traceback__)


def noted(error: E) -> E:
    """Return a copy of an error to be kept: without its frames, which would keep the first caller's variables alive."""
    copy = own_copy(error)
    if copy is not error:
        copy.__traceback__ = copy.__cause__ = None
    return copy
