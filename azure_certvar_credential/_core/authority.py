"""Authorization servers: which kinds there are, and what each of them wants.

A token endpoint is a template over host and tenant, so no discovery request is ever sent; only an OpenID provider that
is none of Microsoft's publishes its endpoint in a metadata document (:mod:`.metadata`). What discovery would tell
besides, namely whether an unknown host is Microsoft's, is settled by the lists below: a host that is on none of them
must be named together with ``disable_instance_discovery=True`` by a caller who knows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

DEFAULT_HOST = "login.microsoftonline.com"
# https://learn.microsoft.com/entra/identity-platform/certificate-credentials
DEFAULT_ALGORITHM = "PS256"

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
# https://learn.microsoft.com/azure/active-directory-b2c/b2clogin and the national clouds' forms of it
B2C_SUFFIXES = (".b2clogin.com", ".b2clogin.cn", ".b2clogin.us")
# https://learn.microsoft.com/entra/external-id/customers/concept-authentication-methods-customers
CIAM_SUFFIX = ".ciamlogin.com"

# Hosts, and ends of hosts, that no longer answer, each with what became of it.
RETIRED_HOSTS = {
    "login.microsoftonline.de": "Microsoft Cloud Germany closed in October 2021; its tenants moved to "
    "login.microsoftonline.com",
    "login-us.microsoftonline.com": "Azure Government moved to login.microsoftonline.us",
    ".accesscontrol.windows.net": "Azure Access Control Service is retired; Microsoft Entra ID took its place at "
    "login.microsoftonline.com",
}

# Where a cloud's regional hosts are, for public hosts as MSAL does it. Any other host is its own.
_REGIONAL_HOSTS = {
    "login.microsoftonline.com": "login.microsoft.com",
    "login.windows.net": "login.microsoft.com",
    "sts.windows.net": "login.microsoft.com",
    "login.chinacloudapi.cn": "login.partner.microsoftonline.cn",
    "login.usgovcloudapi.net": "login.microsoftonline.us",
}

Kind = Literal["entra", "adfs", "b2c", "ciam", "dsts", "oidc"]


@dataclass(frozen=True, slots=True)
class Rules:
    """What one kind of authority wants.

    :ivar title: its name, for messages.
    :ivar endpoint: the token endpoint as a template over base, tenant and policy; None if its metadata document says.
    :ivar algorithm: the JWS ``alg`` of assertions unless the caller chooses another.
    :ivar choice: whether the caller may choose another.
    :ivar sha1_only: whether it finds the certificate by ``x5t`` alone and may stumble over ``x5t#S256``.
    :ivar regional: whether it answers in Azure regions, too.
    """

    title: str
    endpoint: str | None
    algorithm: str = DEFAULT_ALGORITHM
    choice: bool = True
    sha1_only: bool = False
    regional: bool = False


RULES: Mapping[Kind, Rules] = {
    "entra": Rules("Microsoft Entra ID", "{base}/{tenant}/oauth2/v2.0/token", regional=True),
    # https://learn.microsoft.com/windows-server/identity/ad-fs/overview/ad-fs-openid-connect-oauth-concepts
    "adfs": Rules("ADFS", "{base}/adfs/oauth2/token", "RS256", choice=False, sha1_only=True),
    # https://learn.microsoft.com/azure/active-directory-b2c/client-credentials-grant-flow
    "b2c": Rules("Azure AD B2C", "{base}/{tenant}/{policy}/oauth2/v2.0/token"),
    "ciam": Rules("an external tenant (CIAM)", "{base}/{tenant}/oauth2/v2.0/token"),
    # Microsoft's internal service: no public document, MSAL's own template and its choice of algorithm.
    "dsts": Rules("dSTS", "{base}/dstsv2/{tenant}/oauth2/v2.0/token", "RS256", choice=False, sha1_only=True),
    "oidc": Rules("an OpenID provider", None),
}


@dataclass(frozen=True, slots=True)
class Authority:
    """An authorization server.

    :ivar base: scheme, host and port, such as ``https://login.microsoftonline.com``, without a slash at the end; of an
        OpenID provider its issuer, which may have a path.
    :ivar kind: which of :data:`RULES` holds.
    :ivar policy: of B2C, the user flow or custom policy.
    """

    base: str
    kind: Kind
    policy: str = ""

    @property
    def rules(self) -> Rules:
        """What this kind of authority wants."""
        return RULES[self.kind]

    @property
    def regional(self) -> bool:
        """Whether it answers in Azure regions, too: a region is a part of the host's name, which an address has not."""
        return self.rules.regional and not _is_address(urlsplit(self.base).hostname or "")

    @property
    def metadata_url(self) -> str:
        """Where its metadata is (OpenID Connect Discovery 1.0 section 4)."""
        return f"{self.base}/.well-known/openid-configuration"

    def token_endpoint(self, tenant_id: str) -> str | None:
        """Return the URL that the token request is posted to, and the assertion is for; None if its metadata says.

        :param tenant_id: a tenant's GUID or domain name; ignored by ADFS, which has no tenants.
        """
        template = self.rules.endpoint
        return None if template is None else template.format(base=self.base, tenant=tenant_id, policy=self.policy)

    def in_region(self, region: str | None) -> Authority:
        """Return the same authority in an Azure region; None for the global one.

        :param region: a checked name, such as ``westeurope``.
        """
        host = self.base.removeprefix("https://")
        if region is None or host.startswith(f"{region}."):
            return self
        return replace(self, base=f"https://{region}.{_REGIONAL_HOSTS.get(host, host)}")


def retired(host: str) -> str | None:
    """Return what became of a host that no longer exists; None for any other."""
    reasons = (reason for end, reason in RETIRED_HOSTS.items() if host == end or (end[0] == "." and host.endswith(end)))
    return next(reasons, None)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
