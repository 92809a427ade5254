"""The synchronous credential that delegates to MSAL, and the part that the asynchronous one shares."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, ClassVar

from azure_certvar_credential._core.effects import Token
from azure_certvar_credential._core.request import TokenRequest
from azure_certvar_credential._runtime.cached_tokens import CachedTokens
from azure_certvar_credential._runtime.construction import Parts
from azure_certvar_credential._runtime.fork import tell_after_fork
from azure_certvar_credential._sync.effect_runner import EffectRunner
from azure_certvar_credential._sync.shell import Shell
from azure_certvar_credential._sync.single_flight import SingleFlight
from azure_certvar_credential.exceptions import CLOSED, CredentialClosedError
from azure_certvar_credential.msal.options import WithMsal

if TYPE_CHECKING:
    from azure_certvar_credential.msal.applications import Applications


class Delegate:
    """Acquires tokens with MSAL, and imports MSAL for the first one.

    :param parts: the parts of the credential, with :class:`.MsalOptions`.
    :param cached_tokens: the credential's tokens.
    """

    def __init__(self, parts: Parts, cached_tokens: CachedTokens) -> None:
        self._parts = parts
        self._cached_tokens = cached_tokens
        self._effects = EffectRunner(parts, cached_tokens)
        self._lock = threading.Lock()
        self._closed = False
        self._made: Applications | None = None
        tell_after_fork(self)

    def acquire(self, request: TokenRequest) -> Token:
        """Acquire a token and cache it; the errors are those of :meth:`.Applications.acquire`."""
        token = self._applications().acquire(request)
        self._cached_tokens.write(request, token)
        return token

    def close(self) -> None:
        """Close the connections permanently."""
        with self._lock:
            self._closed, made, self._made = True, self._made, None
        # Each has a sender, and a transport that was handed over is closed once. Without applications nothing was sent.
        (self._effects if made is None else made).close()

    def after_fork(self) -> None:
        """Replace the locks in a child process: the thread that may hold them does not exist there."""
        self._lock = threading.Lock()
        if self._made is not None:
            self._made.after_fork()

    def _applications(self) -> Applications:
        made = self._made
        if made is None:
            from azure_certvar_credential.msal.applications import Applications

            with self._lock:
                if self._closed:
                    raise CredentialClosedError(CLOSED)
                made = self._made = self._made or Applications(self._parts, self._effects)
        return made


class MsalCertVarCredential(WithMsal, Shell):
    """Authenticates a service principal with a certificate that lives in a variable, through MSAL for Python.

    Use it for MSAL's token cache, which other programs can share, or for MSAL's authorities. MSAL acquires the tokens.
    The tokens in memory, the single request for many callers, the background refresh, the retries and the errors are
    the same as in :class:`~azure_certvar_credential.CertVarCredential`. MSAL never receives the private key, so
    certificates whose key is in a vault or an HSM work as well. ``on_behalf_of`` and ``client_assertion`` exist in
    :class:`~azure_certvar_credential.CertVarCredential` only.

    MSAL reads an authority's metadata before it searches its cache. Only an OpenID provider's metadata is fetched; for
    every other authority it follows a rule. That saves a request for each tenant, and a process that starts while Entra
    is unavailable can use a token from ``token_cache``.

    A token from the cache is for exactly the scopes that were requested. MSAL by itself would also return one for more
    scopes, or for scopes in another case.

    >>> credential = MsalCertVarCredential(tenant_id, client_id, pem, token_cache=cache)
    >>> token = credential.get_token("https://graph.microsoft.com/.default")

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
    :param pipeline_options: azure-core's options, as in :class:`~azure_certvar_credential.CertVarCredential`.
    :raises CertificateError: the certificate, key or password cannot be used.
    :raises ConfigurationError: another argument cannot work, two arguments contradict each other, or a keyword
        argument is unknown. Both errors are :class:`ValueError`.
    """

    _shown_as: ClassVar[str] = "MsalCertVarCredential"

    def _start(self, parts: Parts) -> None:
        parts.provider.refuse_coroutines()
        self._parts, self._settings = parts, parts.settings
        self._cache = self._cached_tokens = CachedTokens(parts.new_store(), parts.clock, parts.settings.tenant_id)
        self._delegate = Delegate(parts, self._cached_tokens)
        self._single_flight = SingleFlight(self._cached_tokens, self._delegate.acquire, parts.settings.retry.timeout)
        tell_after_fork(self._cached_tokens, self._single_flight, parts.provider)

    def close(self) -> None:
        """Close the connections and drop the tokens in memory; ``token_cache`` keeps its own. Idempotent.

        >>> with MsalCertVarCredential(tenant_id, client_id, pem) as credential:  # closes it at the end
        ...     token = credential.get_token("https://graph.microsoft.com/.default")
        """
        self._cached_tokens.close()
        self._delegate.close()
