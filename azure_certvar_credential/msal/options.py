"""The options of the credentials that delegate to MSAL, and the checks that are specific to MSAL."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from typing_extensions import Self  # of the standard library from Python 3.11 on; azure-core needs it too

from azure_certvar_credential._core.authority import AUTO_REGION, KNOWN_HOSTS, RULES, Authority, Kind
from azure_certvar_credential._core.authority_url import DSTS
from azure_certvar_credential._core.checks import check_flags
from azure_certvar_credential._core.options import CertificateOptions
from azure_certvar_credential._runtime.construction import Parts, construct
from azure_certvar_credential._runtime.credentials import SigningCredential
from azure_certvar_credential._runtime.environment import arguments_from
from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential._secrecy.tracebacks import clears_frames
from azure_certvar_credential._values import field, replace
from azure_certvar_credential.certificates import CertificateData
from azure_certvar_credential.certificates.sources import Source
from azure_certvar_credential.exceptions import ConfigurationError, UnknownOptionError
from azure_certvar_credential.msal.caches import check_cache

# Retries happen above the HTTP client, so these options also apply to the user's own client.
_RETRIES = frozenset(
    {"retry_total", "retry_status", "retry_read", "retry_backoff_factor", "retry_backoff_max", "retry_mode"}
)


_OF_SHARING = ("encryption_key", "share_user_tokens", "invalidation_seconds")


class MsalOptions(CertificateOptions):
    """The arguments of ``MsalCertVarCredential``, unchecked.

    :ivar token_cache: an ``msal.TokenCache``, or None for one in memory; MSAL shares it in its own way.
    :ivar azure_region: a region's name, True to detect it, False for none even if the environment names one, or None.
    :ivar instance_discovery: whether MSAL asks Microsoft about the authority; None to ask about unknown hosts only.
    :ivar http_client: the user's own HTTP client, or None for this package's pipeline.
    """

    azure_region: str | bool | None = None
    instance_discovery: bool | None = None
    http_client: Any = field(default=None, repr=False)

    @classmethod
    def names(cls) -> frozenset[str]:
        """Return the names of the constructor's own arguments; ``azure_region`` replaces ``region``."""
        return super().names() - {"assertion_audience", "claims", "region", *_OF_SHARING}

    def sharing(self) -> None:
        """Return None: MSAL has its own cache."""

    @property
    def trusts_authority(self) -> bool:
        """Whether the caller vouches for the authority; ``instance_discovery=False`` is MSAL's way to say so."""
        return self.disable_instance_discovery or self.instance_discovery is False

    def trusted_kinds(self) -> Collection[Kind]:
        """Return the kinds of authority whose host need not be on Microsoft's list.

        MSAL can ask Microsoft about Entra hosts (instance discovery), and only about those: it takes ADFS, B2C and dSTS
        as they are. :class:`.HttpClient` sends nothing to an unknown Entra host before Microsoft has confirmed it.
        """
        return tuple(RULES) if self.trusts_authority else ("entra",)

    def needs_confirmation(self, authority: Authority) -> bool:
        """Return whether Microsoft has to confirm an authority before it receives an assertion."""
        unknown = authority.kind == "entra" and urlsplit(authority.base).hostname not in KNOWN_HOSTS
        return unknown and not self.trusts_authority

    def msal_instance_discovery(self, authority: Authority) -> bool:
        """Return MSAL's ``instance_discovery``."""
        return bool(self.instance_discovery) or self.needs_confirmation(authority)

    def msal_region(self, region: str | None) -> str | bool | None:
        """Return MSAL's ``azure_region``.

        :param region: the region whose endpoint receives the requests, or None.
        """
        return False if self.azure_region is False else region


def authority_arguments(authority: Authority, tenant_id: str) -> dict[str, str]:
    """Return MSAL's ``authority`` or ``oidc_authority``."""
    match authority.kind:
        case "oidc":
            return {"oidc_authority": authority.base}
        case "dsts":
            # MSAL takes dSTS for an OpenID provider.
            return {"oidc_authority": f"{authority.base}/{DSTS}/{tenant_id}"}
        case "adfs":
            return {"authority": f"{authority.base}/adfs"}
        case "b2c":
            return {"authority": f"{authority.base}/{tenant_id}/{authority.policy}"}
    return {"authority": f"{authority.base}/{tenant_id}"}


class WithMsal(SigningCredential):
    """The constructors that both ``MsalCertVarCredential`` classes share; each class documents the parameters."""

    @clears_frames
    def __init__(
        self,
        tenant_id: str,
        client_id: str,
        certificate: CertificateData | Source | None = None,
        *,
        certificate_data: CertificateData | Source | None = None,
        password: str | bytes | None = None,
        send_certificate_chain: bool = False,
        algorithm: str | None = None,
        expiry_warning_days: float = 30,
        authority: str | None = None,
        additionally_allowed_tenants: Iterable[str] = (),
        disable_instance_discovery: bool = False,
        token_cache: Any = None,
        azure_region: str | bool | None = None,
        instance_discovery: bool | None = None,
        oidc_authority: str | None = None,
        http_client: Any = None,
        **pipeline_options: Any,
    ) -> None:
        if "region" in pipeline_options:
            raise UnknownOptionError("region is not an option here: write azure_region, MSAL's name")
        options = MsalOptions(
            tenant_id=tenant_id,
            client_id=client_id,
            certificate=certificate,
            certificate_data=certificate_data,
            password=password,
            send_certificate_chain=send_certificate_chain,
            algorithm=algorithm,
            expiry_warning_days=expiry_warning_days,
            authority=authority,
            additionally_allowed_tenants=additionally_allowed_tenants,
            disable_instance_discovery=disable_instance_discovery,
            token_cache=token_cache,
            azure_region=azure_region,
            region=_region(azure_region),
            instance_discovery=instance_discovery,
            oidc_authority=oidc_authority,
            http_client=http_client,
            pipeline=pipeline_options,
        )
        _check_together(options)
        parts = construct(options)
        if azure_region is False:
            parts = replace(parts, settings=replace(parts.settings, region=None))
        _check(options, parts)
        self._start(parts)

    @classmethod
    @clears_frames
    def from_environment(cls, **options: Any) -> Self:
        """Create a credential from environment variables, as ``CertVarCredential.from_environment`` does.

        >>> credential = MsalCertVarCredential.from_environment(token_cache=cache)

        :param options: further keyword arguments of the class; they override the environment.
        :raises ConfigurationError: variables are missing; the message names all of them.
        :raises CertificateError: the certificate, key or password cannot be used.
        """
        return cls(**arguments_from(os.environ, options))


def _region(value: str | bool | None) -> str | None:  # noqa: FBT001 - the type of MSAL's parameter
    """Translate MSAL's ``azure_region`` into this package's ``region``."""
    if value is True:
        return AUTO_REGION
    return None if value is False else value


def _check_together(given: MsalOptions) -> None:
    """Check MSAL's options against one another, before anything is loaded.

    :raises ConfigurationError: an option has the wrong type, or two contradict each other; the message names them.
    """
    region, discovery, disabled = given.azure_region, given.instance_discovery, given.disable_instance_discovery
    check_flags(disable_instance_discovery=disabled)
    if not isinstance(region, (str, bool, type(None))):
        raise ConfigurationError(
            "azure_region must be a region's name, such as 'westeurope', True to detect it, or False for none, "
            f"not {redact_value(region)}"
        )
    if not isinstance(discovery, (bool, type(None))):
        raise ConfigurationError(f"instance_discovery must be True, False or None, not {redact_value(discovery)}")
    if disabled and discovery:
        raise ConfigurationError(
            "disable_instance_discovery=True and instance_discovery=True contradict each other: give one"
        )
    if given.oidc_authority is not None:
        others: Mapping[str, object] = {"azure_region": region, "instance_discovery": discovery}
        for name, value in others.items():
            if value:
                raise ConfigurationError(
                    f"{name} applies to Microsoft's servers only: leave it out with oidc_authority"
                )


def _check(given: MsalOptions, parts: Parts) -> None:
    """Check MSAL's options against the parts of the credential.

    :raises ConfigurationError: an option cannot work, or two contradict each other; the message names them.
    """
    authority = parts.settings.authority
    if authority.kind == "oidc" and not urlsplit(authority.base).path:
        raise ConfigurationError(
            f"oidc_authority {redact_value(authority.base)} has no path, and MSAL reads the tenant from the path: use "
            "CertVarCredential, which accepts an issuer without one"
        )
    if authority.kind == "dsts" and parts.settings.additionally_allowed_tenants:
        raise ConfigurationError(
            "MSAL's cache does not tell the tenants of a dSTS authority apart: leave additionally_allowed_tenants out "
            "and create one credential, with its own cache, for each tenant"
        )
    client = given.http_client
    if client is not None:
        if isinstance(client, type) or not all(callable(getattr(client, name, None)) for name in ("post", "get")):
            raise ConfigurationError(
                "http_client must be an object with the methods post and get, such as requests.Session(), not "
                f"{redact_value(client)}"
            )
        unused = sorted({name for name, value in parts.options.pipeline.items() if value is not None} - _RETRIES)
        if unused:
            raise ConfigurationError(
                f"http_client replaces this package's pipeline, so {' and '.join(unused)} would have no effect: "
                "configure the client itself"
            )
    if given.token_cache is not None:
        check_cache(given.token_cache, parts.settings.client_id)
