"""Where tokens come from: clouds, tenants, and the token endpoint as a function of both.

Entra's token endpoint is a template over host and tenant, so no discovery request is ever sent. What discovery would
tell, namely whether an unknown host is Microsoft's, is settled by the list below: a host that is not on it must be
named together with ``disable_instance_discovery=True`` by a caller who knows it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from azure_certvar_credential.exceptions import ConfigurationError, TenantNotAllowedError
from azure_certvar_credential.signers.showing import showable, shown

DEFAULT_HOST = "login.microsoftonline.com"

# The clouds' own list: https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud
KNOWN_HOSTS = frozenset(
    {
        "login.microsoftonline.com",
        "login.windows.net",
        "login.microsoft.com",
        "sts.windows.net",
        "login.partner.microsoftonline.cn",
        "login.chinacloudapi.cn",
        "login.microsoftonline.us",
        "login.usgovcloudapi.net",
        "login.sovcloud-identity.fr",
        "login.sovcloud-identity.de",
        "login.sovcloud-identity.sg",
    }
)
RETIRED_HOSTS = {"login.microsoftonline.de": "Microsoft Cloud Germany closed in October 2021"}

# Entra answers these for users only: an application signs in to a tenant of its own.
USER_TENANTS = frozenset({"common", "organizations", "consumers"})
ADFS = "adfs"
ANY_TENANT = "*"

_HOST = re.compile(r"[A-Za-z0-9.:-]+")
# RFC 1035 section 2.3.4: a label has at most 63 octets, a name 253.
_TENANT = re.compile(r"(?!.*[^.]{64})[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class Authority:
    """An authorization server.

    :ivar base: scheme, host and port, such as ``https://login.microsoftonline.com``; no trailing slash.
    :ivar kind: ``entra``, or ``adfs`` for Active Directory Federation Services.
    """

    base: str
    kind: Literal["entra", "adfs"]

    def token_endpoint(self, tenant_id: str) -> str:
        """Return the URL that the token request is posted to; it is also the assertion's ``aud``.

        :param tenant_id: a tenant's GUID or domain name; ignored by ADFS, which has no tenants.
        """
        if self.kind == "adfs":
            return f"{self.base}/adfs/oauth2/token"
        return f"{self.base}/{tenant_id}/oauth2/v2.0/token"


def parse_authority(authority: str, *, tenant_id: str, trust_unknown_host: bool) -> Authority:
    """Check an authority and say of which kind it is.

    :param authority: a host such as ``login.microsoftonline.us``, or an https URL of one without a path (``/adfs``
        is the exception). A port is allowed.
    :param tenant_id: the credential's tenant; ``adfs`` makes the authority an ADFS server.
    :param trust_unknown_host: take a host that is not on Microsoft's list.
    :raises ConfigurationError: not https, not a host, with a path, retired, or unknown.
    """
    if not isinstance(authority, str) or not authority.strip():
        raise ConfigurationError(f"authority must be a host name or an https URL, not {shown(authority)}")
    text = authority.strip()
    if "@" in text:  # not repeated: what stands before it is usually a password
        raise ConfigurationError("authority must be a host only, without a user name or password before an '@'")
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, port = parts.hostname, parts.port
    except ValueError:  # an unclosed bracket, a port that is no number, characters that look like others
        raise ConfigurationError(_no_host(authority)) from None
    if parts.scheme != "https":
        raise ConfigurationError(f"authority {shown(authority)} must use https: the request carries a credential")
    if not host or not _HOST.fullmatch(host):
        raise ConfigurationError(_no_host(authority))
    path = parts.path.strip("/").lower()
    if path not in ("", ADFS) or parts.query or parts.fragment:
        raise ConfigurationError(
            f"authority must be a host only, such as https://{host if showable(host) else DEFAULT_HOST}, "
            f"not {shown(authority)}: the tenant goes into tenant_id"
        )
    if host in RETIRED_HOSTS:
        raise ConfigurationError(f"authority {host} no longer exists: {RETIRED_HOSTS[host]}")
    if host not in KNOWN_HOSTS and not trust_unknown_host:
        raise ConfigurationError(
            f"authority {shown(host)} is not one of Microsoft's sign-in hosts ({', '.join(sorted(KNOWN_HOSTS))}); "
            "if you know and trust it, pass disable_instance_discovery=True"
        )
    name = f"[{host}]" if ":" in host else host
    base = f"https://{name}" if port in (None, 443) else f"https://{name}:{port}"
    return Authority(base, "adfs" if ADFS in (path, tenant_id) else "entra")


def _no_host(authority: str) -> str:
    return f"authority {shown(authority)} is not a host name, such as {DEFAULT_HOST}"


def parse_tenant(tenant_id: str) -> str:
    """Check a tenant and return it in lower case, as cache keys and URLs use it.

    :param tenant_id: the tenant's GUID or one of its domain names, or ``adfs``.
    :raises ConfigurationError: empty, or with characters that neither a GUID nor a domain name has.
    """
    if not isinstance(tenant_id, str) or not _TENANT.fullmatch(tenant_id):
        raise ConfigurationError(
            f"tenant_id must be a tenant's GUID or one of its domain names, such as contoso.onmicrosoft.com, "
            f"not {shown(tenant_id)}; it is the 'Directory (tenant) ID' of the app registration"
        )
    return tenant_id.lower()


def refuse_user_tenant(tenant_id: str) -> None:
    """Raise :class:`ConfigurationError` for the tenant names that Entra serves to users only."""
    if tenant_id in USER_TENANTS:
        raise ConfigurationError(
            f"tenant {tenant_id!r} is for users signing in; an application needs a tenant's GUID or domain name"
        )


def resolve_tenant(requested: str | None, *, default: str, allowed: frozenset[str]) -> str:
    """Decide which tenant a token is asked of, by azure-identity's rules.

    :param requested: the ``tenant_id`` given to ``get_token``, if any.
    :param default: the credential's own tenant.
    :param allowed: ``additionally_allowed_tenants``; ``*`` stands for every tenant.
    :raises TenantNotAllowedError: the tenant is neither the default nor allowed.
    :raises ConfigurationError: the tenant is malformed, or is one that only users sign in to.
    """
    tenant = default if not requested or default == ADFS else parse_tenant(requested)
    if tenant != default and ANY_TENANT not in allowed and tenant not in allowed:
        raise TenantNotAllowedError(
            f"a token of tenant {shown(tenant)} was asked for, and this credential is for {shown(default)} only; "
            f"to allow it, pass additionally_allowed_tenants=[{shown(tenant)}], or ['*'] for every tenant"
        )
    refuse_user_tenant(tenant)
    return tenant
