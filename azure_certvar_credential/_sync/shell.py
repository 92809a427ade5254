"""What every synchronous credential of this package has in common: the hot path, azure-core's protocols, the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions
from typing_extensions import Self  # of the standard library from Python 3.11 on; azure-core needs it too

from azure_certvar_credential._core.config import Settings
from azure_certvar_credential._core.grants import Grant
from azure_certvar_credential._core.grants.client_credentials import APPLICATION, client_credentials
from azure_certvar_credential._core.request import check_options
from azure_certvar_credential._sync.single_flight import SingleFlight
from azure_certvar_credential._transport.deadline import Deadline
from azure_certvar_credential.caches.memory import Entry

if TYPE_CHECKING:
    from azure_certvar_credential.caches.store import CacheLookup

_NO_OPTIONS: TokenRequestOptions = {}


class Shell:
    """A ``TokenCredential`` and ``SupportsTokenInfo`` over the single flight of a credential.

    What a credential's ``_start`` gives it:

    :ivar _cache: the tokens that are returned without further ado; the hot path.
    :ivar _settings: check the arguments of a ``get_token``.
    :ivar _single_flight: acquires the other tokens.
    """

    _cache: CacheLookup
    _settings: Settings
    _single_flight: SingleFlight

    def get_token(
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

        >>> token = credential.get_token("https://storage.azure.com/.default").token

        :param scopes: what the token is for, usually one ``{resource}/.default``.
        :param claims: a claims challenge as JSON text; it bypasses the cache, and its token replaces the cached one.
        :param tenant_id: ask this tenant instead; it must be allowed by ``additionally_allowed_tenants``.
        :param enable_cae: the client understands Continuous Access Evaluation.
        :param fmi_path: the path of a federated managed identity below the application; tokens of different paths are
            cached apart.
        :param client_claims: claims that the client asks for by itself (OpenID Connect Core section 5.5), as a dict or
            JSON text, in the place of the credential's ``claims``; tokens are cached by its value. An agent's earlier
            legs go without.
        :param timeout: after how many seconds to give up when there is no token, whatever is waited for; by default the
            credential's own ``timeout``.
        :returns: the token, and when it expires in seconds since the epoch (UTC).
        :raises ConfigurationError: no scope or a malformed one, a tenant that is not allowed, claims that are no JSON
            object, or a ``timeout`` that is no number of seconds.
        :raises AuthenticationError: the server refused, or answered with something that is no token.
        :raises CertificateError: the source of the certificate, or its signer, failed, and there is no certificate yet.
        :raises CredentialClosedError: the credential was closed.
        :raises AcquisitionTimeoutError: there was no token within ``timeout``; the message says what was waited for.
        :raises azure.core.exceptions.AzureError: the server could not be reached.
        """
        if fmi_path is None and client_claims is None:
            entry = self._cache.lookup(scopes, claims, tenant_id, enable_cae=enable_cae)
            if entry is not None:
                return entry.access_token
        entry = self._entry(
            scopes,
            claims,
            tenant_id,
            enable_cae=enable_cae,
            fmi_path=fmi_path,
            client_claims=client_claims,
            timeout=timeout,
        )
        return entry.access_token

    def get_token_info(
        self,
        *scopes: str,
        options: TokenRequestOptions | None = None,
        fmi_path: str | None = None,
        client_claims: str | Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> AccessTokenInfo:
        """Return an access token with the time at which it should be refreshed; otherwise as :meth:`get_token`.

        >>> info = credential.get_token_info("https://graph.microsoft.com/.default", options={"enable_cae": True})
        >>> info.refresh_on < info.expires_on
        True

        :param scopes: what the token is for, usually one ``{resource}/.default``.
        :param options: azure-core's: ``claims``, ``tenant_id`` and ``enable_cae``, as :meth:`get_token` takes them.
        :param fmi_path: as for :meth:`get_token`, like the parameters after it.
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
        entry = self._entry(
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
    ) -> Callable[[], str]:
        """Return a function that returns the text of a token, for everything that takes one instead of a credential.

        Such are ``AzureOpenAI(azure_ad_token_provider=...)`` and the password callbacks of database drivers. Each call
        returns the token in the cache, or a new one; errors are those of :meth:`get_token`.

        >>> provide = credential.token_provider("https://storage.azure.com/.default")
        >>> provide() == credential.get_token("https://storage.azure.com/.default").token
        True

        :param scopes: what the token is for, usually one ``{resource}/.default``.
        :param tenant_id: ask this tenant instead, as for :meth:`get_token`, like the parameters after it.
        """

        def token() -> str:
            return self.get_token(*scopes, tenant_id=tenant_id, client_claims=client_claims, timeout=timeout).token

        return token

    def as_assertion_source(self, scope: str, *, fmi_path: str | None = None) -> Callable[[], str]:
        """Return a function whose tokens prove this identity to another application.

        It is the first leg of a federated chain: hand it to :class:`~azure_certvar_credential.FederatedCredential` as
        ``assertion_source``, or to azure-identity's ``ClientAssertionCredential`` as ``func``. Each call returns a
        token from the cache, or a new one; errors are those of :meth:`get_token`.

        >>> source = credential.as_assertion_source("api://AzureADTokenExchange/.default")
        >>> second = FederatedCredential(tenant_id, federated_client_id, source)

        :param scope: ``api://AzureADTokenExchange/.default`` for a federated identity credential,
            ``api://AzureFMITokenExchange/.default`` with ``fmi_path``.
        :param fmi_path: the path of a federated managed identity, or None.
        """

        def token() -> str:
            return self.get_token(scope, fmi_path=fmi_path).token

        return token

    def shared(self) -> Self:
        """Return this credential for clients that close what they are given, such as ``ChainedTokenCredential``.

        It is the same credential, with the same tokens and connections, except that closing it, also by ``with``, does
        nothing. Close this one when all of them are done.

        >>> with credential.shared() as lent:
        ...     token = lent.get_token("https://graph.microsoft.com/.default")
        >>> token = credential.get_token("https://graph.microsoft.com/.default")  # is still open
        """
        from azure_certvar_credential._runtime.shared_view import shared_view

        return shared_view(self, Shell)

    def close(self) -> None:
        """Let go of what the credential holds; closing again does nothing.

        >>> credential.on_behalf_of(user_token).close()  # the connections stay open: they are the credential's
        """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.close()

    def _grant(self, fmi_path: str | None, limit: Deadline) -> Grant:  # noqa: ARG002 - for what takes time
        """Return what the token is asked for with."""
        return APPLICATION if fmi_path is None else client_credentials(fmi_path)

    def _entry(
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
            from azure_certvar_credential._transport.option_types import check_types

            check_types({"timeout": timeout})
        limit = Deadline(self._settings.retry.timeout if timeout is None else timeout)
        grant = self._grant(fmi_path, limit)
        request = self._settings.request(
            scopes, claims=claims, tenant_id=tenant_id, enable_cae=enable_cae, grant=grant, client_claims=client_claims
        )
        return self._single_flight.entry(request, limit)
