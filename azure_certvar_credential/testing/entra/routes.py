"""Maps a path to an authority and to the document or endpoint that it requests.

* Entra, its regional hosts and CIAM: ``/{tenant}``;
* B2C: ``/{tenant}/{policy}`` and ``/tfp/{tenant}/{policy}``, where a policy's name begins with ``b2c_``;
* dSTS: ``/dstsv2/{tenant}``;
* Active Directory Federation Services: ``/adfs``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from azure_certvar_credential.testing.http import Request

TENANTLESS = frozenset({"common", "organizations", "consumers"})

_PATH = re.compile(
    r"(?P<authority>(/[^/]+){1,3}?)"
    r"(/(?P<token>oauth2/v2\.0/token|oauth2/token)"
    r"|(?P<v2>/v2\.0)?/(?P<metadata>\.well-known/openid-configuration)"
    r"|/(?P<keys>discovery/(v2\.0/)?keys))"
)
# The public cloud's hosts, which share the regional hosts below login.microsoft.com.
_PUBLIC_HOSTS = ("login.microsoftonline.com", "login.microsoft.com", "login.windows.net", "sts.windows.net")
_CIAM_SUFFIX = ".ciamlogin.com"


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between the kinds of authority.

    :ivar kind: the kind of authority.
    :ivar token_path: the path of the token endpoint below the authority.
    :ivar algorithms: the accepted values of ``alg``; None for Entra's.
    :ivar thumbprints: the header parameters that name the certificate; None for Entra's.
    """

    kind: Literal["entra", "b2c", "dsts", "adfs"]
    token_path: str = "oauth2/v2.0/token"  # noqa: S105 - a path
    algorithms: tuple[str, ...] | None = None
    thumbprints: tuple[str, ...] | None = None


ENTRA = Dialect("entra")
B2C = Dialect("b2c")
# dSTS and ADFS have their own errors (MSIS…). These are unconfirmed here, so both answer with Entra's.
DSTS = Dialect("dsts", algorithms=("RS256",), thumbprints=("x5t",))
ADFS = Dialect("adfs", token_path="oauth2/token", algorithms=("RS256",), thumbprints=("x5t",))  # noqa: S106 - a path


@dataclass(frozen=True, slots=True)
class Route:
    """An authority and what a request wants from it.

    :ivar dialect: its kind.
    :ivar base: scheme and host.
    :ivar authority: the path of the authority, such as ``/tfp/contoso.com/b2c_1_signin``.
    :ivar tenant: the tenant in the path, or ``adfs``.
    :ivar asks: what the request wants.
    :ivar version: the version of the metadata, 1 or 2.
    """

    dialect: Dialect
    base: str
    authority: str
    tenant: str
    asks: Literal["token", "metadata", "keys"]
    version: Literal[1, 2]

    def issuer(self, tenant_id: str, version: int) -> str:
        """The issuer of the authority's tokens.

        The forms of Entra, B2C and CIAM come from their metadata; that of dSTS is unconfirmed.

        :param tenant_id: the tenant's GUID, or ``{tenantid}``.
        :param version: the token version, 1 or 2.
        """
        match self.dialect.kind:
            case "adfs":
                return f"{self.base}/adfs"
            case "dsts":
                return f"{self.base}/dstsv2/{tenant_id}"
            case "b2c":
                tfp, _, policy = self.authority.lower()[1:].split("/") if self.is_tfp else ("", "", "")
                return f"{self.base}/{tfp}/{tenant_id}/{policy}/v2.0/" if tfp else f"{self.base}/{tenant_id}/v2.0/"
            case "entra":
                if (urlsplit(self.base).hostname or "").endswith(_CIAM_SUFFIX):
                    return f"https://{tenant_id}{_CIAM_SUFFIX}/{tenant_id}/v2.0"
                return entra_issuer(self.base, tenant_id, version)

    @property
    def is_tfp(self) -> bool:
        """Whether the authority has B2C's form that begins with ``/tfp``."""
        return self.authority.lower().startswith("/tfp/")


def entra_issuer(base: str, tenant_id: str, version: int) -> str:
    """The issuer of Entra's tokens.

    A region's is that of its central authority: resources and federated credentials know no other (unconfirmed).

    :param base: scheme and host of the authority.
    :param tenant_id: the tenant's GUID.
    :param version: the token version, 1 or 2.
    """
    base = next(iter(central_bases(base)), base)
    return f"{base}/{tenant_id}/v2.0" if version == 2 else f"https://sts.windows.net/{tenant_id}/"


def central_bases(base: str) -> tuple[str, ...]:
    """Scheme and host of the central authorities of a regional one; empty if it is not regional.

    MSAL for Python signs an assertion for the central endpoint and posts it to the region; Entra accepts that.

    :param base: scheme and host of the request, such as ``https://westeurope.login.microsoft.com``.
    """
    _, _, central = (urlsplit(base).hostname or "").partition(".")
    if not central.startswith("login."):
        return ()
    hosts = _PUBLIC_HOSTS if central in _PUBLIC_HOSTS else (central,)
    return tuple(f"https://{host}" for host in hosts)


def find_route(request: Request) -> Route | None:
    """Return the route of a request; None if its path belongs to no authority."""
    match = _PATH.fullmatch(request.path)
    if match is None:
        return None
    authority = match["authority"]
    found = _authority(authority[1:].split("/"))
    if found is None:
        return None
    dialect, tenant = found
    if match["token"] not in (None, dialect.token_path):
        return None
    asks: Literal["token", "metadata", "keys"] = (
        "token" if match["token"] else "metadata" if match["metadata"] else "keys"
    )
    return Route(dialect, request.base, authority, tenant, asks, 2 if match["v2"] else 1)


def _authority(segments: list[str]) -> tuple[Dialect, str] | None:
    match [segment.lower() for segment in segments]:
        case ["adfs"]:
            return ADFS, "adfs"
        case ["dstsv2", _]:
            return DSTS, segments[1]
        case ["tfp", _, _]:
            return B2C, segments[1]
        case [_, policy] if policy.startswith("b2c_"):
            return B2C, segments[0]
        case [_]:
            return ENTRA, segments[0]
        case _:
            return None


def is_token_request(request: Request) -> bool:
    """Return whether a request addresses a token endpoint."""
    route = find_route(request)
    return route is not None and route.asks == "token"
