"""What a credential reports to its observer. By default it has none, and it never reports a cached token."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol


class Observer(Protocol):
    """Takes note of what a credential does beside returning tokens from memory.

    The contexts that its methods return measure what happens within them: how long it takes, and the exception that
    leaves them. It must not keep anything that it is given, and any thread may call it.
    """

    def request(self, url: str) -> AbstractContextManager[Callable[[Any], Any]]:
        """Return a context for one token request, whose value takes the answer and returns it."""
        ...

    def wait(self) -> AbstractContextManager[None]:
        """Return a context for one caller who waits for a token."""
        ...

    def reading(self) -> AbstractContextManager[None]:
        """Return a context for one reading of the certificate's source."""
        ...

    def cache_call(self, method: str) -> AbstractContextManager[None]:
        """Return a context for one call of the cache that processes share."""
        ...

    def cache_lookup(self, *, found: bool) -> None:
        """Note whether that cache had a token; also if it could not be asked."""
        ...

    def refreshed(self, failure: str | None) -> None:
        """Note that a token in memory was replaced, or could not be and still serves.

        :param failure: its class, as :func:`.events.error_type` names it; None if it was replaced.
        """
        ...
