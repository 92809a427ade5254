"""The options of a credential that delegates to MSAL, checked; how such a credential is made, copied and pickled."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from azure_certvar_credential._core.authority import KNOWN_HOSTS, Authority
from azure_certvar_credential._core.authority_url import DSTS
from azure_certvar_credential._core.config import check_flags
from azure_certvar_credential._core.region import AUTO
from azure_certvar_credential._runtime.construction import OWN_OPTIONS, Parts, construct
from azure_certvar_credential._runtime.credentials import Made
from azure_certvar_credential._runtime.environment import arguments_from
from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential._secrecy.tracebacks import clears_frames
from azure_certvar_credential.exceptions import ConfigurationError, UnknownOptionError
from azure_certvar_credential.msal.caches import check_cache

if TYPE_CHECKING:
    from typing_extensions import Self  # of the standard library from Python 3.11 on

    from azure_certvar_credential.certificates.sources import Certificate

# The options that are not the pipeline's: requests that were sent are repeated above it.
_RETRIES = frozenset(
    {"retry_total", "retry_status", "retry_read", "retry_backoff_factor", "retry_backoff_max", "retry_mode"}
)
# What the constructor takes by keyword beside the pipeline's options; for the suggestion in an error.
_OWN_OPTIONS = OWN_OPTIONS - {"region"} | {"token_cache", "azure_region", "instance_discovery", "http_client"}


@dataclass(frozen=True, slots=True)
class Delegation:
    """What MSAL is told beside the settings.

    :ivar token_cache: an ``msal.TokenCache``, or None for one in memory.
    :ivar azure_region: a region's name, True to find it out, False for none whatever the environment says, or None.
    :ivar instance_discovery: whether MSAL asks Microsoft about an authority; None for those that nobody knows.
    :ivar http_client: the user's own HTTP client, or None for this package's pipeline.
    """

    token_cache: Any = field(default=None, repr=False)
    azure_region: str | bool | None = None
    instance_discovery: bool | None = None
    http_client: Any = field(default=None, repr=False)

    def discovers(self, authority: Authority) -> bool:
        """Return MSAL's ``instance_discovery``: hosts that are on Microsoft's list need no asking."""
        if self.instance_discovery is not None:
            return self.instance_discovery
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


class WithMsal(Made):
    """A credential that delegates to MSAL; the parameters are those that ``MsalCertVarCredential`` documents."""

    # With the token cache, which was handed over to be shared.
    shared: ClassVar[frozenset[str]] = frozenset({"_delegation"})
    _delegation: Delegation

    @clears_frames
    def __init__(
        self,
        tenant_id: str,
        client_id: str,
        certificate: Certificate | None = None,
        *,
        certificate_data: Certificate | None = None,
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
        check_flags(disable_instance_discovery=disable_instance_discovery)
        if disable_instance_discovery and instance_discovery is None:
            instance_discovery = False
        delegation = Delegation(token_cache, azure_region, instance_discovery, http_client)
        _check_together(delegation, oidc_authority, disable_instance_discovery=disable_instance_discovery)
        parts = construct(
            tenant_id,
            client_id,
            certificate,
            certificate_data=certificate_data,
            password=password,
            send_certificate_chain=send_certificate_chain,
            algorithm=algorithm,
            authority=authority,
            additionally_allowed_tenants=additionally_allowed_tenants,
            # Unless it is switched off, MSAL asks Microsoft about a host that nobody knows.
            disable_instance_discovery=True,
            region=_region(azure_region),
            oidc_authority=oidc_authority,
            options=pipeline_options,
            own=_OWN_OPTIONS,
        )
        if azure_region is False:
            parts = replace(parts, settings=replace(parts.settings, region=None))
        _check(delegation, parts)
        if parts.arguments is not None:
            own = {
                "disable_instance_discovery": disable_instance_discovery,
                "azure_region": azure_region,
                "instance_discovery": instance_discovery,
            }
            others = {name: value for name, value in parts.arguments.items() if name != "region"}
            parts = replace(parts, arguments={**others, **own})
        self._delegation = delegation
        self._start(parts)

    @classmethod
    @clears_frames
    def from_environment(cls, **options: Any) -> Self:
        """Make a credential from environment variables, as :meth:`.CertVarCredential.from_environment` does.

        :param options: further keyword arguments of the class; they win over the environment.
        :raises ConfigurationError: a variable is missing; the message names every one that is.
        :raises CertificateError: the certificate, key or password cannot be used.
        """
        return cls(**arguments_from(os.environ, options))

    def __copy__(self) -> Self:
        """Return a credential with the same settings and certificate; a ``token_cache`` that was given is shared."""
        copy = object.__new__(type(self))
        copy._delegation = self._delegation
        copy._start(self._parts.copied())
        return copy

    def __reduce__(self) -> tuple[Any, ...]:
        for name in ("token_cache", "http_client"):
            if getattr(self._delegation, name) is not None:
                raise TypeError(
                    f"a {type(self).__name__} with a {name} is not pickled: it belongs to this process, and holds what "
                    "must not leave it in clear. Make the credential anew in the other process"
                )
        return self._parts.pickled(type(self))


def _region(value: str | bool | None) -> str | None:  # noqa: FBT001 - MSAL's way to say it
    """Return MSAL's ``azure_region`` as the settings take it."""
    if value is True:
        return AUTO
    return None if value is False else value


def _check_together(given: Delegation, oidc_authority: str | None, *, disable_instance_discovery: bool) -> None:
    """Check what can be said of the options that are for MSAL by themselves.

    :raises ConfigurationError: one is of the wrong type, or two contradict each other; the message names them.
    """
    region, discovery = given.azure_region, given.instance_discovery
    if not isinstance(region, (str, bool, type(None))):
        raise ConfigurationError(
            "azure_region must be a region's name, such as 'westeurope', True to find it out, or False for none, "
            f"not {redact_value(region)}"
        )
    if not isinstance(discovery, (bool, type(None))):
        raise ConfigurationError(f"instance_discovery must be True, False or None, not {redact_value(discovery)}")
    if disable_instance_discovery and discovery:
        raise ConfigurationError(
            "disable_instance_discovery=True and instance_discovery=True contradict each other: give one"
        )
    if oidc_authority is not None:
        others: Mapping[str, object] = {"azure_region": region, "instance_discovery": discovery}
        for name, value in others.items():
            if value:
                raise ConfigurationError(f"oidc_authority is none of Microsoft's servers: leave {name} out")


def _check(given: Delegation, parts: Parts) -> None:
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
        unused = sorted({name for name, value in parts.options.items() if value is not None} - _RETRIES)
        if unused:
            raise ConfigurationError(
                f"http_client takes the place of this package's pipeline: leave out {' and '.join(unused)}, or set it "
                "up on the client"
            )
    if given.token_cache is not None:
        check_cache(given.token_cache, parts.settings.client_id)
