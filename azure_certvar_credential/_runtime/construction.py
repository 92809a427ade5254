"""From a constructor's arguments to checked parts; every error that can be known without the network is raised here."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from azure_certvar_credential._core.authority import KNOWN_HOSTS
from azure_certvar_credential._core.config import Settings, check_key, settings
from azure_certvar_credential._runtime.assertion_source import AssertionSource
from azure_certvar_credential._runtime.certificate_provider import CertificateProvider, describe
from azure_certvar_credential._runtime.environment import EagerSource
from azure_certvar_credential._transport.options import check_options, retry_settings, with_lists
from azure_certvar_credential.certificates import ClientCertificate
from azure_certvar_credential.certificates.sources import holds_no_secret
from azure_certvar_credential.certificates.validity import level_of_caller
from azure_certvar_credential.exceptions import AlgorithmWarning, ConfigurationError

# What a constructor takes by keyword beside the pipeline's options; for the suggestion in an error.
OWN_OPTIONS = frozenset(
    {
        "tenant_id",
        "client_id",
        "certificate",
        "certificate_data",
        "password",
        "send_certificate_chain",
        "algorithm",
        "authority",
        "additionally_allowed_tenants",
        "disable_instance_discovery",
        "region",
        "oidc_authority",
    }
)
FEDERATED_OPTIONS = frozenset(
    {
        "tenant_id",
        "client_id",
        "assertion_source",
        "authority",
        "additionally_allowed_tenants",
        "disable_instance_discovery",
        "region",
        "oidc_authority",
    }
)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a credential is made of.

    :ivar settings: the checked settings.
    :ivar provider: the certificate, its private key proven, or the source that it will come from; of a
        federated credential the source of its assertions.
    :ivar options: checked pipeline options.
    :ivar clock: returns seconds since the epoch, UTC.
    :ivar arguments: the constructor's arguments, to make an equal credential elsewhere; None without a source.
    :ivar owns_transport: whether a transport among the options is closed with the credential.
    """

    settings: Settings
    provider: CertificateProvider | AssertionSource
    options: Mapping[str, Any] = field(repr=False)
    clock: Callable[[], float]
    arguments: Mapping[str, Any] | None = field(repr=False)
    owns_transport: bool = True

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
    def assertions(self) -> AssertionSource:
        """The source of a federated credential; one that signs does not have it."""
        if not isinstance(self.provider, AssertionSource):
            raise TypeError("a credential with a certificate has no assertion source")
        return self.provider

    def copied(self) -> Parts:
        """Return the same parts with another provider, which starts with this one's certificate."""
        provider = self.provider.copied() if isinstance(self.provider, CertificateProvider) else self.provider
        return replace(self, provider=provider, owns_transport=False)

    def pickled(self, kind: type[Any]) -> tuple[Any, ...]:
        """Return what ``__reduce__`` returns: a reference to the source, and never a key.

        :param kind: the credential's class.
        :raises TypeError: the certificate was handed over, or a password, or a source that may hold one of them; a
            pickle would carry it in clear.
        """
        if isinstance(self.provider, AssertionSource):
            raise TypeError(
                f"a {kind.__name__} is not pickled: its assertion_source may hold what must not leave the process. "
                "Make it anew in the other process"
            )
        if self.arguments is None or self.arguments["password"] is not None:
            raise TypeError(
                f"a {kind.__name__} that was given its certificate or a password is not pickled: the pickle would "
                "carry the private key or the password in clear. Give it a source, an importable function that "
                "returns the certificate; then the pickle holds a reference to that function"
            )
        source = self.arguments["certificate"]
        if not holds_no_secret(source):
            raise TypeError(
                f"a {kind.__name__} with the source {describe(source)} is not pickled: what a pickle would carry of it "
                "may be the private key. Give it a function or class that can be imported, an EnvironmentCertificate, "
                "or an instance of a class that says holds_no_secret = True"
            )
        if "@" in str(self.arguments.get("proxies")):
            raise TypeError(f"a {kind.__name__} with a password in proxies is not pickled: the pickle would carry it")
        for name in ("headers", "base_headers"):
            if self.arguments.get(name):
                raise TypeError(f"a {kind.__name__} with {name} is not pickled: one of them may be a secret")
        return _rebuilt, (kind, dict(self.arguments))


def _rebuilt(kind: type[Any], arguments: dict[str, Any]) -> Any:
    return kind(**arguments)


def construct(
    tenant_id: str,
    client_id: str,
    certificate: object,
    *,
    certificate_data: object,
    password: str | bytes | None,
    send_certificate_chain: bool,
    algorithm: str | None,
    authority: str | None,
    additionally_allowed_tenants: Iterable[str],
    disable_instance_discovery: bool,
    region: str | None,
    oidc_authority: str | None,
    options: Mapping[str, Any],
    known_options: frozenset[str] = OWN_OPTIONS,
) -> Parts:
    """Check a constructor's arguments, which :class:`~azure_certvar_credential.CertVarCredential` documents.

    :param options: the remaining keyword arguments.
    :param known_options: the constructor's own keyword names, which are suggested for misspelt ones.
    """
    remaining = with_lists(options)
    clock = remaining.pop("_clock", time.time)  # time comes from outside, for the tests of this package
    check_options(remaining, known_options=known_options)
    # azure-identity's name for the same thing, so that replacing its class is a change of one line.
    if certificate is None:
        certificate = certificate_data
    elif certificate_data is not None:
        raise ConfigurationError("certificate and certificate_data are two names of one argument: give one")
    checked = settings(
        tenant_id,
        client_id,
        algorithm=algorithm,
        send_certificate_chain=send_certificate_chain,
        authority=authority,
        additionally_allowed_tenants=additionally_allowed_tenants,
        disable_instance_discovery=disable_instance_discovery,
        region=region,
        oidc_authority=oidc_authority,
        retry=retry_settings(remaining),
        environment=os.environ,
    )

    def load(data: Any) -> ClientCertificate:
        loaded = ClientCertificate.load(data, password)
        check_key(loaded, checked.algorithm)
        return loaded

    perform_immediate = isinstance(certificate, EagerSource)
    if isinstance(certificate, EagerSource):
        certificate = certificate.source
    provider = CertificateProvider(certificate, load, clock)
    if perform_immediate:
        provider.accept(provider.read_source(), None)
    server = checked.authority
    is_entra = server.kind in ("b2c", "ciam") or urlsplit(server.base).hostname in KNOWN_HOSTS
    if checked.algorithm.startswith("ES") and is_entra:
        warnings.warn(
            f"Microsoft Entra ID refuses {checked.algorithm} (AADSTS5002738): use an RSA certificate",
            AlgorithmWarning,
            stacklevel=level_of_caller(),
        )
    # Kept for a pickle, and only for a source: otherwise they would keep the certificate's text and password in memory.
    arguments = (
        None
        if provider.source is None
        else {
            "tenant_id": tenant_id,
            "client_id": client_id,
            "certificate": certificate,
            "password": password,
            "send_certificate_chain": send_certificate_chain,
            "algorithm": algorithm,
            "authority": authority,
            "additionally_allowed_tenants": tuple(checked.additionally_allowed_tenants),
            "disable_instance_discovery": disable_instance_discovery,
            "region": region,
            "oidc_authority": oidc_authority,
            **remaining,
        }
    )
    return Parts(checked, provider, remaining, clock, arguments)


def construct_federated(
    tenant_id: str,
    client_id: str,
    assertion_source: object,
    *,
    authority: str | None,
    additionally_allowed_tenants: Iterable[str],
    disable_instance_discovery: bool,
    region: str | None,
    oidc_authority: str | None,
    options: Mapping[str, Any],
) -> Parts:
    """Check a constructor's arguments, which :class:`~azure_certvar_credential.FederatedCredential` documents.

    :param options: the remaining keyword arguments.
    """
    remaining = with_lists(options)
    clock = remaining.pop("_clock", time.time)
    check_options(remaining, known_options=FEDERATED_OPTIONS)
    checked = settings(
        tenant_id,
        client_id,
        algorithm=None,
        send_certificate_chain=False,
        authority=authority,
        additionally_allowed_tenants=additionally_allowed_tenants,
        disable_instance_discovery=disable_instance_discovery,
        region=region,
        oidc_authority=oidc_authority,
        retry=retry_settings(remaining),
        environment=os.environ,
        federated=True,
    )
    return Parts(checked, AssertionSource(assertion_source), remaining, clock, None)
