"""Tells whether what a user handed over has to be awaited, and refuses it where it cannot be."""

from __future__ import annotations

import inspect
from typing import Any

from azure_certvar_credential.exceptions import ConfigurationError

ASYNCHRONOUS = "the certificate's {what} is asynchronous; use azure_certvar_credential.aio.CertVarCredential with it"


def is_coroutine_function(function: object) -> bool:
    """Say whether calling this returns a coroutine, be it a function or an object that is called."""
    called = inspect.getattr_static(type(function), "__call__", None)
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called)


def blocking(result: Any, what: str) -> Any:
    """Return what a source or signer returned to the synchronous credential.

    :param what: ``source`` or ``signer``, for the message.
    :raises ConfigurationError: it is an awaitable.
    """
    if inspect.isawaitable(result):
        if inspect.iscoroutine(result):
            result.close()  # or Python warns that it was never awaited
        raise ConfigurationError(ASYNCHRONOUS.format(what=what))
    return result
