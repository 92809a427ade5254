"""What a token is asked for with, each grant in a file: its form fields, its cache key, what a refusal leaves to try.

A new grant is a new file here, and what makes the value: ``flow.acquire`` knows none of them by name.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Protocol


class Grant(Protocol):
    """One way to ask for an access token (RFC 6749 section 1.3); a frozen value."""

    @property
    def key(self) -> tuple[Hashable, ...]:
        """What tells its tokens apart in the cache, beside scopes, tenant and CAE; empty for the application itself."""
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
        """Whether the token is a user's, so that a refusal may be for the user to mend."""
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
        """Return the grant for the next token, given the refresh token that the last one came with, or None."""
        ...

    def next_refresh_token(self, given: str | None) -> str | None:
        """Return the refresh token to keep beside a new access token, given the server's, or None."""
        ...
