"""Errors that several callers get, each caller its own copy."""

from __future__ import annotations

from typing import TypeVar

from azure.core.exceptions import AzureError

from azure_certvar_credential.exceptions import CertificateError, ConfigurationError

E = TypeVar("E", bound=Exception)


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
