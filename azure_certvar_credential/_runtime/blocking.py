"""Tells whether what a user handed over has to be awaited, and refuses it where it cannot be."""

from __future__ import annotations

import inspect
from typing import Any

from azure_certvar_credential.exceptions import ConfigurationError
from azure_certvar_credential.signers.coroutines import is_coroutine_function

__all__ = ["ASYNCHRONOUS", "blocking", "is_coroutine_function"]

ASYNCHRONOUS = "the {what} is asynchronous; use the credential of azure_certvar_credential.aio with it"


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
