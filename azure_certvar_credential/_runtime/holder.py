"""The certificate in use, and the source that it comes from if it was not handed over.

A source is a callable that returns any form that ``ClientCertificate.load`` takes, so the certificate may change while
the process runs. It is read when the first token is asked for, and again when Entra refuses the certificate. Calling it
is the shells' business, because it may be a coroutine function; what its answer means is decided here.
"""

from __future__ import annotations

import inspect
import logging
import threading
from collections.abc import Callable
from typing import Any

from azure_certvar_credential.certificates import ClientCertificate
from azure_certvar_credential.exceptions import CertificateError, CertificateSourceError, ConfigurationError

_LOGGER = logging.getLogger("azure_certvar_credential")

Source = Callable[[], Any]

_ASYNCHRONOUS = "the certificate's {what} is asynchronous; use azure_certvar_credential.aio.CertVarCredential with it"


class CertificateHolder:
    """Holds the certificate of one credential; usable from any thread.

    :param given: what the constructor was given: a certificate in any form, or a source.
    :param load: turns any form into a checked certificate; raises :class:`ValueError`.
    :raises ValueError: the certificate is given and cannot be used.
    """

    def __init__(self, given: object, load: Callable[[object], ClientCertificate]) -> None:
        self._load = load
        self.source: Source | None = None
        self.current: ClientCertificate | None = None
        self.lock = threading.Lock()
        if callable(given) and not isinstance(given, ClientCertificate):
            self.source = given
        else:
            self.current = load(given)

    def copied(self) -> CertificateHolder:
        """Return a holder for another credential, with the same source and the certificate that is in use now."""
        copy = CertificateHolder(self.source or self.current, self._load)
        copy.current = self.current
        return copy

    def ready(self, refused: ClientCertificate | None) -> ClientCertificate | None:
        """Return the certificate to use, or None if the source has to be read first.

        :param refused: the certificate that the server has just refused, or None.
        """
        if self.current is not None and (refused is None or self.source is None or self.current is not refused):
            return self.current
        return None

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
        for what, function in (("source", self.source), ("signer", sign)):
            if is_coroutine_function(function):
                raise ConfigurationError(_ASYNCHRONOUS.format(what=what))

    def accept(self, data: object) -> ClientCertificate:
        """Take what the source returned; the certificate that is in use already stays the same object.

        :raises ValueError: it is no usable certificate.
        """
        certificate, before = self._load(data), self.current
        if before is not None and before == certificate:
            return before
        self.current = certificate
        if before is not None:
            _LOGGER.info("the certificate changed from %r to %r", before, certificate)
        return certificate

    def source_failed(self, error: Exception) -> ClientCertificate:
        """Return the certificate in use although its source could not be read.

        :raises CertificateSourceError: there is none yet.
        :raises CertificateError, ConfigurationError: the source returned something unusable, and there is none yet.
        """
        if self.current is None:
            if isinstance(error, (CertificateError, ConfigurationError)):
                raise error
            raise CertificateSourceError(
                f"the certificate source {describe(self.source)} failed with {type(error).__name__}: {error}"
            ) from error
        _LOGGER.warning(
            "the certificate source %s failed, %r stays in use: %s: %s",
            describe(self.source),
            self.current,
            type(error).__name__,
            error,
        )
        return self.current

    def after_fork(self) -> None:
        """Start afresh in a child process: the thread that holds the lock is not there."""
        self.lock = threading.Lock()

    def __repr__(self) -> str:
        return f"certificate from {describe(self.source)}" if self.current is None else repr(self.current)


def blocking(result: Any, what: str) -> Any:
    """Return what a source or signer returned to the synchronous credential.

    :param what: ``source`` or ``signer``, for the message.
    :raises ConfigurationError: it is an awaitable.
    """
    if inspect.isawaitable(result):
        if inspect.iscoroutine(result):
            result.close()  # or Python warns that it was never awaited
        raise ConfigurationError(_ASYNCHRONOUS.format(what=what))
    return result


def is_coroutine_function(function: object) -> bool:
    """Say whether calling this returns a coroutine, be it a function or an object that is called."""
    called = inspect.getattr_static(type(function), "__call__", None)
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called)


def describe(source: object) -> str:
    """Return a source's name, never its state."""
    return getattr(source, "__qualname__", None) or type(source).__qualname__
