"""The asynchronous credential that delegates to MSAL; MSAL is synchronous, and runs in threads."""

from __future__ import annotations

from typing import ClassVar

from azure_certvar_credential._core.effects import Token
from azure_certvar_credential._core.request import TokenRequest
from azure_certvar_credential._runtime.cached_tokens import CachedTokens
from azure_certvar_credential._runtime.construction import Parts
from azure_certvar_credential._runtime.fork import tell_after_fork
from azure_certvar_credential._transport.in_thread import in_thread
from azure_certvar_credential.aio._shell import Shell
from azure_certvar_credential.aio._single_flight import SingleFlight
from azure_certvar_credential.exceptions import ConfigurationError
from azure_certvar_credential.msal.credential import Delegate
from azure_certvar_credential.msal.options import WithMsal


class MsalCertVarCredential(WithMsal, Shell):
    """Authenticates a service principal with a certificate that lives in a variable, through MSAL for Python.

    Use it for MSAL's token cache, which other programs can share, or for MSAL's authorities. MSAL is synchronous: it
    runs in a thread, off the event loop, and so do the certificate's source, the signer, ``transport`` and
    ``policies``, which have to be synchronous too. ``on_behalf_of`` and ``client_assertion`` exist in
    :class:`azure_certvar_credential.aio.CertVarCredential` only.

    A token from the cache is for exactly the scopes that were requested. MSAL by itself would also return one for more
    scopes, or for scopes in another case.

    >>> credential = MsalCertVarCredential(tenant_id, client_id, pem, token_cache=cache)
    >>> token = await credential.get_token("https://graph.microsoft.com/.default")

    :param tenant_id: the 'Directory (tenant) ID' of the app registration, a GUID or a domain name. To share a
        ``token_cache`` with other programs, pass the GUID: MSAL stores tokens under the tenant's name as given.
    :param client_id: the 'Application (client) ID' of the app registration.
    :param certificate: certificate and private key in any form that :meth:`.ClientCertificate.load` takes, or a
        function without parameters that returns them. It must not be a coroutine function: MSAL is synchronous.
    :param certificate_data: azure-identity's name for ``certificate``.
    :param password: opens an encrypted key or PFX; ``str`` (UTF-8) or ``bytes``.
    :param send_certificate_chain: send the certificate and its chain in the ``x5c`` header, which registrations by
        subject name and issuer need.
    :param algorithm: the JWS ``alg`` of the assertion (RFC 7518 section 3.1); ``PS256`` by default, ``RS256`` for ADFS
        and dSTS.
    :param expiry_warning_days: from so many days before the certificate expires, a line a day in the log; 0 for never.
    :param authority: the sign-in host or its https URL; ``AZURE_AUTHORITY_HOST``, or the public cloud's, by default.
    :param additionally_allowed_tenants: tenants that ``get_token(tenant_id=...)`` may name in addition to
        ``tenant_id``; ``["*"]`` for all.
    :param disable_instance_discovery: trust an authority that is not one of Microsoft's hosts. Without it, MSAL asks
        Microsoft about such a host, and no assertion is sent unless Microsoft confirms it. Microsoft knows Entra's
        hosts only, so an unknown host of ADFS, B2C or dSTS is refused at once.
    :param token_cache: an ``msal.TokenCache``, ``msal.SerializableTokenCache`` or msal-extensions'
        ``PersistedTokenCache``; in memory by default. The caller saves a serializable cache. Tokens with Continuous
        Access Evaluation (``enable_cae=True``) are never stored in it, because other programs that share it may not
        understand claims challenges.
    :param azure_region: MSAL's option: the name of the Azure region whose endpoint to use, True
        (``msal.ConfidentialClientApplication.ATTEMPT_REGION_DISCOVERY``) to detect it, or False for none, even if
        ``AZURE_REGIONAL_AUTHORITY_NAME`` names one.
    :param instance_discovery: MSAL's option: False is the same as ``disable_instance_discovery=True``; by default, and
        with True, MSAL asks Microsoft about hosts that it does not know.
    :param oidc_authority: MSAL's option: the issuer URL of another OpenID provider, with a path; replaces
        ``authority``.
    :param http_client: MSAL's option: the caller's own HTTP client, such as a ``requests.Session``; replaces
        ``pipeline_options``. The credential does not close it. A client of another library must not follow redirects,
        which would carry the assertion to another host.
    :param pipeline_options: azure-core's options, as in :class:`~azure_certvar_credential.aio.CertVarCredential`;
        ``transport`` and ``policies`` are the synchronous ones.
    :raises CertificateError: the certificate, key or password cannot be used.
    :raises ConfigurationError: another argument cannot work, two arguments contradict each other, or a keyword
        argument is unknown. Both errors are :class:`ValueError`.
    """

    _shown_as: ClassVar[str] = "aio.MsalCertVarCredential"

    def _start(self, parts: Parts) -> None:
        try:
            parts.provider.refuse_coroutines()
        except ConfigurationError:
            raise ConfigurationError(
                "MSAL is synchronous and cannot await the certificate's source or signer: pass a synchronous function, "
                "or use aio.CertVarCredential"
            ) from None
        self._parts, self._settings = parts, parts.settings
        self._cache = self._cached_tokens = CachedTokens(parts.new_store(), parts.clock, parts.settings.tenant_id)
        self._delegate = Delegate(parts, self._cached_tokens)
        self._single_flight = SingleFlight(self._cached_tokens, self._acquire, parts.settings.retry.timeout)
        tell_after_fork(self._cached_tokens, self._single_flight, parts.provider)

    async def close(self) -> None:
        """Cancel pending calls, close the connections and drop the tokens in memory. Idempotent.

        >>> async with MsalCertVarCredential(tenant_id, client_id, pem) as credential:  # closes it at the end
        ...     token = await credential.get_token("https://graph.microsoft.com/.default")
        """
        self._cached_tokens.close()
        await self._single_flight.close()
        await in_thread(self._delegate.close)

    async def _acquire(self, request: TokenRequest) -> Token:
        token: Token = await in_thread(self._delegate.acquire, request)
        return token
