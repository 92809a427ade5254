"""The assertion source of a federated credential: a callable whose tokens stand in the place of a certificate."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential._secrecy.tracebacks import clears_frames
from azure_certvar_credential.exceptions import ConfigurationError
from azure_certvar_credential.signers.coroutines import ASYNCHRONOUS, is_coroutine_function

# What a credential of this package, of azure-identity or an environment's own identity service can be asked with.
AssertionSource: TypeAlias = Callable[[], str]
# A coroutine function as well.
AnyAssertionSource: TypeAlias = Callable[[], str] | Callable[[], Awaitable[str]]

_JWT = r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+"


class AssertionProvider:
    """Where the client assertions of one credential come from.

    :param given: what the constructor was given.
    :raises ConfigurationError: it cannot be called.
    """

    def __init__(self, given: object) -> None:
        if not callable(given):
            raise ConfigurationError(
                "assertion_source must be a function that returns the assertion, such as "
                f"other_credential.as_assertion_source(scope), not {redact_value(given)}"
                if not isinstance(given, str)
                else "assertion_source must be a function that returns the assertion, not the assertion itself: "
                "an assertion expires, and the next one has to come from somewhere"
            )
        self.read: Callable[[], Any] = given

    def copied(self) -> AssertionProvider:
        """Return itself: it has no state that two credentials could disturb."""
        return self

    def after_fork(self) -> None:
        """Nothing is held that a child process could not go on with."""

    def refuse_coroutines(self) -> None:
        """Check that the source can be called synchronously.

        :raises ConfigurationError: it is a coroutine function.
        """
        if is_coroutine_function(self.read):
            raise ConfigurationError(ASYNCHRONOUS.format(what="assertion_source"))

    @clears_frames
    def accept(self, value: object) -> str:
        """Take what the source returned.

        :raises ConfigurationError: it is not a signed JWT in compact form (RFC 7515); the message does not repeat it.
        """
        if not isinstance(value, str) or not re.fullmatch(_JWT, value):
            what = "a text that is no signed JWT" if isinstance(value, str) else type(value).__name__
            raise ConfigurationError(
                f"assertion_source returned {what}; it has to return the token itself, such as "
                "credential.get_token(scope).token"
            )
        return value

    def __repr__(self) -> str:
        # A function's name, never what a callable object may show of itself.
        return f"assertions from {getattr(self.read, '__qualname__', type(self.read).__qualname__)}"
