"""The grants, one a file: form fields, cache key, and the fallback after a refusal.

A new grant is a new file here and the code that makes its value; ``flow.acquire`` knows none of them by name.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Protocol


class Grant(Protocol):
    """An authorization grant (RFC 6749 section 1.3); a frozen value."""

    @property
    def key(self) -> tuple[Hashable, ...]:
        """Its part of the cache key, after scopes, tenant and CAE; empty for the application itself."""
        ...

    @property
    def cacheable(self) -> bool:
        """Whether its token may serve the next caller with the same key."""
        ...

    @property
    def regional(self) -> bool:
        """Whether Azure's regional endpoints serve it."""
        ...

    @property
    def for_user(self) -> bool:
        """Whether the token is a user's, so that the user may be the one to act on a refusal."""
        ...

    @property
    def fallback(self) -> Grant | None:
        """The grant to try once when the server refuses this one; None if the refusal stands."""
        ...

    def fields(self) -> dict[str, str]:
        """Return the form fields of this grant alone, ``grant_type`` among them."""
        ...

    def requested_scopes(self, scopes: tuple[str, ...]) -> tuple[str, ...]:
        """Return the scopes as this grant sends them."""
        ...

    def renewed_with(self, refresh_token: str | None) -> Grant:
        """Return the grant for the next token, given the refresh token that came with the last one, or None."""
        ...

    def next_refresh_token(self, given: str | None) -> str | None:
        """Return the refresh token to keep with a new access token, given the server's, or None."""
        ...
