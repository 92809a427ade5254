"""The number of retries and the pauses between them; both are bounded, so an acquisition ends."""

from __future__ import annotations

from azure_certvar_credential._values import Value
from azure_certvar_credential.exceptions import AuthenticationError, TemporarilyUnavailableError

# A caller is waiting: a longer pause (seconds) than this is reported to the caller instead of sat out.
LONGEST_PAUSE = 5.0


class Retry(Value):
    """The retry settings of a credential, in azure-core's terms.

    :ivar total: all retries.
    :ivar status: retries after an answer that says "later".
    :ivar read: retries after a connection that broke once the request was sent.
    :ivar connect: retries after a connection that was not made.
    :ivar backoff_factor: seconds; doubled each time in exponential mode.
    :ivar backoff_max: the longest pause in seconds.
    :ivar exponential: whether pauses grow.
    :ivar timeout: after how many seconds an acquisition is given up, whatever retries are left.
    """

    total: int = 3
    status: int = 3
    read: int = 3
    connect: int = 3
    backoff_factor: float = 0.8
    backoff_max: float = 120.0
    exponential: bool = True
    timeout: float = 30.0

    def pause(self, attempt: int) -> float:
        """Return the seconds to wait before a retry; ``attempt`` counts from 1, and the first retry is immediate."""
        if attempt <= 1:
            return 0.0
        growth = float(2 ** min(attempt - 1, 16)) if self.exponential else 1.0
        return min(self.backoff_max, self.backoff_factor * growth)


class Retries:
    """The retries that one acquisition has left.

    :param retry: the settings.
    """

    __slots__ = ("_attempt", "_connect", "_read", "_retry", "_status", "_total")

    def __init__(self, retry: Retry) -> None:
        self._retry = retry
        self._total, self._status, self._read, self._connect = retry.total, retry.status, retry.read, retry.connect
        self._attempt = 0

    def pause(self, failure: Exception, *, sent: bool) -> float | None:
        """Return the seconds to wait before the next request, or None if the failure stands.

        :param sent: whether the request may have left.
        """
        if isinstance(failure, TemporarilyUnavailableError):
            if failure.retry_after is not None and failure.retry_after > LONGEST_PAUSE:
                return None
            self._status -= 1
            left, least = self._status, failure.retry_after or 0.0
        elif isinstance(failure, AuthenticationError):
            return None
        elif not sent:
            self._connect -= 1
            left, least = self._connect, 0.0
        else:  # the connection broke
            self._read -= 1
            left, least = self._read, 0.0
        self._total -= 1
        self._attempt += 1
        return None if min(left, self._total) < 0 else max(self._retry.pause(self._attempt), least)
