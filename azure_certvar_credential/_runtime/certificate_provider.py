"""The certificate in use, and the source that it comes from if it was not handed over.

A source is a callable that returns any form that ``ClientCertificate.load`` takes, so the certificate may change while
the process runs. Calling it is the shells' business, because it may be a coroutine function; when it is called and what
its answer means is decided here:

* it is read when the first token is asked for, and again in the background after ``max_age`` and when the certificate
  nears its end;
* when Entra refuses the certificate, it is read at once. If it has no other certificate, the previous one serves, for
  Entra may not know the new one yet, and the new one is tried again later;
* a source that fails leaves the certificate in use, and is asked again after a growing pause.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Any

from azure_certvar_credential._secrecy.redaction import is_safe_to_show, redact_error
from azure_certvar_credential._secrecy.tracebacks import linked
from azure_certvar_credential._values import Value
from azure_certvar_credential.certificates import ClientCertificate
from azure_certvar_credential.exceptions import (
    AcquisitionTimeoutError,
    CertificateError,
    CertificateSourceError,
    ConfigurationError,
)
from azure_certvar_credential.signers.coroutines import ASYNCHRONOUS, is_coroutine_function

if TYPE_CHECKING:
    from azure_certvar_credential.certificates.sources import Source

_LOGGER = logging.getLogger("azure_certvar_credential")

# Pauses in seconds after a failure; each further one is twice as long, up to the last.
FIRST_PAUSE, LAST_PAUSE = 30.0, 3600.0
# With fewer days left than this, the daily line in the log is an error.
URGENT_DAYS = 7
# A certificate with less than this left (seconds), or than this share of its validity, is looked at daily.
NEAR_END, NEAR_END_SHARE, DAY = 7 * 86400.0, 0.1, 86400.0


class EagerSource(Value):
    """A source that the constructor reads itself, so that what cannot be used is named before the first token."""

    source: Source


class CertificateProvider:
    """Holds the certificate of one credential; usable from any thread.

    :param given: what the constructor was given: a certificate in any form, or a source.
    :param load: turns any form into a checked certificate; raises :class:`ValueError`.
    :param clock: returns seconds since the epoch, UTC.
    :param warning_days: with so many days left the certificate is named in the log once a day; 0 for never.
    :ivar accepted_on: when the source last returned a usable certificate, in seconds since the epoch.
    :raises ValueError: the certificate is given and cannot be used.
    """

    def __init__(
        self,
        given: object,
        load: Callable[[object], ClientCertificate],
        clock: Callable[[], float],
        warning_days: float = 0.0,
    ) -> None:
        self._clock = clock
        self.source: Source | None = None
        self.current: ClientCertificate | None = None
        self._previous: ClientCertificate | None = None
        self._previous_until = 0.0
        self._read_on = self.accepted_on = 0.0
        self._warning_days = warning_days
        self._notice_on = inf
        self._failures = self._refusals = self.readings = 0
        # Reentrant, because it is held while something is logged, and a log handler may ask for a token.
        self._state = threading.RLock()
        if callable(given) and not isinstance(given, ClientCertificate):
            self.source, self._load = given, load
        else:
            # The function knows the password, and is not needed again.
            self.current = load(given)
            self._notice_on = self._first_notice_on(self.current)

    def copied(self) -> CertificateProvider:
        """Return a provider for another credential, with the same source and the certificate in use now."""
        copy = object.__new__(CertificateProvider)
        copy.__dict__.update(self.__dict__)
        copy.after_fork()
        return copy

    def ready(self, refused: ClientCertificate | None) -> tuple[ClientCertificate | None, bool]:
        """Return the certificate to use, or None if the source has to be read first; and whether to read it meanwhile.

        Of all callers that find the source due, one reads it in the background.

        :param refused: the certificate that the server has just refused, or None.
        """
        current, source = self.current, self.source
        if current is None or (refused is current and source is not None):
            return None, False
        now = self._clock()
        if now >= self._notice_on:
            self._note_expiry(current, now)
        if source is None:
            return current, False
        with self._state:
            due = now >= self._read_on
            if due and current.not_after.timestamp() <= now:
                return None, False
            if due:
                # Claimed; what comes of the reading sets the next time.
                self._read_on = now + FIRST_PAUSE
            previous = self._previous
            if refused is None and now < self._previous_until and previous is not None and _valid(previous, now):
                return previous, due
        return current, due

    def read_meanwhile(self, readings: int, refused: ClientCertificate | None) -> ClientCertificate | None:
        """Return the certificate to use if somebody else has read the source while this caller waited for its turn.

        :param readings: how many readings there had been when the caller found that it needs one.
        :param refused: the certificate that the server has just refused, or None.
        """
        with self._state:
            if self.current is None or self.readings == readings:
                return None
            return self._instead_of(refused, self.current)

    def read_source(self) -> Any:
        """Call the source; the answer is a certificate in any form, or an awaitable of one."""
        if self.source is None:
            raise RuntimeError("there is no source to read: the certificate was given")
        return self.source()

    def refuse_coroutines(self) -> None:
        """Check that source and signer can be called synchronously.

        :raises ConfigurationError: one of them is a coroutine function.
        """
        sign = None if self.current is None else self.current.signer.sign
        for what, function in (("certificate's source", self.source), ("certificate's signer", sign)):
            if is_coroutine_function(function):
                raise ConfigurationError(ASYNCHRONOUS.format(what=what))

    def accept(self, data: object, refused: ClientCertificate | None) -> ClientCertificate:
        """Take what the source returned, and return the certificate to use.

        The certificate that is in use already stays the same object.

        :param refused: the certificate that the server has just refused, or None.
        :raises ValueError: it is no usable certificate.
        """
        certificate = self._load(data)
        with self._state:
            before, self._failures = self.current, 0
            self.readings += 1
            self.accepted_on = self._clock()
            if before is None or before != certificate:
                self._notice_on = self._first_notice_on(certificate)
                self.current, self._previous = certificate, before
                self._previous_until, self._refusals = 0.0, 0
                if before is not None:
                    _LOGGER.info(
                        "the certificate changed from %r to %r",
                        before,
                        certificate,
                        extra=_event("certificate_changed", thumbprint=certificate.thumbprint),
                    )
            else:
                certificate = before
            self._read_on = self._next_reading(certificate)
            return self._instead_of(refused, certificate)

    def source_failed(self, error: Exception, refused: ClientCertificate | None) -> ClientCertificate:
        """Return the certificate to use although the source could not be read.

        :param error: why; to be handed over outside of the handler.
        :param refused: the certificate that the server has just refused, or None.
        :raises CertificateSourceError: there is none yet.
        :raises CertificateError, ConfigurationError: the source returned something unusable, and there is none yet.
        :raises AcquisitionTimeoutError: the source was not called, as it hangs too often, and there is none yet.
        """
        if self.current is None:
            if isinstance(error, (AcquisitionTimeoutError, CertificateError, ConfigurationError)):
                raise error
            # The error itself is the cause only if its traceback shows no more of it than the message does.
            raise CertificateSourceError(
                f"the certificate source {describe(self.source)} failed with {redact_error(error)}"
            ) from (error if all(map(is_safe_to_show, linked(error))) else None)
        with self._state:
            pause = _pause(self._failures)
            self._failures += 1
            self.readings += 1
            self._read_on = self._clock() + pause
            _LOGGER.warning(
                "the certificate source %s failed, %r stays in use; next attempt in %.0f s: %s",
                describe(self.source),
                self.current,
                pause,
                redact_error(error),
                extra=_event("source_failed", error, thumbprint=self.current.thumbprint, retry_in=pause),
            )
            return self._instead_of(refused, self.current)

    def after_fork(self) -> None:
        """Start with a lock of its own: a child process does not have the thread that holds the other."""
        self._state = threading.RLock()

    def __repr__(self) -> str:
        return f"certificate from {describe(self.source)}" if self.current is None else repr(self.current)

    def _instead_of(self, refused: ClientCertificate | None, certificate: ClientCertificate) -> ClientCertificate:
        """Return the certificate, or the previous one if it is the one that was refused."""
        previous, now = self._previous, self._clock()
        if certificate is not refused or previous is None or not _valid(previous, now):
            return certificate
        if now < self._previous_until:
            return previous  # another caller has just found that out
        pause = _pause(self._refusals)
        self._refusals += 1
        self._previous_until = now + pause
        _LOGGER.warning(
            "%r was refused, it may not be known yet; %r is used, and the new one tried again in %.0f s",
            certificate,
            previous,
            pause,
            extra=_event("certificate_refused", thumbprint=certificate.thumbprint, retry_in=pause),
        )
        return previous

    def _first_notice_on(self, certificate: ClientCertificate) -> float:
        return certificate.not_after.timestamp() - self._warning_days * DAY if self._warning_days else inf

    def _note_expiry(self, certificate: ClientCertificate, now: float) -> None:
        """Log, once a day, that the certificate expires soon."""
        with self._state:
            if now < self._notice_on:
                return
            self._notice_on = now + DAY
        left = (certificate.not_after.timestamp() - now) / DAY
        level = logging.ERROR if left < URGENT_DAYS else logging.WARNING
        when = f"expires in {left:.0f} days" if left >= 0 else "has expired"
        fields = _event("certificate_expires", thumbprint=certificate.thumbprint, days_left=left)
        _LOGGER.log(level, "%r %s: replace it", certificate, when, extra=fields)

    def _next_reading(self, certificate: ClientCertificate) -> float:
        from azure_certvar_credential.certificates.sources import MAX_AGE

        now, end = self._clock(), certificate.not_after.timestamp()
        # Jitter keeps a fleet that started together from asking its vault together.
        after_age = now + getattr(self.source, "max_age", MAX_AGE) * random.uniform(0.9, 1.0)  # noqa: S311 - no secret
        near_end = end - max(NEAR_END, NEAR_END_SHARE * (end - certificate.not_before.timestamp()))
        return min(after_age, near_end if now < near_end else now + DAY)


def _event(name: str, error: BaseException | None = None, **fields: object) -> dict[str, Any]:
    # For lines in the log alone.
    from azure_certvar_credential._runtime.events import event

    return event(name, error, **fields)


def _valid(certificate: ClientCertificate, now: float) -> bool:
    return certificate.not_before.timestamp() <= now < certificate.not_after.timestamp()


def _pause(failures: int) -> float:
    return float(min(FIRST_PAUSE * 2 ** min(failures, 10), LAST_PAUSE))


def describe(source: object) -> str:
    """Return a source's name, never its state."""
    return getattr(source, "__qualname__", None) or type(source).__qualname__
