"""The interfaces of tokens in memory: for the hot path, and for the rules of refresh."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Protocol

from azure_certvar_credential._core.effects import Token
from azure_certvar_credential.caches.memory import Entry


class CacheLookup(Protocol):
    """The hot path of a credential."""

    def lookup(
        self, scopes: tuple[str, ...], claims: str | None, tenant_id: str | None, *, enable_cae: bool
    ) -> Entry | None:
        """Return the fresh entry for the arguments of a ``get_token``; None leaves it to the slow path."""
        ...


class TokenStore(Protocol):
    """A bounded map from cache keys to entries, such as :class:`.memory.TokenMemory`; usable from any thread."""

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
