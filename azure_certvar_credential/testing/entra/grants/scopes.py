"""Reads the ``scope`` parameter (RFC 6749 section 3.3) as Entra does.

https://learn.microsoft.com/entra/identity-platform/scopes-oidc
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from azure_certvar_credential.testing.entra.directory.resources import GRAPH
from azure_certvar_credential.testing.entra.errors import refuse

DEFAULT_SCOPE = "/.default"
OFFLINE_ACCESS = "offline_access"
OPENID = "openid"
RESERVED = frozenset({OFFLINE_ACCESS, OPENID, "profile", "email"})

_SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")


@dataclass(frozen=True, slots=True)
class UserScope:
    """What is asked for in a user's name.

    :ivar resource: the resource, without a slash at its end.
    :ivar names: the permissions, without the resource; empty for ``/.default``.
    :ivar reserved: those of OpenID Connect.
    :ivar text: the parameter as it came.
    """

    resource: str
    names: tuple[str, ...]
    reserved: frozenset[str]
    text: str


def read_app_scope(scope: str) -> str:
    """The resource that the scope of the client credentials grant stands for, without the slash at its end.

    A resource whose identifier ends in a slash is asked for with two, ``https://management.azure.com//.default``;
    both spellings come to the same audience here.

    :raises RefusalError: 70011 it is not one scope, 1002012 it is another than ``/.default``.
    """
    scopes = scope.split()
    if len(scopes) != 1:
        raise refuse(70011, scope=scope)
    if not scopes[0].endswith(DEFAULT_SCOPE):
        raise refuse(1002012, scope=scope)
    resource = scopes[0][: -len(DEFAULT_SCOPE)].rstrip("/")
    if not resource:
        raise refuse(70011, scope=scope)
    return resource


def read_user_scope(scope: str) -> UserScope:
    """Read the scope of a token on a user's behalf.

    :raises RefusalError: 70011 one of them is malformed, there is none of a resource, or ``/.default`` stands beside
        another; 28000 they are of more than one resource.
    """
    reserved: set[str] = set()
    resources: dict[str, str] = {}
    names: dict[str, None] = {}
    for text in scope.split():
        if text in RESERVED:
            reserved.add(text)
            continue
        # A permission that names no resource is one of Microsoft Graph.
        resource, _, name = text.rpartition("/") if "/" in text else (GRAPH, "", text)
        resource = resource.rstrip("/")
        if not resource or not name or not _SCOPE_TOKEN.fullmatch(text):
            raise refuse(70011, scope=text)
        resources[resource.lower()] = resource
        names[name] = None
    if not resources:
        raise refuse(70011, scope=scope)
    if len(resources) > 1:
        raise refuse(28000, scope=scope)
    if ".default" in names and len(names) > 1:
        # Captured: ".default scope can't be combined with resource-specific scopes", under this code.
        raise refuse(70011, scope=scope)
    return UserScope(
        next(iter(resources.values())),
        tuple(name for name in names if name != ".default"),
        frozenset(reserved),
        scope,
    )
