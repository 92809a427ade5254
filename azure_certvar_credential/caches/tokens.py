"""azure-core's token classes with a ``repr`` that hides the token."""

from __future__ import annotations

from azure.core.credentials import AccessToken, AccessTokenInfo


class HiddenAccessToken(AccessToken):
    """An ``AccessToken`` whose ``repr`` hides the token."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"AccessToken(token='***', expires_on={self.expires_on})"


class HiddenAccessTokenInfo(AccessTokenInfo):
    """An ``AccessTokenInfo`` whose ``repr`` hides the token."""

    def __repr__(self) -> str:
        return (
            f"AccessTokenInfo(token='***', expires_on={self.expires_on}, token_type={self.token_type!r}, "
            f"refresh_on={self.refresh_on})"
        )
