"""The interface between the rules of refresh and a token cache, such as :class:`.memory.TokenMemory`."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Protocol

from azure_certvar_credential._core.effects import Token
from azure_certvar_credential.caches.memory import Entry


class TokenStore(Protocol):
    """A bounded map from cache keys to entries, usable from any thread."""

    @property
    def get(self) -> Callable[[Hashable], Entry | None]:
        """Look up an entry of any age without a lock; raises TypeError for a key that cannot be hashed.

        It is a property so that an implementation can return a dict's own method, which the hot path needs.
        """
        ...

    def put(self, key: Hashable, token: Token, now: float) -> Entry:
        """Keep a token in place of the previous one; ``now`` is in seconds since the epoch (UTC)."""
        ...

    def entry(self, key: Hashable, token: Token, *, answers_challenge: bool) -> Entry:
        """Return the entry of a token that was acquired for a key, and perhaps replaced meanwhile."""
        ...

    def items(self) -> list[tuple[Any, Entry]]:
        """Return the entries with their keys."""
        ...

    def clear(self) -> None:
        """Forget every token."""
        ...

    def after_fork(self) -> None:
        """Prepare a child process: keep the tokens, renew locks, and forget running refreshes."""
        ...
