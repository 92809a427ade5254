"""Tells whether what a user handed over has to be awaited, and refuses it where it cannot be."""

from __future__ import annotations

import inspect
from typing import Any

from azure_certvar_credential.exceptions import ConfigurationError

ASYNCHRONOUS = "the {what} is asynchronous; use the credential of azure_certvar_credential.aio with it"


def is_coroutine_function(function: object) -> bool:
    """Return whether calling a function, or an object with ``__call__``, returns a coroutine."""
    called = inspect.getattr_static(type(function), "__call__", None)
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called)


def blocking(result: Any, what: str) -> Any:
    """Return what a source or signer returned to the synchronous credential.

    :param what: ``certificate's source`` or the like, for the message.
    :raises ConfigurationError: it is an awaitable.
    """
    if inspect.isawaitable(result):
        if inspect.iscoroutine(result):
            result.close()  # or Python warns that it was never awaited
        raise ConfigurationError(ASYNCHRONOUS.format(what=what))
    return result
