"""Certificate sources: callables that return the certificate, so that it can change while the process runs.

Any callable without parameters is a source. The classes here cover the usual places, and :class:`CertificateSource`
sets how often a callable is read again.

A credential can be pickled together with its source only if the source certainly holds no secret: an importable
function or class, or an instance of a class that declares ``holds_no_secret = True``, see :func:`holds_no_secret`.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Awaitable, Callable
from types import FunctionType
from typing import Any, Generic, SupportsIndex, TypeAlias, TypeVar

from azure_certvar_credential._secrecy.identity import identified
from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential._secrecy.tracebacks import clears_frames
from azure_certvar_credential.certificates.certificate import CertificateData, ClientCertificate
from azure_certvar_credential.exceptions import (
    CertificateFormatError,
    CertificateSourceError,
    ConfigurationError,
    MissingCertificateError,
)

# A function without parameters, or an object that can be called like one; what a synchronous credential reads.
Source: TypeAlias = Callable[[], CertificateData]
# A coroutine function as well; what an asynchronous credential reads.
AnySource: TypeAlias = Callable[[], CertificateData] | Callable[[], Awaitable[CertificateData]]
# What a source returns.
R = TypeVar("R", bound=CertificateData | Awaitable[CertificateData])

# Seconds after which a source is read again, unless it defines its own `max_age`.
MAX_AGE = 3600.0
# One octet more than ClientCertificate.load() accepts.
_MOST = (1 << 20) + 1
# A name has no '=' (POSIX.1-2017 section 8.1); the other conditions rule out a certificate given in its place.
_VARIABLE = r"(?!.*-----)(?!.*[A-Za-z0-9+/]{64})[^=\s\x00]{1,200}"


def holds_no_secret(source: object) -> bool:
    """Return whether a source pickles as nothing but a reference or a name.

    This lists what is allowed, because anything else may hold a key: a partial, a closure, a bound method, an instance.

    :param source: the certificate argument of a credential.
    """
    if type(source) is CertificateSource:
        return holds_no_secret(source._read)  # noqa: SLF001 - of the class below
    if isinstance(source, (FunctionType, type)):
        found: Any = sys.modules.get(source.__module__)
        for name in source.__qualname__.split("."):
            found = getattr(found, name, None)
        return found is source
    # Read from the class itself and not inherited: a subclass may add anything.
    return vars(type(source)).get("holds_no_secret") is True


class CertificateSource(Generic[R]):
    """A callable as a source, with the time after which it is read again.

    >>> source = CertificateSource(pathlib.Path("/mnt/secrets/app.pfx").read_bytes, max_age=600)
    >>> credential = CertVarCredential(tenant_id, client_id, source)

    :param read: returns a certificate in any form that :meth:`.ClientCertificate.load` takes. For the asynchronous
        credentials it may be a coroutine function.
    :param max_age: seconds, above 0.
    :raises ConfigurationError: ``read`` is not callable, or ``max_age`` is not a positive number.
    """

    def __init__(self, read: Callable[[], R], *, max_age: float = MAX_AGE) -> None:
        if not callable(read):
            raise ConfigurationError(f"read must be callable, not {type(read).__name__}")
        if isinstance(max_age, bool) or not isinstance(max_age, (int, float)) or not 0 < max_age < float("inf"):
            raise ConfigurationError(f"max_age must be a number of seconds above 0, not {redact_value(max_age)}")
        self._read = read
        self.max_age = float(max_age)

    def __call__(self) -> R:
        """Read the certificate; an awaitable if ``read`` is a coroutine function."""
        return self._read()

    def __repr__(self) -> str:
        # Without `_read` the constructor failed, and an error reporter is showing the variables of its frame.
        if not hasattr(self, "_read"):
            return _name(self)
        return identified(
            f"CertificateSource({getattr(self._read, '__qualname__', type(self._read).__qualname__)})", self
        )

    def __reduce_ex__(self, _protocol: SupportsIndex) -> tuple[Any, ...]:
        if not holds_no_secret(self):
            raise TypeError(
                "a CertificateSource can be pickled only with an importable function or class, or an instance of a "
                "class that declares holds_no_secret = True: any other may hold the private key"
            )
        # For those who pickle alone.
        from azure_certvar_credential._secrecy.by_name import blank, by_name

        return by_name(type(self).__name__, (blank, (type(self),), vars(self)))


class EnvironmentCertificate:
    """Reads the certificate from an environment variable, again on each call.

    >>> credential = CertVarCredential(tenant_id, client_id, EnvironmentCertificate("APP_CERT"))

    :param name: the variable that holds PEM, or base64 of a PFX.
    :param password_name: the variable that holds the password, or None. The variable need not be set.
    :raises ConfigurationError: one of them is not the name of a variable, but perhaps the certificate itself.
    """

    holds_no_secret = True

    def __init__(self, name: str, password_name: str | None = None) -> None:
        for what, given in (("name", name), ("password_name", password_name or "_")):
            if not isinstance(given, str) or not re.fullmatch(_VARIABLE, given):
                shown = redact_value(given)
                raise ConfigurationError(f"{what} must be the name of an environment variable, not {shown}")
        self.name, self.password_name = name, password_name

    @clears_frames
    def __call__(self) -> ClientCertificate:
        """Read the certificate.

        :raises MissingCertificateError: the variable is not set, or empty.
        :raises CertificateError: as :meth:`.ClientCertificate.load`.
        """
        data = os.environ.get(self.name)
        if not data:
            raise MissingCertificateError(
                f"the environment variable {self.name} is {'not set' if data is None else 'empty'}; set it to "
                "the certificate with its private key: PEM, or base64 of a PFX"
            )
        return ClientCertificate.load(data, os.environ.get(self.password_name) if self.password_name else None)

    def __repr__(self) -> str:
        return identified(f"EnvironmentCertificate({self.name!r})", self) if hasattr(self, "name") else _name(self)


class DescriptorCertificate:
    """Reads the certificate from an open file descriptor: standard input, a pipe, a memory file.

    A descriptor that can be rewound is read again on each call. Any other, such as a pipe, is read once, to its end.

    >>> credential = CertVarCredential(tenant_id, client_id, DescriptorCertificate(0))

    :param descriptor: the number of the open descriptor; 0 is standard input.
    :param password: opens an encrypted key or PFX; ``str`` (UTF-8) or ``bytes``.
    :raises ConfigurationError: the descriptor is not a number from 0 up.
    """

    def __init__(self, descriptor: int = 0, *, password: str | bytes | None = None) -> None:
        if isinstance(descriptor, bool) or not isinstance(descriptor, int) or descriptor < 0:
            raise ConfigurationError(
                f"descriptor must be a file descriptor, a number such as 0, not {redact_value(descriptor)}"
            )
        self._descriptor, self._password = descriptor, password
        self._once: ClientCertificate | None = None

    @clears_frames
    def __call__(self) -> ClientCertificate:
        """Read the certificate.

        :raises CertificateSourceError: the descriptor is not open for reading.
        :raises CertificateError: as :meth:`.ClientCertificate.load`.
        """
        if self._once is not None:
            return self._once
        try:
            rewinds, data = self._octets()
        except OSError as error:
            raise CertificateSourceError(f"file descriptor {self._descriptor} cannot be read: {error}") from error
        if len(data) >= _MOST:
            raise CertificateFormatError(f"file descriptor {self._descriptor} holds more than {_MOST - 1:,} bytes")
        certificate = ClientCertificate.load(data, self._password)
        if not rewinds:
            self._once = certificate
        return certificate

    def _octets(self) -> tuple[bool, bytes]:
        rewinds = _seekable(self._descriptor)
        if rewinds:
            os.lseek(self._descriptor, 0, os.SEEK_SET)
        data = b""
        while len(data) < _MOST and (more := os.read(self._descriptor, _MOST - len(data))):
            data += more
        return rewinds, data

    def __repr__(self) -> str:
        if not hasattr(self, "_descriptor"):
            return _name(self)
        return identified(f"DescriptorCertificate({self._descriptor})", self)

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a DescriptorCertificate cannot be pickled: another process has other descriptors")


def _name(source: object) -> str:
    return f"<{type(source).__name__}>"


def _seekable(descriptor: int) -> bool:
    try:
        os.lseek(descriptor, 0, os.SEEK_CUR)
    except OSError:
        return False
    return True
