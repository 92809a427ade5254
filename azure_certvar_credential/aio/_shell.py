"""What every asynchronous credential has in common: the hot path, azure-core's protocols, the end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions
from typing_extensions import Self  # of the standard library from Python 3.11 on; azure-core needs it too

from azure_certvar_credential._core.config import Settings
from azure_certvar_credential._core.grants import Grant
from azure_certvar_credential._core.grants.client_credentials import APPLICATION, client_credentials
from azure_certvar_credential._core.request import check_options
from azure_certvar_credential._runtime.shared_view import shared_view
from azure_certvar_credential._transport.deadline import Deadline
from azure_certvar_credential._transport.option_types import check_types
from azure_certvar_credential.aio._single_flight import SingleFlight
from azure_certvar_credential.caches.memory import Entry

if TYPE_CHECKING:
    from azure_certvar_credential.caches.store import CacheLookup

_NO_OPTIONS: TokenRequestOptions = {}


class Shell:
    """An ``AsyncTokenCredential`` and ``AsyncSupportsTokenInfo`` over the single flight of a credential.

    What a credential's ``_start`` gives it:

    :ivar _cache: the tokens that are returned without further ado; the hot path.
    :ivar _settings: check the arguments of a ``get_token``.
    :ivar _single_flight: acquires the other tokens.
    """

    _cache: CacheLookup
    _settings: Settings
    _single_flight: SingleFlight

    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        fmi_path: str | None = None,
        client_claims: str | Mapping[str, Any] | None = None,
        timeout: float | None = None,
        **kwargs: Any,  # noqa: ARG002 - the protocol's; a newer azure-core may pass options that are not known yet
    ) -> AccessToken:
        """Return an access token, from the cache when it has a fresh one.

        Parameters and errors are those of :meth:`azure_certvar_credential.CertVarCredential.get_token`. A caller that
        is cancelled leaves the request to the others who wait for it; when there are none, it is cancelled too.

        >>> token = (await credential.get_token("https://storage.azure.com/.default")).token
        """
        if fmi_path is None and client_claims is None:
            entry = self._cache.lookup(scopes, claims, tenant_id, enable_cae=enable_cae)
            if entry is not None:
                return entry.access_token
        entry = await self._entry(
            scopes,
            claims,
            tenant_id,
            enable_cae=enable_cae,
            fmi_path=fmi_path,
            client_claims=client_claims,
            timeout=timeout,
        )
        return entry.access_token

    async def get_token_info(
        self,
        *scopes: str,
        options: TokenRequestOptions | None = None,
        fmi_path: str | None = None,
        client_claims: str | Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> AccessTokenInfo:
        """Return an access token with the time at which it should be refreshed; otherwise as :meth:`get_token`.

        Parameters are those of :meth:`azure_certvar_credential.CertVarCredential.get_token_info`.

        >>> info = await credential.get_token_info("https://graph.microsoft.com/.default", options={"enable_cae": True})
        >>> info.refresh_on < info.expires_on
        True
        """
        given = options or _NO_OPTIONS
        if options:
            check_options(options)
        claims, tenant_id = given.get("claims"), given.get("tenant_id")
        enable_cae = given.get("enable_cae", False)
        if fmi_path is None and client_claims is None:
            entry = self._cache.lookup(scopes, claims, tenant_id, enable_cae=enable_cae)
            if entry is not None:
                return entry.access_token_info
        entry = await self._entry(
            scopes,
            claims,
            tenant_id,
            enable_cae=enable_cae,
            fmi_path=fmi_path,
            client_claims=client_claims,
            timeout=timeout,
        )
        return entry.access_token_info

    def token_provider(
        self,
        *scopes: str,
        tenant_id: str | None = None,
        client_claims: str | Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> Callable[[], Awaitable[str]]:
        """Return a coroutine function that returns the text of a token.

        It is for everything that takes one instead of a credential, such as
        ``AsyncAzureOpenAI(azure_ad_token_provider=...)`` and asyncpg's ``password``.

        >>> provide = credential.token_provider("https://storage.azure.com/.default")
        >>> token = await provide()

        :param scopes: what the token is for, usually one ``{resource}/.default``.
        :param tenant_id: ask this tenant instead, as for :meth:`get_token`, like the parameters after it.
        """

        async def token() -> str:
            options: dict[str, Any] = {"tenant_id": tenant_id, "client_claims": client_claims, "timeout": timeout}
            return (await self.get_token(*scopes, **options)).token

        return token

    def as_assertion_source(self, scope: str, *, fmi_path: str | None = None) -> Callable[[], Awaitable[str]]:
        """Return a coroutine function whose tokens prove this identity to another application.

        Parameters are those of :meth:`azure_certvar_credential.CertVarCredential.as_assertion_source`; it goes to the
        asynchronous :class:`FederatedCredential`.

        >>> source = credential.as_assertion_source("api://AzureADTokenExchange/.default")
        >>> second = FederatedCredential(tenant_id, federated_client_id, source)
        """

        async def token() -> str:
            return (await self.get_token(scope, fmi_path=fmi_path)).token

        return token

    def shared(self) -> Self:
        """Return this credential for clients that close what they are given, such as ``ChainedTokenCredential``.

        It is the same credential, with the same tokens and connections, except that closing it, also by
        ``async with``, does nothing. Close this one when all of them are done.

        >>> async with credential.shared() as lent:
        ...     token = await lent.get_token("https://graph.microsoft.com/.default")
        >>> token = await credential.get_token("https://graph.microsoft.com/.default")  # is still open
        """
        return shared_view(self, Shell)

    async def close(self) -> None:
        """Let go of what the credential holds; closing again does nothing.

        >>> await credential.on_behalf_of(user_token).close()  # the connections stay open: they are the credential's
        """

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()

    async def _grant(self, fmi_path: str | None, limit: Deadline) -> Grant:  # noqa: ARG002 - for what takes time
        """Return what the token is asked for with."""
        return APPLICATION if fmi_path is None else client_credentials(fmi_path)

    async def _entry(
        self,
        scopes: tuple[str, ...],
        claims: str | None,
        tenant_id: str | None,
        *,
        enable_cae: bool,
        fmi_path: str | None = None,
        client_claims: object = None,
        timeout: float | None = None,
    ) -> Entry:
        if timeout is not None:
            check_types({"timeout": timeout})
        limit = Deadline(self._settings.retry.timeout if timeout is None else timeout)
        grant = await self._grant(fmi_path, limit)
        request = self._settings.request(
            scopes, claims=claims, tenant_id=tenant_id, enable_cae=enable_cae, grant=grant, client_claims=client_claims
        )
        return await self._single_flight.entry(request, limit)
