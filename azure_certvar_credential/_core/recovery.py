"""After a request that brought no token: what is worth another one, and how often.

Each remedy has its own bound, so an acquisition always ends.
"""

from __future__ import annotations

from azure_certvar_credential._core import exchange
from azure_certvar_credential._core.config import Retry
from azure_certvar_credential._core.effects import Unanswered
from azure_certvar_credential._core.hints import CLOCK_CODE, ROTATION_CODES
from azure_certvar_credential.exceptions import (
    AuthenticationError,
    CertificateRejectedError,
    OnBehalfOfError,
    TemporarilyUnavailableError,
)

# A caller is waiting: a pause that the server asks for is sat out up to here (seconds), and reported beyond.
LONGEST_PAUSE = 5.0
# Entra tolerates five minutes; a smaller difference (seconds) is not why it refused.
CLOCK_TOLERANCE = 60.0


class Recovery:
    """The second chances of one acquisition.

    :param retry: how often failures that may pass are retried.
    :ivar clock_offset: seconds by which the server's clock is ahead of ours, once it is known to matter.
    :ivar may_reuse: whether the next request may carry an assertion that was used before.
    :ivar refresh_token: of the user's last token, to be tried before the user's assertion; None if there is none.
    """

    def __init__(self, retry: Retry) -> None:
        self.clock_offset = 0.0
        self._retry = retry
        self._total, self._status, self._read = retry.total, retry.status, retry.read
        self._attempt = 0
        self._may_correct_clock = self._may_reload = True
        self._reused = False
        self.may_reuse = True
        self.refresh_token: str | None = None

    def sends(self, *, reused: bool) -> None:
        """Note that a request goes out, with an assertion that was used before or not; after it only fresh ones do."""
        self._reused, self.may_reuse = reused, False

    def wants_fresh_assertion(self, failure: Exception) -> bool:
        """Say whether the server refused an assertion that was used before: it may only object to that."""
        return self._reused and type(failure) in (AuthenticationError, CertificateRejectedError)

    def wants_user_assertion(self, failure: Exception) -> bool:
        """Say whether the server refused the refresh token: it may be revoked or too old, and the assertion good."""
        refused = isinstance(failure, OnBehalfOfError) or type(failure) is AuthenticationError
        if self.refresh_token is None or not refused:
            return False
        self.refresh_token = None
        return True

    def corrects_clock(self, failure: Exception, answer: exchange.Response | Unanswered, now: float) -> bool:
        """Say whether the server refused the assertion's times and its ``Date`` tells the right one; once.

        :param now: our time of the request, in seconds since the epoch.
        """
        if not self._may_correct_clock or CLOCK_CODE not in _codes(failure) or isinstance(answer, Unanswered):
            return False
        date = exchange.read_date(answer.headers.get("date"))
        if date is None or abs(date - now) <= CLOCK_TOLERANCE:
            return False
        self._may_correct_clock, self.clock_offset = False, date - now
        return True

    def wants_another_certificate(self, failure: Exception) -> bool:
        """Say whether the server refused the certificate in a way that a renewed one would mend; once."""
        if not self._may_reload or ROTATION_CODES.isdisjoint(_codes(failure)):
            return False
        self._may_reload = False
        return True

    def pause(self, failure: Exception) -> float | None:
        """Return the seconds to wait before the next request, or None if the failure stands."""
        if isinstance(failure, TemporarilyUnavailableError):
            if failure.retry_after is not None and failure.retry_after > LONGEST_PAUSE:
                return None
            self._status -= 1
            left, least = self._status, failure.retry_after or 0.0
        elif isinstance(failure, AuthenticationError):
            return None
        else:  # the connection broke
            self._read -= 1
            left, least = self._read, 0.0
        self._total -= 1
        self._attempt += 1
        return None if min(left, self._total) < 0 else max(self._retry.pause(self._attempt), least)


def _codes(failure: Exception) -> tuple[int, ...]:
    return failure.error_codes if isinstance(failure, AuthenticationError) else ()
