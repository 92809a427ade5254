"""Parses the ``scope`` parameter (RFC 6749 section 3.3) as Entra does.

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
    """The scope of a token on behalf of a user.

    :ivar resource: the resource, without a slash at its end.
    :ivar names: the permissions, without the resource; empty for ``/.default``.
    :ivar reserved: the scopes of OpenID Connect.
    :ivar text: the unparsed parameter.
    """

    resource: str
    names: tuple[str, ...]
    reserved: frozenset[str]
    text: str


def read_app_scope(scope: str) -> str:
    """Return the resource in the scope of the client credentials grant, without a trailing slash.

    The scope of a resource whose identifier ends in a slash has two, ``https://management.azure.com//.default``; the
    emulator gives both spellings the same audience.

    :raises RefusalError: the parameter is not one scope (70011), or the scope is not ``/.default`` (1002012).
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
    """Parse the scope of a token on behalf of a user.

    :raises RefusalError: a scope is malformed, no scope names a resource, or ``/.default`` accompanies another scope
        (70011); the scopes name more than one resource (28000).
    """
    reserved: set[str] = set()
    resources: dict[str, str] = {}
    names: dict[str, None] = {}
    for text in scope.split():
        if text in RESERVED:
            reserved.add(text)
            continue
        # A permission without a resource belongs to Microsoft Graph.
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
        # Captured with this code: ".default scope can't be combined with resource-specific scopes".
        raise refuse(70011, scope=scope)
    return UserScope(
        next(iter(resources.values())),
        tuple(name for name in names if name != ".default"),
        frozenset(reserved),
        scope,
    )
