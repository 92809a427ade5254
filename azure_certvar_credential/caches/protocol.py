"""What the rules of refresh need of a place for tokens: :class:`.memory.TokenMemory` is the one that there is."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Protocol

from azure_certvar_credential._core.effects import Token
from azure_certvar_credential.caches.memory import Entry


class TokenStore(Protocol):
    """A bounded map from cache keys to entries, usable from any thread."""

    @property
    def get(self) -> Callable[[Hashable], Entry | None]:
        """Look an entry up, whatever its age, without a lock; raises TypeError for a key that cannot be hashed.

        A property, so that an implementation may offer a dict's own method: this is the hot path.
        """
        ...

    def put(self, key: Hashable, token: Token, now: float) -> Entry:
        """Keep a token, replacing the one before it; ``now`` in seconds since the epoch (UTC)."""
        ...

    def entry(self, key: Hashable, token: Token, *, answers_challenge: bool) -> Entry:
        """Return the ready-made forms of a token that was acquired for a key, and perhaps replaced meanwhile."""
        ...

    def clear(self) -> None:
        """Forget every token."""
        ...

    def after_fork(self) -> None:
        """Start afresh in a child process: keep the tokens, forget locks and who was refreshing."""
        ...
