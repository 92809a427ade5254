"""The asynchronous credential that delegates to MSAL, which is synchronous and runs in threads."""

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

    The parameters are those of :class:`azure_certvar_credential.msal.MsalCertVarCredential`, and synchronous as MSAL
    is: ``transport`` and ``policies`` are azure-core's synchronous ones, and a certificate's source or signer is no
    coroutine function. MSAL runs in a thread, off the event loop, and so do they. It has neither ``on_behalf_of`` nor
    ``client_assertion``; :class:`azure_certvar_credential.aio.CertVarCredential` has both.

    :raises CertificateError: the certificate, key or password cannot be used.
    :raises ConfigurationError: another argument cannot work, or two contradict each other; also for unknown keyword
        arguments. Both are :class:`ValueError`.
    """

    _shown_as: ClassVar[str] = "aio.MsalCertVarCredential"

    def _start(self, parts: Parts) -> None:
        try:
            parts.provider.refuse_coroutines()
        except ConfigurationError:
            raise ConfigurationError(
                "MSAL is synchronous and cannot await the certificate's source or signer: give it a function that is "
                "not a coroutine function, or use aio.CertVarCredential"
            ) from None
        self._parts, self._settings = parts, parts.settings
        self._cache = self._cached_tokens = CachedTokens(parts.new_store(), parts.clock, parts.settings.tenant_id)
        self._delegate = Delegate(parts, self._cached_tokens)
        self._single_flight = SingleFlight(self._cached_tokens, self._acquire, parts.settings.retry.timeout)
        tell_after_fork(self._cached_tokens, self._single_flight, parts.provider)

    async def close(self) -> None:
        """End what is under way, close the connections and forget the tokens; closing again does nothing."""
        self._cached_tokens.close()
        await self._single_flight.close()
        await in_thread(self._delegate.close)

    async def _acquire(self, request: TokenRequest) -> Token:
        token: Token = await in_thread(self._delegate.acquire, request)
        return token
