"""The synchronous credentials: with a certificate, with another credential's tokens, and on behalf of a user."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar
from weakref import WeakMethod

from azure_certvar_credential import _sync
from azure_certvar_credential._runtime.cached_tokens import CachedTokens
from azure_certvar_credential._runtime.construction import Parts
from azure_certvar_credential._runtime.credentials import (
    CredentialBase,
    WithAssertionSource,
    WithCertificate,
)
from azure_certvar_credential._runtime.fork import tell_after_fork
from azure_certvar_credential._secrecy.tracebacks import clears_frames
from azure_certvar_credential._sync.calls import within
from azure_certvar_credential._sync.effect_runner import EffectRunner
from azure_certvar_credential._sync.shell import Shell
from azure_certvar_credential._sync.single_flight import SingleFlight

if TYPE_CHECKING:  # both stand in strings, which ruff does not read
    from azure_certvar_credential._runtime.assertion_provider import AssertionSource  # noqa: F401 - see above
    from azure_certvar_credential.certificates.sources import Source  # noqa: F401 - see above


class OwningCredential(CredentialBase, Shell):
    """A credential that owns its tokens, acquisitions and connections."""

    def _start(self, parts: Parts) -> None:
        parts.provider.refuse_coroutines()
        if parts.shared is not None:
            parts.shared.refuse_coroutines()
        self._parts, self._settings = parts, parts.settings
        self._cached_tokens = CachedTokens(
            parts.new_store(), parts.clock, parts.settings.tenant_id, parts.settings.sharing
        )
        self._cache = self._hot_path()
        self._effects = EffectRunner(parts, self._cached_tokens)
        self._single_flight = SingleFlight(
            self._cached_tokens, self._effects.acquire, parts.settings.retry.timeout, is_bounded=parts.is_bounded
        )
        self._effects.entry = WeakMethod(self._single_flight.entry)
        tell_after_fork(self._cached_tokens, self._single_flight, parts.provider)

    @clears_frames
    def on_behalf_of(self, user_assertion: str | Callable[[], str]) -> _sync.OnBehalfOfCredential:
        """Return a credential for tokens on behalf of a user, by Entra's on-behalf-of flow.

        It shares this credential's certificate, connections, options and tokens; it costs next to nothing to make, so
        make one for each request that comes in. The tokens of users are kept apart by a hash of their assertion.

        https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow

        >>> user = credential.on_behalf_of(user_token)
        >>> token = user.get_token("https://graph.microsoft.com/User.Read")

        :param user_assertion: the access token that the user's client sent to this application, without the scheme
            ``Bearer``; or a callable that returns the present user's.
        :raises ConfigurationError: it is neither, or cannot be called synchronously.
        :raises UserAssertionRejectedError: it is no token. Whether it is expired, or somebody else's, ``get_token``
            says.
        """
        from azure_certvar_credential._runtime.user import User

        user = User(user_assertion, self._cached_tokens, self._settings)
        user.refuse_coroutines()
        return _sync.OnBehalfOfCredential(self._settings, user, self._single_flight)

    @clears_frames
    def agent(self, agent_client_id: str, *, tenant_id: str | None = None) -> _sync.AgentCredential:
        """Return a credential for an agent identity, whose blueprint this application is (Microsoft Entra Agent ID).

        An agent has no credentials of its own. It shares this credential's certificate, connections, options and cache,
        so it costs next to nothing: make one whenever you need it. Each of the requests that lead to a token (the
        blueprint's token for the agent, the agent's own, its user's) is cached and renewed like any other token.

        https://learn.microsoft.com/entra/agent-id/identity-platform/agent-autonomous-app-oauth-flow

        >>> agent = blueprint.agent(agent_client_id)
        >>> token = agent.get_token("https://graph.microsoft.com/.default")

        :param agent_client_id: the agent identity's client id, a GUID.
        :param tenant_id: the agent's tenant, if it is not the blueprint's; it must be allowed by
            ``additionally_allowed_tenants``.
        :raises ConfigurationError: it is not a GUID, or the blueprint's own id; the tenant is not allowed; or the
            authority is not Entra.
        """
        # For agents alone.
        from azure_certvar_credential._runtime.agents import agent_tokens

        settings, tokens = agent_tokens(agent_client_id, tenant_id, self._cached_tokens, self._settings)
        return _sync.AgentCredential(settings, tokens, self._single_flight)

    def close(self) -> None:
        """Close the connections to the token endpoint and forget the tokens; closing again does nothing.

        >>> with CertVarCredential(tenant_id, client_id, pem) as credential:  # closes it at the end
        ...     token = credential.get_token("https://graph.microsoft.com/.default")
        """
        self._cached_tokens.close()
        self._effects.close()


class CertVarCredential(WithCertificate["Source"], OwningCredential):
    """Authenticates a service principal to Microsoft Entra ID with a certificate that lives in a variable.

    It is azure-core's ``TokenCredential`` and ``SupportsTokenInfo``, so every Azure SDK client takes it as
    ``credential=``. It may be shared by any number of threads and clients; share one, because it caches its tokens.

    >>> credential = CertVarCredential(tenant_id, client_id, os.environ["APP_CERT"])
    >>> token = credential.get_token("https://graph.microsoft.com/.default")

    :param tenant_id: the tenant's GUID or one of its domain names; ``adfs`` for an ADFS server.
    :param client_id: the 'Application (client) ID' of the app registration.
    :param certificate: certificate and private key in any form that :meth:`.ClientCertificate.load` takes: PEM or PFX
        as ``str`` or ``bytes``, base64 of either, a ``(certificate, key)`` pair, ``cryptography`` objects, a Key Vault
        secret. Or a source: a function without parameters that returns any of these, for a certificate that changes
        while the process runs, such as :class:`.EnvironmentCertificate` or a ``KeyVaultCertificate``.
    :param certificate_data: another name of ``certificate``, azure-identity's.
    :param password: opens an encrypted key or PFX; ``str`` (UTF-8) or ``bytes``.
    :param send_certificate_chain: send the certificate and its chain in the ``x5c`` header, which registrations by
        subject name and issuer need.
    :param algorithm: the JWS ``alg`` of the assertion (RFC 7518 section 3.1): ``PS256`` by default, ``RS256`` for
        ADFS and dSTS; also RS and PS with 384 and 512, and ``ES256``, ``ES384``, ``ES512`` for servers other than
        Entra. By default a signer that cannot do PSS, as many HSMs and smart cards, signs with ``RS256``.
    :param assertion_audience: the ``aud`` of assertions for an ``oidc_authority``: ``issuer`` by default, as FAPI 2.0
        and the update of RFC 7523 want, with the ``typ`` ``client-authentication+jwt``; ``token_endpoint``, with
        ``JWT``, for older servers. Microsoft's servers want the latter and get it.
    :param expiry_warning_days: from so many days before the certificate expires it is named in the log once a day, as a
        warning, and in the last week as an error; 0 for never.
    :param authority: the sign-in host, such as ``login.microsoftonline.us``; by default the environment variable
        ``AZURE_AUTHORITY_HOST``, else the public cloud's. Also ``https://{name}.ciamlogin.com`` of an external tenant,
        ``https://{name}.b2clogin.com/{tenant}/{policy}`` of Azure AD B2C, ``https://{host}/adfs`` and
        ``https://{host}/dstsv2/{tenant}``.
    :param additionally_allowed_tenants: tenants that ``get_token(tenant_id=...)`` may name beside ``tenant_id``;
        ``*`` for all.
    :param disable_instance_discovery: trust an authority that is not one of Microsoft's hosts.
    :param region: the Azure region whose token endpoint is asked, such as ``westeurope``, which Microsoft offers to its
        own applications only; ``auto`` finds out where the process runs, in two seconds at most. By default the
        environment variable ``AZURE_REGIONAL_AUTHORITY_NAME``, else none.
    :param oidc_authority: the issuer of any OpenID provider, in the place of ``authority``; its metadata document names
        the token endpoint, and is read once a day. A token of which the provider does not say how long it lives is
        used for 300 seconds.
    :param claims: claims that every request asks for (OpenID Connect Core section 5.5), as a dict or JSON text; tokens
        are cached by its value. ``get_token(client_claims=...)`` takes other ones. The claims that a service demands
        later are merged with them.
    :param token_cache: a cache that several processes share, such as :class:`.SQLiteTokenCache` on one machine or
        :class:`.RedisTokenCache` for a fleet: one process requests a token, and all use it. The entries are sealed, so
        that only a holder of the certificate's private key reads them. By default each process has its own tokens. The
        credential does not close the cache.
    :param encryption_key: seals the entries in the place of the certificate, which has to be RSA otherwise: 32 bytes,
        or a list of such keys, of which the first seals and all open. Entries then outlive a rotation of the
        certificate.
    :param share_user_tokens: share the tokens of users too, with their refresh tokens.
    :param invalidation_seconds: after how many seconds at most this process stops using a token that another one has
        replaced to answer a claims challenge; 5 by default.
    :param pipeline_options: azure-core's: ``transport``, ``proxies``, ``connection_verify``, ``connection_timeout``
        (seconds for each address of a name, 5 by default, and twice that for all of them), ``read_timeout`` (seconds,
        30 by default), ``retry_total`` (3 by default), ``policies``, ``user_agent`` and the others. An acquisition ends
        after ``timeout`` (seconds, 30 by default), whatever it waits for.
    :raises CertificateError: the certificate, key or password cannot be used.
    :raises ConfigurationError: another argument cannot work; also for unknown keyword arguments. Both are
        :class:`ValueError`.
    """

    _shown_as: ClassVar[str] = "CertVarCredential"

    def client_assertion(self, audience: str | None = None) -> str:
        """Sign a fresh client assertion (RFC 7523 section 2.2) for a request that somebody else sends.

        The method itself is what azure-identity's ``ClientAssertionCredential`` takes as ``func``. It is valid for ten
        minutes and for this audience; keep it as secret as a password.

        >>> form = {
        ...     "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ...     "client_assertion": credential.client_assertion(),
        ... }

        :param audience: the token endpoint, or the issuer, of the server that it is for; by default the token endpoint
            of this credential's tenant.
        :returns: a JWT in JWS compact form, its ``jti`` never used before.
        :raises ConfigurationError: the audience is no text or has white space.
        :raises CertificateError: the source of the certificate, or the signer, failed.
        :raises AcquisitionTimeoutError: it was not signed within the credential's ``timeout``.
        :raises AuthenticationError, azure.core.exceptions.AzureError: without an audience, the metadata document of the
            ``oidc_authority`` could not be had.
        :raises CredentialClosedError: the credential was closed.
        """
        # For those alone who authenticate other libraries.
        from azure_certvar_credential._core.client_authentication.for_others import check_audience, client_assertion

        check_audience(audience)
        self._cached_tokens.check_open()
        flow = client_assertion(self._settings, audience)
        signed: str = within(self._settings.retry.timeout, self._effects.run, flow)
        return signed


class FederatedCredential(WithAssertionSource["AssertionSource"], OwningCredential):
    """Authenticates an application by a token of another identity, which its federated identity credential trusts.

    It is the second leg of a federated chain: the first is ``as_assertion_source`` of a credential with a
    certificate, or any function that returns a token, such as one of a managed identity or of a CI system.

    https://learn.microsoft.com/entra/workload-id/workload-identity-federation

    >>> source = credential.as_assertion_source("api://AzureADTokenExchange/.default")
    >>> federated = FederatedCredential(tenant_id, federated_client_id, source)
    >>> token = federated.get_token("https://graph.microsoft.com/.default")

    :param tenant_id: the tenant's GUID or one of its domain names.
    :param client_id: the application whose tokens are wanted.
    :param assertion_source: returns the token that proves the identity; called once for each token request, so it
        should cache, as the credentials of this package do.
    :param authority: as for :class:`CertVarCredential`, like the parameters after it.
    :raises ConfigurationError: an argument that cannot work.
    """

    _shown_as: ClassVar[str] = "FederatedCredential"
