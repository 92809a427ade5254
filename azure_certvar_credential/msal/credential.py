"""The synchronous credential that delegates to MSAL; and what it shares with the asynchronous one."""

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
    """Acquires tokens with MSAL, which is imported when the first one is asked for.

    :param parts: what the credential is made of; its options are MSAL's.
    :param cached_tokens: its tokens.
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
        """Acquire the token of a request and keep it; errors are those of :meth:`.Applications.acquire`."""
        token = self._applications().acquire(request)
        self._cached_tokens.write(request, token)
        return token

    def close(self) -> None:
        """Close the connections for good."""
        with self._lock:
            self._closed, made, self._made = True, self._made, None
        if made is not None:
            made.close()
        self._effects.close()

    def after_fork(self) -> None:
        """Start with locks of its own in a child process."""
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

    For whoever needs MSAL's token cache, which other programs may share, or its authorities. MSAL acquires; the tokens
    in memory, one request for many callers, the refresh in the background, the retries and the errors are those of
    :class:`~azure_certvar_credential.CertVarCredential`. The private key stays out of MSAL, so certificates whose key
    is in a vault or an HSM work as well. It has neither ``on_behalf_of`` nor ``client_assertion``;
    :class:`~azure_certvar_credential.CertVarCredential` has both.

    An authority's metadata, which MSAL wants before it looks into its cache, is not fetched where it follows a rule, as
    all but that of OpenID providers does. That saves a request for each tenant, and a token in a ``token_cache`` serves
    a process that starts while Entra is out of order.

    :param tenant_id: as for :class:`~azure_certvar_credential.CertVarCredential`, like the parameters up to
        ``disable_instance_discovery``. Give the GUID to share a ``token_cache`` with other programs: it is what MSAL
        keeps tokens under, and a domain name is not looked up.
    :param client_id: the 'Application (client) ID' of the app registration.
    :param certificate: certificate and private key in any form, or a source that returns them; not a coroutine
        function.
    :param password: opens an encrypted key or PFX; ``str`` (UTF-8) or ``bytes``.
    :param send_certificate_chain: send the certificate and its chain in the ``x5c`` header.
    :param algorithm: the JWS ``alg`` of the assertion.
    :param authority: the sign-in host.
    :param additionally_allowed_tenants: tenants that ``get_token(tenant_id=...)`` may name beside ``tenant_id``.
    :param disable_instance_discovery: trust an authority that is not one of Microsoft's hosts; MSAL would ask
        Microsoft about it otherwise.
    :param token_cache: an ``msal.TokenCache``, ``msal.SerializableTokenCache`` or msal-extensions'
        ``PersistedTokenCache``; in memory by default. Saving one that is serializable is left to the caller. Tokens
        with Continuous Access Evaluation (``enable_cae=True``) are never put into it: whoever shares it may not
        understand claims challenges.
    :param azure_region: MSAL's: the name of the Azure region whose endpoint is asked, or True
        (``msal.ConfidentialClientApplication.ATTEMPT_REGION_DISCOVERY``) to find it out.
    :param instance_discovery: MSAL's: False for not asking Microsoft about the authority; by default, and with True, it
        is asked about hosts that MSAL does not know.
    :param oidc_authority: MSAL's: the URL of another OpenID provider, with a path; in the place of ``authority``.
    :param http_client: MSAL's: an HTTP client of the caller's own, such as a ``requests.Session``, which is not closed
        with the credential; in the place of ``pipeline_options``. One of another library must not follow redirects,
        which would carry the assertion to another host.
    :param pipeline_options: azure-core's, as for :class:`~azure_certvar_credential.CertVarCredential`.
    :raises CertificateError: the certificate, key or password cannot be used.
    :raises ConfigurationError: another argument cannot work, or two contradict each other; also for unknown keyword
        arguments. Both are :class:`ValueError`.
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
        """Close the connections and forget the tokens; those in a ``token_cache`` stay. Closing again does nothing."""
        self._cached_tokens.close()
        self._delegate.close()
