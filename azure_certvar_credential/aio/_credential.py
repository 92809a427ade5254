"""The asynchronous credential: the hot path, and the performing of the flow's effects."""

from __future__ import annotations

import os
from collections.abc import Iterable
from types import TracebackType
from typing import Any

from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions

from azure_certvar_credential._core import effects
from azure_certvar_credential._core.effects import Effect, Result, Token, arun
from azure_certvar_credential._core.flow import acquire
from azure_certvar_credential._core.request import TokenRequest
from azure_certvar_credential._runtime.construction import Parts, construct
from azure_certvar_credential._runtime.environment import arguments_from
from azure_certvar_credential._runtime.fork import tell_after_fork
from azure_certvar_credential._runtime.keeper import TokenKeeper
from azure_certvar_credential._runtime.moment import moment
from azure_certvar_credential._transport.aio import AsyncSender
from azure_certvar_credential._transport.in_thread import in_thread
from azure_certvar_credential.aio._calls import Background, LoopLock, call, sign
from azure_certvar_credential.aio._flights import Flights
from azure_certvar_credential.caches.memory import Entry
from azure_certvar_credential.certificates import ClientCertificate

_NO_OPTIONS: TokenRequestOptions = {}


class CertVarCredential:
    """Authenticates a service principal to Microsoft Entra ID with a certificate that lives in a variable.

    It is azure-core's ``AsyncTokenCredential`` and ``AsyncSupportsTokenInfo``, so every asynchronous Azure SDK client
    takes it as ``credential=``. It may be shared by any number of tasks, clients and event loops. Signing, the SSL
    context and slow imports happen off the event loop. Close it with ``async with`` or ``await credential.close()``.

    The parameters are those of :class:`azure_certvar_credential.CertVarCredential`; ``transport`` and ``policies`` are
    azure-core's asynchronous ones.

    :raises CertificateError: the certificate, key or password cannot be used.
    :raises ConfigurationError: another argument cannot work; also for unknown keyword arguments. Both are
        :class:`ValueError`.
    :raises ImportError: no ``transport`` is given and aiohttp is not installed.
    """

    def __init__(
        self,
        tenant_id: str,
        client_id: str,
        certificate: object = None,
        *,
        password: str | bytes | None = None,
        send_certificate_chain: bool = False,
        algorithm: str | None = None,
        authority: str | None = None,
        additionally_allowed_tenants: Iterable[str] = (),
        disable_instance_discovery: bool = False,
        **pipeline_options: Any,
    ) -> None:
        self._start(
            construct(
                tenant_id,
                client_id,
                certificate,
                password=password,
                send_certificate_chain=send_certificate_chain,
                algorithm=algorithm,
                authority=authority,
                additionally_allowed_tenants=additionally_allowed_tenants,
                disable_instance_discovery=disable_instance_discovery,
                options=pipeline_options,
            )
        )

    @classmethod
    def from_environment(cls, **options: Any) -> CertVarCredential:
        """Make a credential from environment variables, under azure-identity's names.

        ``AZURE_TENANT_ID``, ``AZURE_CLIENT_ID``; ``AZURE_CLIENT_CERTIFICATE`` with the *content*: PEM, or base64 of a
        PFX; optional ``AZURE_CLIENT_CERTIFICATE_PASSWORD``, ``AZURE_CLIENT_SEND_CERTIFICATE_CHAIN`` (``1`` or ``true``)
        and ``AZURE_AUTHORITY_HOST``. The certificate is read anew when it is due, so changing the variable is enough.

        :param options: further keyword arguments of the class; they win over the environment.
        :raises ConfigurationError: a variable is missing; the message names every one that is.
        :raises CertificateError: the certificate, key or password cannot be used.
        """
        return cls(**arguments_from(os.environ, options))

    def _start(self, parts: Parts) -> None:
        self._parts = parts
        self._sender = AsyncSender(parts.options, owns_transport=parts.owns_transport)
        self._reading, self._signing, self._background = LoopLock(), LoopLock(), Background()
        self._keeper = TokenKeeper(parts.clock, parts.settings.tenant_id)
        self._flights = Flights(self._keeper, self._acquire)
        tell_after_fork(self._keeper, self._flights, self._sender, parts.holder)

    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **kwargs: Any,  # noqa: ARG002 - the protocol's; a newer azure-core may pass options that are not known yet
    ) -> AccessToken:
        """Return an access token, from the cache when it has a fresh one.

        Parameters and errors are those of :meth:`azure_certvar_credential.CertVarCredential.get_token`. A caller that
        is cancelled leaves the request to the others who wait for it; when there are none, it is cancelled too.
        """
        entry = self._keeper.hot(scopes, claims, tenant_id, enable_cae=enable_cae)
        if entry is not None:
            return entry.access_token
        return (await self._entry(scopes, claims, tenant_id, enable_cae=enable_cae)).access_token

    async def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """Return an access token with the time at which it should be refreshed; otherwise as :meth:`get_token`."""
        given = options or _NO_OPTIONS
        claims, tenant_id = given.get("claims"), given.get("tenant_id")
        enable_cae = given.get("enable_cae", False)
        entry = self._keeper.hot(scopes, claims, tenant_id, enable_cae=enable_cae)
        if entry is not None:
            return entry.access_token_info
        return (await self._entry(scopes, claims, tenant_id, enable_cae=enable_cae)).access_token_info

    async def close(self) -> None:
        """End what is under way, close this loop's connections and forget the tokens; closing again does nothing."""
        self._keeper.close()
        await self._flights.close()
        await self._background.close()
        await self._sender.close()

    async def __aenter__(self) -> CertVarCredential:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<aio.CertVarCredential {self._parts.description}>"

    def __copy__(self) -> CertVarCredential:
        """Return a credential with the same settings and certificate, and with tokens and connections of its own.

        A ``transport`` that was handed in is shared, and closed with the original.
        """
        copy = object.__new__(type(self))
        copy._start(self._parts.copied())
        return copy

    def __deepcopy__(self, memo: object) -> CertVarCredential:
        return self.__copy__()

    def __reduce__(self) -> tuple[Any, ...]:
        return self._parts.pickled(type(self))

    async def _entry(
        self, scopes: tuple[str, ...], claims: str | None, tenant_id: str | None, *, enable_cae: bool
    ) -> Entry:
        request = self._parts.settings.request(scopes, claims=claims, tenant_id=tenant_id, enable_cae=enable_cae)
        return await self._flights.entry(request)

    async def _acquire(self, request: TokenRequest) -> Token:
        return await arun(acquire(self._parts.settings, request), self._perform)

    async def _load(self, refused: ClientCertificate | None) -> ClientCertificate:
        holder = self._parts.holder
        readings = holder.readings
        ready, due = holder.ready(refused)
        if due:
            self._background.start(self._read(refused, readings))
        return await self._read(refused, readings) if ready is None else ready

    async def _read(self, refused: ClientCertificate | None, readings: int) -> ClientCertificate:
        holder = self._parts.holder
        async with self._reading.lock():  # whoever waits here has nothing else to sign with
            certificate = holder.read_meanwhile(readings, refused)
            if certificate is not None:
                return certificate
            try:
                data = await call(holder.read_source)
                accepted: ClientCertificate = await in_thread(holder.accept, data, refused)
                return accepted
            except Exception as error:  # noqa: BLE001 - a source is the caller's code and may raise anything
                return holder.source_failed(error, refused)

    async def _perform(self, effect: Effect) -> Result:
        match effect:
            case effects.Now():
                return moment(self._parts.clock)
            case effects.ReadCache(request):
                return self._keeper.memory.read(request.key)
            case effects.LoadCertificate(refused):
                return await self._load(refused)
            case effects.ReadAssertion(key):
                return self._keeper.read_assertion(key)
            case effects.WriteAssertion(key, assertion, until):
                return self._keeper.write_assertion(key, assertion, until)
            case effects.Sign(signer, message, algorithm):
                return await sign(signer, message, algorithm, self._signing.lock())
            case effects.Send():
                return await self._sender.send(effect)
            case effects.Wait(seconds):
                return await self._sender.sleep(seconds)
            case effects.WriteCache(request, token):
                return self._keeper.write(request, token)
