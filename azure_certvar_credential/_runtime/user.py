"""On whose behalf a credential acts: a user's token, or a callable that returns the present user's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from azure_certvar_credential._core.config import Settings
from azure_certvar_credential._core.grants import Grant
from azure_certvar_credential._core.grants.on_behalf_of import OnBehalfOf, on_behalf_of
from azure_certvar_credential._core.request import cache_key
from azure_certvar_credential._core.user_assertion import UserAssertion, user_assertion
from azure_certvar_credential._runtime.cached_tokens import CachedTokens
from azure_certvar_credential._secrecy.tracebacks import clears_frames
from azure_certvar_credential.caches.memory import Entry
from azure_certvar_credential.exceptions import ConfigurationError
from azure_certvar_credential.signers.coroutines import ASYNCHRONOUS, is_coroutine_function

# The user's token, or what returns the present user's.
UserAssertionSource: TypeAlias = str | Callable[[], str] | Callable[[], Awaitable[str]]


class User:
    """The user of one on-behalf-of credential.

    :ivar read: returns the user's token, checked or not, or an awaitable of it.
    :param given: the user's token, or a callable that returns it.
    :param cached_tokens: the tokens of the credential that acts.
    :param settings: its settings.
    :param presented: makes the user's grant one that an agent presents; None for the application.
    :raises ConfigurationError: it is neither.
    :raises UserAssertionRejectedError: the token is none.
    """

    def __init__(
        self,
        given: UserAssertionSource,
        cached_tokens: CachedTokens,
        settings: Settings,
        presented: Callable[[Grant], Grant] | None = None,
    ) -> None:
        self._presented = presented or _itself
        self._fixed: Grant | None = None
        if callable(given):
            self.read: Callable[[], Any] = given
        else:
            # Judged now, once: the work that a user began may take longer than the user's token lives.
            user = user_assertion(given, now=cached_tokens.clock())
            self._fixed, self.read = self._presented(OnBehalfOf(user)), lambda: user
        self._cached_tokens = cached_tokens
        self._settings = settings
        self.asynchronous = is_coroutine_function(self.read)

    def refuse_coroutines(self) -> None:
        """Check that the user's token can be had synchronously.

        :raises ConfigurationError: it comes from a coroutine function.
        """
        if self.asynchronous:
            raise ConfigurationError(ASYNCHRONOUS.format(what="user_assertion"))

    @clears_frames
    def grant(self, value: object, fmi_path: str | None) -> Grant:
        """Return the grant for what :meth:`read` returned.

        :raises ConfigurationError: it is no ``str``, or there is an ``fmi_path``.
        :raises UserAssertionRejectedError: it is no token.
        """
        user = value if isinstance(value, UserAssertion) else user_assertion(value, now=self._cached_tokens.clock())
        return self._presented(on_behalf_of(user, fmi_path))

    def lookup(
        self, scopes: tuple[str, ...], claims: str | None, tenant_id: str | None, *, enable_cae: bool
    ) -> Entry | None:
        """Return the entry for the arguments of a ``get_token`` if it is fresh; as :meth:`.CachedTokens.lookup`."""
        grant = self._fixed
        if claims or grant is None or not grant.cacheable:
            return None
        settings = self._settings
        tenant, client_claims = tenant_id or settings.tenant_id, settings.client_claims
        key = cache_key(scopes, tenant, grant, enable_cae=enable_cae, client_claims=client_claims)
        return self._cached_tokens.fresh(key)


def _itself(grant: Grant) -> Grant:
    return grant
