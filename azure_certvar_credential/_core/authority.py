"""The kinds of authorization servers, and the rules of each.

A token endpoint is a template over host and tenant, so no discovery request is ever sent; only an OpenID provider other
than Microsoft publishes its endpoint in a metadata document (:mod:`.metadata`). Discovery would also say whether an
unknown host is Microsoft's. The lists below say it instead: for any other host, a caller who trusts it passes
``disable_instance_discovery=True``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

from azure_certvar_credential._values import Value, replace

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

# Hosts, and suffixes of hosts, that no longer answer, each with its successor.
RETIRED_HOSTS = {
    "login.microsoftonline.de": "Microsoft Cloud Germany closed in October 2021; its tenants moved to "
    "login.microsoftonline.com",
    "login-us.microsoftonline.com": "Azure Government moved to login.microsoftonline.us",
    ".accesscontrol.windows.net": "Azure Access Control Service is retired; Microsoft Entra ID took its place at "
    "login.microsoftonline.com",
}

# The region of the process, detected when the first token is acquired; and azure-identity's variable for a region.
AUTO_REGION = "auto"
REGION_VARIABLE = "AZURE_REGIONAL_AUTHORITY_NAME"

# The parent of each host's regional hosts, as in MSAL. Any other host is its own.
_REGIONAL_HOSTS = {
    "login.microsoftonline.com": "login.microsoft.com",
    "login.windows.net": "login.microsoft.com",
    "sts.windows.net": "login.microsoft.com",
    "login.chinacloudapi.cn": "login.partner.microsoftonline.cn",
    "login.usgovcloudapi.net": "login.microsoftonline.us",
}

Kind = Literal["entra", "adfs", "b2c", "ciam", "dsts", "oidc"]


class Rules(Value):
    """The rules of one kind of authority.

    :ivar title: its name, for messages.
    :ivar endpoint: the token endpoint as a template over base, tenant and policy; None if a metadata document names it.
    :ivar algorithm: the default JWS ``alg`` of assertions.
    :ivar choice: whether the caller may choose another.
    :ivar sha1_only: whether it finds certificates by ``x5t`` alone and may reject ``x5t#S256``.
    :ivar regional: whether it has endpoints in Azure regions.
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


class Authority(Value):
    """An authorization server.

    :ivar base: scheme, host and port, such as ``https://login.microsoftonline.com``, without a trailing slash; for an
        OpenID provider its issuer, which may have a path.
    :ivar kind: selects the rules in :data:`RULES`.
    :ivar policy: the user flow or custom policy of B2C.
    """

    base: str
    kind: Kind
    policy: str = ""

    @property
    def rules(self) -> Rules:
        """The rules of this kind of authority."""
        return RULES[self.kind]

    @property
    def regional(self) -> bool:
        """Whether it has endpoints in Azure regions: a region is part of a host name, so an address has none."""
        return self.rules.regional and not _is_address(urlsplit(self.base).hostname or "")

    @property
    def metadata_url(self) -> str:
        """The URL of its metadata document (OpenID Connect Discovery 1.0 section 4)."""
        return f"{self.base}/.well-known/openid-configuration"

    def token_endpoint(self, tenant_id: str) -> str | None:
        """Return the URL of the token endpoint, the assertion's audience; None if a metadata document names it.

        :param tenant_id: a tenant's GUID or domain name; ignored by ADFS, which has no tenants.
        """
        template = RULES[self.kind].endpoint
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
    """Return the successor of a host that no longer exists, as a sentence; None for any other host."""
    reasons = (reason for end, reason in RETIRED_HOSTS.items() if host == end or (end[0] == "." and host.endswith(end)))
    return next(reasons, None)


def _is_address(host: str) -> bool:
    # For those alone who have chosen a region.
    from ipaddress import ip_address

    try:
        ip_address(host)
    except ValueError:
        return False
    return True
