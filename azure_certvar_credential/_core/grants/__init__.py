"""The grants, one a file: form fields, cache key, and the fallback after a refusal.

A new grant is a new file here and the code that makes its value; ``flow.acquire`` knows none of them by name.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from types import MappingProxyType
from typing import Protocol

# Microsoft's name for the audience of tokens that prove an identity to another application.
TOKEN_EXCHANGE = "api://AzureADTokenExchange/.default"  # noqa: S105 - a scope
NO_EARLIER_LEGS: Mapping[str, Grant] = MappingProxyType({})
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Grant(Protocol):
    """An authorization grant (RFC 6749 section 1.3); a frozen value."""

    @property
    def key(self) -> tuple[Hashable, ...]:
        """Its part of the cache key, after scopes, tenant and CAE: names, each followed by its value.

        It is empty for the application itself.
        """
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

    @property
    def leg(self) -> str:
        """What the token is, in a refusal's message, such as "the agent's own token"; empty if one request is all."""
        ...

    @property
    def added_scopes(self) -> tuple[str, ...]:
        """The scopes that this grant sends beside the caller's."""
        ...

    @property
    def earlier_legs(self) -> Mapping[str, Grant]:
        """The grants whose tokens its request presents, by form field; empty for a grant of one request.

        They are tokens for :data:`TOKEN_EXCHANGE`, of the same tenant, and cached like any other.
        """
        ...

    def fields(self) -> dict[str, str]:
        """Return the form fields of this grant alone, ``grant_type`` among them."""
        ...

    def headers(self, tenant_id: str) -> Mapping[str, str]:
        """Return the header fields of this grant alone."""
        ...

    @property
    def refresh_token(self) -> str | None:
        """The refresh token that it presents, and that is kept with the access token; or None."""
        ...

    def renewed_with(self, refresh_token: str) -> Grant:
        """Return the grant for the next token, given the refresh token that came with the last one."""
        ...
