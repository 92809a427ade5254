"""The tokens of one grant among those of a credential: what a credential returns without further ado."""

from __future__ import annotations

from azure_certvar_credential._core.config import Settings
from azure_certvar_credential._core.grants import Grant
from azure_certvar_credential._core.request import own_part
from azure_certvar_credential._runtime.cached_tokens import CachedTokens
from azure_certvar_credential.caches.memory import Entry
from azure_certvar_credential.exceptions import ConfigurationError


class GrantTokens:
    """The tokens of an agent, of its user, or of an application with claims of its own.

    :ivar grant: what they are asked for with.
    :ivar cached_tokens: all tokens of the credential.
    """

    __slots__ = ("_key", "_tenant_id", "cached_tokens", "grant")

    def __init__(self, grant: Grant, cached_tokens: CachedTokens, settings: Settings) -> None:
        self.grant = grant
        self.cached_tokens = cached_tokens
        self._tenant_id = settings.tenant_id
        self._key = own_part(grant, settings.client_claims)

    def lookup(
        self, scopes: tuple[str, ...], claims: str | None, tenant_id: str | None, *, enable_cae: bool
    ) -> Entry | None:
        """Return the entry for the arguments of a ``get_token`` if it is fresh; as :meth:`.CachedTokens.lookup`."""
        if claims:
            return None
        return self.cached_tokens.fresh((scopes, tenant_id or self._tenant_id, enable_cae, *self._key))

    def without_path(self, fmi_path: str | None) -> Grant:
        """Return the grant.

        :raises ConfigurationError: an ``fmi_path`` is given.
        """
        if fmi_path is not None:
            raise ConfigurationError("fmi_path is for tokens of the application itself: an agent has none below it")
        return self.grant
