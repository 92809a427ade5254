"""What the sync and the async credential of one name have in common: how they are made, copied, pickled and shown."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from typing_extensions import Self  # of the standard library from Python 3.11 on; azure-core needs it too

from azure_certvar_credential import _runtime
from azure_certvar_credential._core.config import Settings
from azure_certvar_credential._core.grants.client_credentials import APPLICATION
from azure_certvar_credential._core.options import CertificateOptions, FederatedOptions
from azure_certvar_credential._runtime.cached_tokens import CachedTokens
from azure_certvar_credential._runtime.construction import Parts, construct, construct_federated
from azure_certvar_credential._secrecy.identity import identified
from azure_certvar_credential._secrecy.tracebacks import clears_frames
from azure_certvar_credential.caches.protocol import AsyncTokenCache, TokenCache
from azure_certvar_credential.certificates import CertificateData, ClientCertificate

if TYPE_CHECKING:
    from azure_certvar_credential._runtime.assertion_provider import AnyAssertionSource
    from azure_certvar_credential.caches.store import CacheLookup
    from azure_certvar_credential.certificates.sources import AnySource

# Returns the certificate, and returns a client assertion: a function, for some credentials also a coroutine function.
CertificateSourceT = TypeVar("CertificateSourceT", bound="AnySource")
AssertionSourceT = TypeVar("AssertionSourceT", bound="AnyAssertionSource")


class CredentialBase:
    """A credential made of parts.

    :cvar _shown_as: its name in ``repr``.
    :cvar _shared: the names of what a deep copy shares, too.
    """

    _shown_as: ClassVar[str]
    _shared: ClassVar[frozenset[str]] = frozenset()
    _parts: Parts
    _settings: Settings
    _cached_tokens: CachedTokens

    def _hot_path(self) -> CacheLookup:
        """Return the tokens that are the answer to a ``get_token`` without further arguments."""
        if self._settings.client_claims is None:
            return self._cached_tokens
        # For credentials with claims alone.
        from azure_certvar_credential._runtime.grant_tokens import GrantTokens

        return GrantTokens(APPLICATION, self._cached_tokens, self._settings)

    @abstractmethod
    def _start(self, parts: Parts) -> None:
        """Begin life with these parts; each shell connects them in its own way."""

    def status(self) -> _runtime.CredentialStatus:
        """Return what the credential holds: its certificate, its tokens and the last failure, without any secret.

        It reads memory alone, so a health endpoint may call it for each request.

        >>> text = json.dumps(credential.status().as_dict())
        """
        # For those who ask alone.
        from azure_certvar_credential._runtime.status import status

        return status(self._parts, self._cached_tokens)

    def __repr__(self) -> str:
        # A credential whose construction failed has no parts, and error reporters show it all the same.
        parts = getattr(self, "_parts", None)
        return identified(f"{self._shown_as} {parts.description if parts else 'that could not be made'}", self)

    def __copy__(self) -> Self:
        """Return a credential with the same settings and certificate, and with its own tokens and connections.

        A ``transport`` that was handed in is shared, and closed with the original.
        """
        copy = object.__new__(type(self))
        copy.__dict__.update(self.__dict__)  # a subclass's own; _start makes the rest anew
        copy._start(self._parts.copied())
        return copy

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        copied = self.__copy__()
        for name, value in vars(self).items():
            if vars(copied)[name] is value and name not in self._shared | {"_settings"}:  # a subclass's own
                vars(copied)[name] = deepcopy(value, memo)
        return copied

    def __reduce__(self) -> tuple[Any, ...]:
        # For those who pickle alone.
        from azure_certvar_credential._runtime.pickling import pickled

        return pickled(type(self), self._parts.options)


class SigningCredential(CredentialBase):
    """A credential that signs with a certificate, by itself or for MSAL."""

    @property
    def certificate(self) -> ClientCertificate | None:
        """The certificate in use; None before its source was read."""
        return self._parts.certificates.current


class WithCertificate(SigningCredential, Generic[CertificateSourceT]):
    """A credential that signs with a certificate; the parameters are those that ``CertVarCredential`` documents."""

    @clears_frames
    def __init__(
        self,
        tenant_id: str,
        client_id: str,
        certificate: CertificateData | CertificateSourceT | None = None,
        *,
        certificate_data: CertificateData | CertificateSourceT | None = None,
        password: str | bytes | None = None,
        send_certificate_chain: bool = False,
        algorithm: str | None = None,
        assertion_audience: str | None = None,
        expiry_warning_days: float = 30,
        authority: str | None = None,
        additionally_allowed_tenants: Iterable[str] = (),
        disable_instance_discovery: bool = False,
        region: str | None = None,
        oidc_authority: str | None = None,
        claims: str | Mapping[str, Any] | None = None,
        token_cache: TokenCache | AsyncTokenCache | None = None,
        encryption_key: bytes | Sequence[bytes] | None = None,
        share_user_tokens: bool = False,
        invalidation_seconds: float | None = None,
        **pipeline_options: Any,
    ) -> None:
        options = CertificateOptions(
            tenant_id=tenant_id,
            client_id=client_id,
            certificate=certificate,
            certificate_data=certificate_data,
            password=password,
            send_certificate_chain=send_certificate_chain,
            algorithm=algorithm,
            assertion_audience=assertion_audience,
            expiry_warning_days=expiry_warning_days,
            authority=authority,
            additionally_allowed_tenants=additionally_allowed_tenants,
            disable_instance_discovery=disable_instance_discovery,
            region=region,
            oidc_authority=oidc_authority,
            claims=claims,
            token_cache=token_cache,
            encryption_key=encryption_key,
            share_user_tokens=share_user_tokens,
            invalidation_seconds=invalidation_seconds,
            pipeline=pipeline_options,
        )
        self._start(construct(options))

    @classmethod
    @clears_frames
    def from_environment(cls, **options: Any) -> Self:
        """Make a credential from environment variables, under azure-identity's names.

        ``AZURE_TENANT_ID``, ``AZURE_CLIENT_ID``; ``AZURE_CLIENT_CERTIFICATE`` with the *content*: PEM, or base64 of a
        PFX; optional ``AZURE_CLIENT_CERTIFICATE_PASSWORD``, ``AZURE_CLIENT_SEND_CERTIFICATE_CHAIN`` (``1`` or ``true``)
        and ``AZURE_AUTHORITY_HOST``. The certificate is read anew when it is due, so changing the variable is enough.

        >>> credential = CertVarCredential.from_environment(send_certificate_chain=True)

        :param options: further keyword arguments of the class; they win over the environment.
        :raises ConfigurationError: a variable is missing, and the message names every one that is; or one cannot be
            used.
        :raises CertificateError: the certificate, key or password cannot be used.
        """
        # For this alone.
        from azure_certvar_credential._runtime.environment import arguments_from

        return cls(**arguments_from(os.environ, options))


class WithAssertionSource(CredentialBase, Generic[AssertionSourceT]):
    """A credential that signs nothing; the parameters are those that ``FederatedCredential`` documents."""

    @clears_frames
    def __init__(
        self,
        tenant_id: str,
        client_id: str,
        assertion_source: AssertionSourceT,
        *,
        authority: str | None = None,
        additionally_allowed_tenants: Iterable[str] = (),
        disable_instance_discovery: bool = False,
        region: str | None = None,
        oidc_authority: str | None = None,
        claims: str | Mapping[str, Any] | None = None,
        token_cache: TokenCache | AsyncTokenCache | None = None,
        encryption_key: bytes | Sequence[bytes] | None = None,
        share_user_tokens: bool = False,
        invalidation_seconds: float | None = None,
        **pipeline_options: Any,
    ) -> None:
        options = FederatedOptions(
            tenant_id=tenant_id,
            client_id=client_id,
            assertion_source=assertion_source,
            authority=authority,
            additionally_allowed_tenants=additionally_allowed_tenants,
            disable_instance_discovery=disable_instance_discovery,
            region=region,
            oidc_authority=oidc_authority,
            claims=claims,
            token_cache=token_cache,
            encryption_key=encryption_key,
            share_user_tokens=share_user_tokens,
            invalidation_seconds=invalidation_seconds,
            pipeline=pipeline_options,
        )
        self._start(construct_federated(options))
