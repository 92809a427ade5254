"""The synchronous credential: the hot path, and the performing of the flow's effects."""

from __future__ import annotations

import os
from collections.abc import Iterable
from types import TracebackType
from typing import Any

from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions

from azure_certvar_credential._core import effects
from azure_certvar_credential._core.effects import Effect, Result, Token, run
from azure_certvar_credential._core.flow import acquire
from azure_certvar_credential._core.request import TokenRequest
from azure_certvar_credential._flights import Flights, in_background
from azure_certvar_credential._runtime.blocking import blocking
from azure_certvar_credential._runtime.construction import Parts, construct
from azure_certvar_credential._runtime.environment import arguments_from
from azure_certvar_credential._runtime.fork import tell_after_fork
from azure_certvar_credential._runtime.keeper import TokenKeeper
from azure_certvar_credential._runtime.moment import moment
from azure_certvar_credential._transport.sync import Sender
from azure_certvar_credential.caches.memory import Entry
from azure_certvar_credential.certificates import ClientCertificate

_NO_OPTIONS: TokenRequestOptions = {}


class CertVarCredential:
    """Authenticates a service principal to Microsoft Entra ID with a certificate that lives in a variable.

    It is azure-core's ``TokenCredential`` and ``SupportsTokenInfo``, so every Azure SDK client takes it as
    ``credential=``. It may be shared by any number of threads and clients; share one, because it caches its tokens.

    :param tenant_id: the tenant's GUID or one of its domain names; ``adfs`` for an ADFS server.
    :param client_id: the 'Application (client) ID' of the app registration.
    :param certificate: certificate and private key in any form that :meth:`.ClientCertificate.load` takes: PEM or PFX
        as ``str`` or ``bytes``, base64 of either, a ``(certificate, key)`` pair, ``cryptography`` objects, a Key Vault
        secret. ``certificate_data`` is another name of it, azure-identity's.
    :param password: opens an encrypted key or PFX; ``str`` (UTF-8) or ``bytes``.
    :param send_certificate_chain: send the certificate and its chain in the ``x5c`` header, which registrations by
        subject name and issuer need.
    :param algorithm: the JWS ``alg`` of the assertion (RFC 7518 section 3.1): ``PS256`` by default, ``RS256`` for
        ADFS; also RS and PS with 384 and 512, and ``ES256``, ``ES384``, ``ES512`` for servers other than Entra.
    :param authority: the sign-in host, such as ``login.microsoftonline.us``; by default the environment variable
        ``AZURE_AUTHORITY_HOST``, else the public cloud's.
    :param additionally_allowed_tenants: tenants that ``get_token(tenant_id=...)`` may name beside ``tenant_id``;
        ``*`` for all.
    :param disable_instance_discovery: trust an authority that is not one of Microsoft's hosts.
    :param pipeline_options: azure-core's: ``transport``, ``proxies``, ``connection_verify``, ``connection_timeout``
        (seconds, 10 by default), ``read_timeout`` (seconds, 30 by default), ``retry_total`` (3 by default),
        ``policies``, ``user_agent`` and the others.
    :raises CertificateError: the certificate, key or password cannot be used.
    :raises ConfigurationError: another argument cannot work; also for unknown keyword arguments. Both are
        :class:`ValueError`.
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
        parts.holder.refuse_coroutines()
        self._parts = parts
        self._sender = Sender(parts.options, owns_transport=parts.owns_transport)
        self._keeper = TokenKeeper(parts.clock, parts.settings.tenant_id)
        self._flights = Flights(self._keeper, self._acquire)
        tell_after_fork(self._keeper, self._flights, self._sender, parts.holder)

    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **kwargs: Any,  # noqa: ARG002 - the protocol's; a newer azure-core may pass options that are not known yet
    ) -> AccessToken:
        """Return an access token, from the cache when it has a fresh one.

        :param scopes: what the token is for, usually one ``{resource}/.default``.
        :param claims: a claims challenge as JSON text; it bypasses the cache, and its token replaces the cached one.
        :param tenant_id: ask this tenant instead; it must be allowed by ``additionally_allowed_tenants``.
        :param enable_cae: the client understands Continuous Access Evaluation.
        :returns: the token, and when it expires in seconds since the epoch (UTC).
        :raises ConfigurationError: no scope or a malformed one, or a tenant that is not allowed.
        :raises AuthenticationError: the server refused, or answered with something that is no token.
        :raises azure.core.exceptions.AzureError: the server could not be reached.
        """
        entry = self._keeper.hot(scopes, claims, tenant_id, enable_cae=enable_cae)
        if entry is not None:
            return entry.access_token
        return self._entry(scopes, claims, tenant_id, enable_cae=enable_cae).access_token

    def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """Return an access token with the time at which it should be refreshed; otherwise as :meth:`get_token`.

        :param scopes: what the token is for, usually one ``{resource}/.default``.
        :param options: ``claims``, ``tenant_id`` and ``enable_cae`` as :meth:`get_token` takes them.
        """
        given = options or _NO_OPTIONS
        claims, tenant_id = given.get("claims"), given.get("tenant_id")
        enable_cae = given.get("enable_cae", False)
        entry = self._keeper.hot(scopes, claims, tenant_id, enable_cae=enable_cae)
        if entry is not None:
            return entry.access_token_info
        return self._entry(scopes, claims, tenant_id, enable_cae=enable_cae).access_token_info

    def close(self) -> None:
        """Close the connections to the token endpoint and forget the tokens; closing again does nothing."""
        self._keeper.close()
        self._sender.close()

    def __enter__(self) -> CertVarCredential:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<CertVarCredential {self._parts.description}>"

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

    def _entry(self, scopes: tuple[str, ...], claims: str | None, tenant_id: str | None, *, enable_cae: bool) -> Entry:
        request = self._parts.settings.request(scopes, claims=claims, tenant_id=tenant_id, enable_cae=enable_cae)
        return self._flights.entry(request)

    def _acquire(self, request: TokenRequest) -> Token:
        return run(acquire(self._parts.settings, request), self._perform)

    def _load(self, refused: ClientCertificate | None) -> ClientCertificate:
        holder = self._parts.holder
        readings = holder.readings
        ready, due = holder.ready(refused)
        if due:
            try:
                in_background(self._read, refused, readings)
            except RuntimeError as error:  # no more threads to be had, or the interpreter is shutting down
                holder.source_failed(error, refused)
        return self._read(refused, readings) if ready is None else ready

    def _read(self, refused: ClientCertificate | None, readings: int) -> ClientCertificate:
        holder = self._parts.holder
        with holder.reading:  # whoever waits here has nothing else to sign with
            certificate = holder.read_meanwhile(readings, refused)
            if certificate is not None:
                return certificate
            try:
                return holder.accept(blocking(holder.read_source(), "source"), refused)
            except Exception as error:  # noqa: BLE001 - a source is the caller's code and may raise anything
                return holder.source_failed(error, refused)

    def _perform(self, effect: Effect) -> Result:
        match effect:
            case effects.Now():
                return moment(self._parts.clock)
            case effects.ReadCache(request):
                return self._keeper.memory.read(request.key)
            case effects.LoadCertificate(refused):
                return self._load(refused)
            case effects.ReadAssertion(key):
                return self._keeper.read_assertion(key)
            case effects.WriteAssertion(key, assertion, until):
                return self._keeper.write_assertion(key, assertion, until)
            case effects.Sign(signer, message, algorithm):
                return blocking(signer.sign(message, algorithm), "signer")
            case effects.Send():
                return self._sender.send(effect)
            case effects.Wait(seconds):
                return self._sender.sleep(seconds)
            case effects.WriteCache(request, token):
                return self._keeper.write(request, token)
