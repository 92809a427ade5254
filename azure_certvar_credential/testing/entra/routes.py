"""Which authority a path belongs to, and what it asks of it.

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
# The hosts of the public cloud that have the regional hosts below login.microsoft.com in common.
_PUBLIC_HOSTS = ("login.microsoftonline.com", "login.microsoft.com", "login.windows.net", "sts.windows.net")
_CIAM_SUFFIX = ".ciamlogin.com"


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between the kinds of authority.

    :ivar kind: which it is.
    :ivar token_path: the end of its token endpoint's path.
    :ivar algorithms: the values of ``alg`` that it takes; None means Entra's.
    :ivar thumbprints: the header parameters that name the certificate; None means Entra's.
    """

    kind: Literal["entra", "b2c", "dsts", "adfs"]
    token_path: str = "oauth2/v2.0/token"  # noqa: S105 - a path
    algorithms: tuple[str, ...] | None = None
    thumbprints: tuple[str, ...] | None = None


ENTRA = Dialect("entra")
B2C = Dialect("b2c")
# dSTS and ADFS word their own errors (MSIS…); nobody has confirmed them to us, so they answer with Entra's.
DSTS = Dialect("dsts", algorithms=("RS256",), thumbprints=("x5t",))
ADFS = Dialect("adfs", token_path="oauth2/token", algorithms=("RS256",), thumbprints=("x5t",))  # noqa: S106 - a path


@dataclass(frozen=True, slots=True)
class Route:
    """An authority as it was called.

    :ivar dialect: its kind.
    :ivar base: scheme and host.
    :ivar authority: the path of the authority, such as ``/tfp/contoso.com/b2c_1_signin``.
    :ivar tenant: the tenant in it, or ``adfs``.
    :ivar asks: what is asked of it.
    :ivar version: 1 or 2: whose metadata.
    """

    dialect: Dialect
    base: str
    authority: str
    tenant: str
    asks: Literal["token", "metadata", "keys"]
    version: Literal[1, 2]

    def issuer(self, tenant_id: str, version: int) -> str:
        """The issuer of the tokens.

        The forms of Entra, B2C and CIAM are those of their metadata; that of dSTS is confirmed by nobody.

        :param tenant_id: the tenant's GUID, or ``{tenantid}``.
        :param version: the version of the token, 1 or 2.
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
        """Whether it is B2C's form that begins with ``/tfp``."""
        return self.authority.lower().startswith("/tfp/")


def entra_issuer(base: str, tenant_id: str, version: int) -> str:
    """The issuer of Entra's tokens.

    :param base: scheme and host of the authority.
    :param tenant_id: the tenant's GUID.
    :param version: the version of the token, 1 or 2.
    """
    return f"{base}/{tenant_id}/v2.0" if version == 2 else f"https://sts.windows.net/{tenant_id}/"


def central_bases(base: str) -> tuple[str, ...]:
    """Scheme and host of the authorities that a regional one belongs to; none if it is not regional.

    MSAL for Python posts to the region what it has signed for the central endpoint, and Entra takes it.

    :param base: scheme and host that were called, such as ``https://westeurope.login.microsoft.com``.
    """
    _, _, central = (urlsplit(base).hostname or "").partition(".")
    if not central.startswith("login."):
        return ()
    hosts = _PUBLIC_HOSTS if central in _PUBLIC_HOSTS else (central,)
    return tuple(f"https://{host}" for host in hosts)


def find_route(request: Request) -> Route | None:
    """Tell which authority a request is for; None if its path is none of theirs."""
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
    """Tell whether a request is for a token endpoint."""
    route = find_route(request)
    return route is not None and route.asks == "token"
