"""On behalf of a user: ``jwt-bearer`` (RFC 7523 section 2.1) in Entra's form, and its refresh token.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import ClassVar

from azure_certvar_credential._core.grants import NO_EARLIER_LEGS, NO_HEADERS, Grant
from azure_certvar_credential._core.user_assertion import UserAssertion
from azure_certvar_credential._values import Value, field
from azure_certvar_credential.exceptions import ConfigurationError

# Asks for a refresh token (OpenID Connect Core section 11).


class OnBehalfOf(Value):
    """A token on behalf of the user whose client called this application.

    :ivar user: the user's access token.
    """

    regional: ClassVar[bool] = False
    for_user: ClassVar[bool] = True
    leg: ClassVar[str] = ""
    added_scopes: ClassVar[tuple[str, ...]] = ("offline_access",)
    earlier_legs: ClassVar[Mapping[str, Grant]] = NO_EARLIER_LEGS
    fallback: ClassVar[Grant | None] = None
    refresh_token: ClassVar[str | None] = None

    user: UserAssertion

    @property
    def cacheable(self) -> bool:
        """Only if the assertion claims to be valid; see :class:`UserAssertion`."""
        return self.user.cacheable

    @property
    def key(self) -> tuple[Hashable, ...]:
        """Different for each user's assertion.

        An assertion that the cache must not serve has another key, under which nothing is ever kept, so that it does
        not join a running request with a refresh token either.
        """
        return ("user" if self.user.cacheable else "user to be verified", self.user.digest)

    def fields(self) -> dict[str, str]:
        """Return the fields of the on-behalf-of request."""
        return {
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": self.user.value,
            "requested_token_use": "on_behalf_of",
        }

    def headers(self, tenant_id: str) -> Mapping[str, str]:  # noqa: ARG002 - the protocol's
        """Return none."""
        return NO_HEADERS

    def renewed_with(self, refresh_token: str) -> Grant:
        """Return the refresh token's grant: the user's assertion expires within the hour."""
        return RefreshToken(refresh_token, self)


class RefreshToken(Value):
    """``refresh_token`` (RFC 6749 section 6): the next token of a user whose last one came with a refresh token.

    :ivar refresh_token: the refresh token; it stays valid until the server sends another one (RFC 6749 section 6).
    :ivar fallback: the user's assertion, tried once if the server refuses the refresh token, which may be revoked or
        too old.
    """

    regional: ClassVar[bool] = False
    for_user: ClassVar[bool] = True
    leg: ClassVar[str] = ""
    added_scopes: ClassVar[tuple[str, ...]] = ("offline_access",)
    earlier_legs: ClassVar[Mapping[str, Grant]] = NO_EARLIER_LEGS

    refresh_token: str = field(repr=False)
    fallback: OnBehalfOf

    @property
    def cacheable(self) -> bool:
        """As the assertion's."""
        return self.fallback.cacheable

    @property
    def key(self) -> tuple[Hashable, ...]:
        """As the assertion's: the token is the same user's."""
        return self.fallback.key

    def fields(self) -> dict[str, str]:
        """Return the fields of the refresh request."""
        return {"grant_type": "refresh_token", "refresh_token": self.refresh_token}

    def headers(self, tenant_id: str) -> Mapping[str, str]:  # noqa: ARG002 - the protocol's
        """Return none."""
        return NO_HEADERS

    def renewed_with(self, refresh_token: str) -> Grant:
        """Return the grant of the newer refresh token."""
        return self.fallback.renewed_with(refresh_token)


def on_behalf_of(user: UserAssertion, fmi_path: str | None) -> OnBehalfOf:
    """Return the grant of a ``get_token`` for a user.

    :raises ConfigurationError: an ``fmi_path`` is given.
    """
    if fmi_path is not None:
        raise ConfigurationError(
            "fmi_path is for tokens of the application itself: leave it out of a get_token on behalf of a user"
        )
    return OnBehalfOf(user)
