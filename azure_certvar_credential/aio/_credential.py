"""The asynchronous credentials: with a certificate, with another credential's tokens, and on behalf of a user."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar
from weakref import WeakMethod

# These three are imported for their own sake: in a running event loop, the first failure, the first look at the status,
# and a certificate that is no strict PEM would hold up every task while they are read.
import azure_certvar_credential._core.refusals
import azure_certvar_credential._runtime.status
import azure_certvar_credential.certificates.encoding  # noqa: F401 - see above
from azure_certvar_credential._core.client_authentication.for_others import check_audience, client_assertion
from azure_certvar_credential._runtime.assertion_provider import AnyAssertionSource
from azure_certvar_credential._runtime.cached_tokens import CachedTokens
from azure_certvar_credential._runtime.construction import Parts
from azure_certvar_credential._runtime.credentials import (
    CredentialBase,
    WithAssertionSource,
    WithCertificate,
)
from azure_certvar_credential._runtime.fork import tell_after_fork
from azure_certvar_credential._secrecy.tracebacks import clears_frames
from azure_certvar_credential._transport.async_library import within
from azure_certvar_credential.aio._derived import AgentCredential, OnBehalfOfCredential
from azure_certvar_credential.aio._effect_runner import EffectRunner
from azure_certvar_credential.aio._shell import Shell
from azure_certvar_credential.aio._single_flight import SingleFlight
from azure_certvar_credential.certificates.sources import AnySource


class OwningCredential(CredentialBase, Shell):
    """A credential that owns its tokens, acquisitions and connections."""

    def _start(self, parts: Parts) -> None:
        self._parts, self._settings = parts, parts.settings
        self._cached_tokens = CachedTokens(
            parts.new_store(), parts.clock, parts.settings.tenant_id, parts.settings.sharing
        )
        self._cache = self._hot_path()
        self._effects = EffectRunner(parts, self._cached_tokens)
        self._single_flight = SingleFlight(self._cached_tokens, self._effects.acquire, parts.settings.retry.timeout)
        self._effects.entry = WeakMethod(self._single_flight.entry)
        tell_after_fork(self._cached_tokens, self._single_flight, parts.provider)

    @clears_frames
    def on_behalf_of(
        self, user_assertion: str | Callable[[], str] | Callable[[], Awaitable[str]]
    ) -> OnBehalfOfCredential:
        """Return a credential for tokens on behalf of a user.

        As :meth:`azure_certvar_credential.CertVarCredential.on_behalf_of`; a callable may be a coroutine function. One
        that is not is called in the event loop, where it sees the caller's context variables, and must not block.

        >>> user = credential.on_behalf_of(user_token)
        >>> token = await user.get_token("https://graph.microsoft.com/User.Read")

        :param user_assertion: the access token that the user's client sent to this application, or a callable that
            returns the present user's.
        :raises ConfigurationError: it is neither.
        :raises UserAssertionRejectedError: it is no token.
        """
        from azure_certvar_credential._runtime.user import User

        user = User(user_assertion, self._cached_tokens, self._settings)
        return OnBehalfOfCredential(self._settings, user, self._single_flight)

    @clears_frames
    def agent(self, agent_client_id: str, *, tenant_id: str | None = None) -> AgentCredential:
        """Return a credential for an agent identity, whose blueprint this application is (Microsoft Entra Agent ID).

        As :meth:`azure_certvar_credential.CertVarCredential.agent`.

        https://learn.microsoft.com/entra/agent-id/identity-platform/agent-autonomous-app-oauth-flow

        >>> async def main():
        ...     async with CertVarCredential(tenant_id, blueprint_client_id, pem) as blueprint:
        ...         return await blueprint.agent(agent_client_id).get_token("https://graph.microsoft.com/.default")
        >>> token = asyncio.run(main())

        :param agent_client_id: the agent identity's client id, a GUID.
        :param tenant_id: the agent's tenant, if it is not the blueprint's; it must be allowed by
            ``additionally_allowed_tenants``.
        :raises ConfigurationError: it is not a GUID, or the blueprint's own id; the tenant is not allowed; or the
            authority is not Entra.
        """
        # For agents alone.
        from azure_certvar_credential._runtime.agents import agent_tokens

        settings, tokens = agent_tokens(agent_client_id, tenant_id, self._cached_tokens, self._settings)
        return AgentCredential(settings, tokens, self._single_flight)

    async def close(self) -> None:
        """End what is under way, close this loop's connections and forget the tokens; closing again does nothing.

        >>> async with CertVarCredential(tenant_id, client_id, pem) as credential:  # closes it at the end
        ...     token = await credential.get_token("https://graph.microsoft.com/.default")
        """
        self._cached_tokens.close()
        await self._single_flight.close()
        await self._effects.close()


class CertVarCredential(WithCertificate[AnySource], OwningCredential):
    """Authenticates a service principal to Microsoft Entra ID with a certificate that lives in a variable.

    It is azure-core's ``AsyncTokenCredential`` and ``AsyncSupportsTokenInfo``, so every asynchronous Azure SDK client
    takes it as ``credential=``. It may be shared by any number of tasks, clients and event loops. Signing and reading
    the trusted certificates happen off the event loop. Close it with ``async with`` or ``await credential.close()``.

    The parameters are those of :class:`azure_certvar_credential.CertVarCredential`; ``transport`` and ``policies`` are
    azure-core's asynchronous ones.

    >>> credential = CertVarCredential(tenant_id, client_id, os.environ["APP_CERT"])
    >>> token = await credential.get_token("https://graph.microsoft.com/.default")
    >>> await credential.close()

    :raises CertificateError: the certificate, key or password cannot be used.
    :raises ConfigurationError: another argument cannot work; also for unknown keyword arguments. Both are
        :class:`ValueError`.
    :raises ImportError: no ``transport`` is given and aiohttp is not installed.
    """

    _shown_as: ClassVar[str] = "aio.CertVarCredential"

    async def client_assertion(self, audience: str | None = None) -> str:
        """Sign a fresh client assertion for a request that somebody else sends.

        As :meth:`azure_certvar_credential.CertVarCredential.client_assertion`.

        >>> assertion = await credential.client_assertion()

        :param audience: the token endpoint, or the issuer, of the server that it is for; by default the token endpoint
            of this credential's tenant.
        :returns: a JWT in JWS compact form, its ``jti`` never used before.
        """
        check_audience(audience)
        self._cached_tokens.check_open()
        flow = client_assertion(self._settings, audience)
        return await within(self._settings.retry.timeout, self._effects.run(flow))


class FederatedCredential(WithAssertionSource[AnyAssertionSource], OwningCredential):
    """Authenticates an application by a token of another identity, which its federated identity credential trusts.

    The parameters are those of :class:`azure_certvar_credential.FederatedCredential`; ``assertion_source`` may be a
    coroutine function, such as ``as_assertion_source()`` of an asynchronous credential returns. A function that is not
    is called in a thread.

    >>> source = credential.as_assertion_source("api://AzureADTokenExchange/.default")
    >>> federated = FederatedCredential(tenant_id, federated_client_id, source)
    >>> token = await federated.get_token("https://graph.microsoft.com/.default")

    :raises ConfigurationError: an argument that cannot work.
    :raises ImportError: no ``transport`` is given and aiohttp is not installed.
    """

    _shown_as: ClassVar[str] = "aio.FederatedCredential"
