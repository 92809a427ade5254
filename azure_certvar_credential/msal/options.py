"""The options of a credential that delegates to MSAL, checked; how such a credential is made, copied and pickled."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from typing_extensions import Self  # of the standard library from Python 3.11 on; azure-core needs it too

from azure_certvar_credential._core.authority import KNOWN_HOSTS, Authority
from azure_certvar_credential._core.authority_url import DSTS
from azure_certvar_credential._core.checks import check_flags
from azure_certvar_credential._core.options import CertificateOptions
from azure_certvar_credential._core.region import AUTO
from azure_certvar_credential._runtime.construction import Parts, construct
from azure_certvar_credential._runtime.credentials import CredentialBase
from azure_certvar_credential._runtime.environment import arguments_from
from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential._secrecy.tracebacks import clears_frames
from azure_certvar_credential.certificates import CertificateData
from azure_certvar_credential.certificates.sources import Source
from azure_certvar_credential.exceptions import ConfigurationError, UnknownOptionError
from azure_certvar_credential.msal.caches import check_cache

# The options that are not the pipeline's: requests that were sent are repeated above it.
_RETRIES = frozenset(
    {"retry_total", "retry_status", "retry_read", "retry_backoff_factor", "retry_backoff_max", "retry_mode"}
)


@dataclass(frozen=True, kw_only=True)
class MsalOptions(CertificateOptions):
    """What ``MsalCertVarCredential`` takes, unchecked.

    :ivar token_cache: an ``msal.TokenCache``, or None for one in memory.
    :ivar azure_region: a region's name, True to find it out, False for none whatever the environment says, or None.
    :ivar instance_discovery: whether MSAL asks Microsoft about an authority; None for those that nobody knows.
    :ivar http_client: the user's own HTTP client, or None for this package's pipeline.
    """

    token_cache: Any = field(default=None, repr=False)
    azure_region: str | bool | None = None
    instance_discovery: bool | None = None
    http_client: Any = field(default=None, repr=False)

    @classmethod
    def names(cls) -> frozenset[str]:
        """Return the names of the constructor's own arguments; ``azure_region`` takes the place of ``region``."""
        return super().names() - {"region"}

    def discovers(self, authority: Authority) -> bool:
        """Return MSAL's ``instance_discovery``: hosts that are on Microsoft's list need no asking."""
        if self.instance_discovery is not None:
            return self.instance_discovery
        if self.disable_instance_discovery:
            return False
        return authority.kind == "entra" and urlsplit(authority.base).hostname not in KNOWN_HOSTS

    def msal_region(self, region: str | None, application: Any) -> str | bool | None:
        """Return MSAL's ``azure_region``.

        :param region: the region whose endpoint is asked, or None.
        :param application: MSAL's class; before 1.32 it knows no False, which it would take for a region to be found.
        """
        if self.azure_region is False and hasattr(application, "DISABLE_MSAL_FORCE_REGION"):
            return False
        return region


def authority_arguments(authority: Authority, tenant_id: str) -> dict[str, str]:
    """Return MSAL's ``authority`` or ``oidc_authority``."""
    match authority.kind:
        case "oidc":
            return {"oidc_authority": authority.base}
        case "dsts":
            # From 1.32 on MSAL finds that out by itself.
            return {"oidc_authority": f"{authority.base}/{DSTS}/{tenant_id}"}
        case "adfs":
            return {"authority": f"{authority.base}/adfs"}
        case "b2c":
            return {"authority": f"{authority.base}/{tenant_id}/{authority.policy}"}
    return {"authority": f"{authority.base}/{tenant_id}"}


class WithMsal(CredentialBase):
    """A credential that delegates to MSAL; the parameters are those that ``MsalCertVarCredential`` documents."""

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
            raise UnknownOptionError("region is not an option here: the name is azure_region, as it is MSAL's")
        options = MsalOptions(
            tenant_id=tenant_id,
            client_id=client_id,
            certificate=certificate,
            certificate_data=certificate_data,
            password=password,
            send_certificate_chain=send_certificate_chain,
            algorithm=algorithm,
            authority=authority,
            additionally_allowed_tenants=additionally_allowed_tenants,
            disable_instance_discovery=disable_instance_discovery,
            token_cache=token_cache,
            azure_region=azure_region,
            instance_discovery=instance_discovery,
            oidc_authority=oidc_authority,
            http_client=http_client,
            pipeline=pipeline_options,
        )
        _check_together(options)
        # Unless it is switched off, MSAL asks Microsoft about a host that nobody knows.
        known = replace(options, disable_instance_discovery=True, region=_region(azure_region))
        parts = construct(known)
        if azure_region is False:
            parts = replace(parts, settings=replace(parts.settings, region=None))
        _check(options, parts)
        given = replace(parts.options, disable_instance_discovery=disable_instance_discovery, region=None)
        self._start(replace(parts, options=given))

    @classmethod
    @clears_frames
    def from_environment(cls, **options: Any) -> Self:
        """Make a credential from environment variables, as :meth:`.CertVarCredential.from_environment` does.

        :param options: further keyword arguments of the class; they win over the environment.
        :raises ConfigurationError: a variable is missing; the message names every one that is.
        :raises CertificateError: the certificate, key or password cannot be used.
        """
        return cls(**arguments_from(os.environ, options))


def _region(value: str | bool | None) -> str | None:  # noqa: FBT001 - MSAL's way to say it
    """Return MSAL's ``azure_region`` as the settings take it."""
    if value is True:
        return AUTO
    return None if value is False else value


def _check_together(given: MsalOptions) -> None:
    """Check what can be said of the options that are for MSAL by themselves.

    :raises ConfigurationError: one is of the wrong type, or two contradict each other; the message names them.
    """
    region, discovery, disabled = given.azure_region, given.instance_discovery, given.disable_instance_discovery
    check_flags(disable_instance_discovery=disabled)
    if not isinstance(region, (str, bool, type(None))):
        raise ConfigurationError(
            "azure_region must be a region's name, such as 'westeurope', True to find it out, or False for none, "
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
                raise ConfigurationError(f"oidc_authority is none of Microsoft's servers: leave {name} out")


def _check(given: MsalOptions, parts: Parts) -> None:
    """Check the options that are for MSAL against the others.

    :raises ConfigurationError: one cannot work, or two contradict each other; the message names them.
    """
    authority = parts.settings.authority
    if authority.kind == "oidc" and not urlsplit(authority.base).path:
        raise ConfigurationError(
            "MSAL takes an OpenID provider's tenant from the path of its URL, and oidc_authority "
            f"{redact_value(authority.base)} has none; CertVarCredential takes it without"
        )
    if authority.kind == "dsts" and parts.settings.additionally_allowed_tenants:
        raise ConfigurationError(
            "MSAL's cache does not tell the tenants of a dSTS authority apart: leave additionally_allowed_tenants out, "
            "and make a credential with a cache of its own for each"
        )
    client = given.http_client
    if client is not None:
        if isinstance(client, type) or not all(callable(getattr(client, name, None)) for name in ("post", "get")):
            raise ConfigurationError(
                "http_client must have the methods post and get, such as a requests.Session(), made and not a class, "
                f"not {redact_value(client)}"
            )
        unused = sorted({name for name, value in parts.pipeline.items() if value is not None} - _RETRIES)
        if unused:
            raise ConfigurationError(
                f"http_client takes the place of this package's pipeline: leave out {' and '.join(unused)}, or set it "
                "up on the client"
            )
    if given.token_cache is not None:
        check_cache(given.token_cache, parts.settings.client_id)
