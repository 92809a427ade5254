"""From a constructor's arguments to checked parts; every error that can be known without the network is raised here."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from azure_certvar_credential._core.authority import KNOWN_HOSTS, Authority
from azure_certvar_credential._core.checks import check_key, warning_days
from azure_certvar_credential._core.config import Settings, settings
from azure_certvar_credential._core.options import CertificateOptions, CredentialOptions, FederatedOptions
from azure_certvar_credential._runtime.certificate_provider import CertificateProvider, EagerSource
from azure_certvar_credential._transport.options import CODE_OF_OTHERS, asked, check_options, retry_settings
from azure_certvar_credential._values import Value, field, replace
from azure_certvar_credential.caches.memory import TokenMemory
from azure_certvar_credential.certificates import ClientCertificate
from azure_certvar_credential.certificates.validity import level_of_caller
from azure_certvar_credential.exceptions import AlgorithmWarning, ConfigurationError
from azure_certvar_credential.signers.memory import MemorySigner

if TYPE_CHECKING:
    from azure_certvar_credential._runtime.assertion_provider import AssertionProvider
    from azure_certvar_credential._runtime.shared_tokens import SharedTokens
    from azure_certvar_credential.caches.store import TokenStore

O = TypeVar("O", bound=CredentialOptions)  # noqa: E741 - of options


class Parts(Value):
    """What a credential is made of.

    :ivar settings: the checked settings.
    :ivar provider: the certificate, its private key proven, or the source that it will come from; of a federated
        credential the source of its assertions.
    :ivar options: the constructor's arguments, without a certificate or password that were handed over; the pipeline
        options are checked.
    :ivar clock: returns seconds since the epoch, UTC.
    :ivar owns_transport: whether a transport among the options is closed with the credential.
    :ivar new_store: makes the place for its tokens.
    :ivar shared: the cache that it shares with other processes, or None.
    """

    settings: Settings
    provider: CertificateProvider | AssertionProvider
    options: CredentialOptions = field(repr=False)
    clock: Callable[[], float]
    owns_transport: bool = True
    new_store: Callable[[], TokenStore] = TokenMemory
    shared: SharedTokens | None = None

    @property
    def is_bounded(self) -> bool:
        """Whether an acquisition runs no code of others, and so nothing that outlasts the deadline."""
        return (
            self.shared is None
            and isinstance(self.provider, CertificateProvider)
            and self.provider.current is not None
            and self.provider.source is None
            and isinstance(self.provider.current.signer, MemorySigner)
            and self.settings.region is None
            and self.settings.authority.kind != "oidc"
            and CODE_OF_OTHERS.isdisjoint(name for name, value in self.options.pipeline.items() if value is not None)
        )

    @property
    def description(self) -> str:
        """What a credential's ``repr`` shows: ids, and the certificate's subject, thumbprint and expiry."""
        return f"tenant {self.settings.tenant_id}, client {self.settings.client_id}, {self.provider!r}"

    @property
    def certificates(self) -> CertificateProvider:
        """The provider of a credential that signs; a federated one does not have it."""
        if not isinstance(self.provider, CertificateProvider):
            raise TypeError("a federated credential has no certificate")
        return self.provider

    @property
    def assertions(self) -> AssertionProvider:
        """The source of a federated credential; one that signs does not have it."""
        if isinstance(self.provider, CertificateProvider):
            raise TypeError("a credential with a certificate has no assertion source")
        return self.provider

    def copied(self) -> Parts:
        """Return the same parts with another provider, which starts with this one's certificate."""
        return replace(self, provider=self.provider.copied(), owns_transport=False)


def construct(options: CertificateOptions) -> Parts:
    """Check the arguments of a credential with a certificate, and load the certificate unless it has a source.

    :raises ConfigurationError: an argument cannot work.
    :raises CertificateError: the certificate, key or password cannot be used.
    """
    options, clock = _checked_pipeline(options)
    # azure-identity's name for the same thing, so that replacing its class is a change of one line.
    certificate = options.certificate
    if certificate is None:
        certificate = options.certificate_data
    elif options.certificate_data is not None:
        raise ConfigurationError("certificate and certificate_data are two names of one argument: give one")
    checked = settings(options, retry=retry_settings(options.pipeline), environment=os.environ)
    algorithm, password = checked.client_authentication.algorithm or "", options.password

    def load(data: Any) -> ClientCertificate:
        loaded = ClientCertificate.load(data, password)
        check_key(loaded, algorithm)
        return loaded

    eager = isinstance(certificate, EagerSource)
    if isinstance(certificate, EagerSource):
        certificate = certificate.source
    provider = CertificateProvider(certificate, load, clock, warning_days(options.expiry_warning_days))
    if eager:
        provider.accept(provider.read_source(), None)
    if algorithm.startswith("ES"):
        _warn_of_algorithm(checked.authority, algorithm)
    shared = None if checked.sharing is None else _shared(options, checked, provider.current)
    # Kept for copies and pickles; a certificate or password that was handed over would stay in memory with it.
    if provider.source is None:
        options = replace(options, certificate=None, certificate_data=None, password=None)
    else:
        options = replace(options, certificate=certificate, certificate_data=None)
    return Parts(checked, provider, options, clock, shared=shared)


def construct_federated(options: FederatedOptions) -> Parts:
    """Check the arguments of a federated credential.

    :raises ConfigurationError: an argument cannot work.
    """
    from azure_certvar_credential._runtime.assertion_provider import AssertionProvider

    options, clock = _checked_pipeline(options)
    checked = settings(options, retry=retry_settings(options.pipeline), environment=os.environ)
    shared = None if checked.sharing is None else _shared(options, checked, None)
    return Parts(checked, AssertionProvider(options.assertion_source), options, clock, shared=shared)


def _checked_pipeline(options: O) -> tuple[O, Callable[[], float]]:
    """Return the options with their pipeline options checked and their iterators read, and the clock."""
    tenants = options.additionally_allowed_tenants
    if isinstance(tenants, Iterator):
        options = replace(options, additionally_allowed_tenants=tuple(tenants))
    pipeline = asked(options.pipeline)
    clock: Callable[[], float] = pipeline.pop("_clock", time.time)  # the tests of this package hand in their own
    check_options(pipeline, known_options=options.names)
    return replace(options, pipeline=pipeline), clock


def _shared(
    options: CredentialOptions, checked: Settings, certificate: ClientCertificate | None
) -> SharedTokens | None:
    """Return the cache that processes share; None if they share none.

    :param certificate: the credential's, if it is known yet.
    :raises ConfigurationError: nothing seals the entries.
    """
    if checked.sharing is None:
        return None
    # For those who share a cache alone.
    from azure_certvar_credential._core.sharing_options import check_sealing, encryption_keys
    from azure_certvar_credential._runtime.shared_tokens import SharedTokens

    check_sealing(checked.sharing, checked.client_authentication.algorithm, certificate)
    return SharedTokens(options.token_cache, checked, encryption_keys(options.encryption_key))


def _warn_of_algorithm(server: Authority, algorithm: str) -> None:
    if server.kind in ("b2c", "ciam") or urlsplit(server.base).hostname in KNOWN_HOSTS:
        warnings.warn(
            f"Microsoft Entra ID refuses {algorithm} (AADSTS5002738): use an RSA certificate",
            AlgorithmWarning,
            stacklevel=level_of_caller(),
        )
