"""The resources that tokens are for: their identifiers, and the versions of their tokens."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

GRAPH = "https://graph.microsoft.com"
"""The resource of a scope without one (https://learn.microsoft.com/entra/identity-platform/scopes-oidc)."""

TOKEN_EXCHANGE = "api://AzureADTokenExchange"  # noqa: S105 - an identifier
"""The audience of the tokens that a federated identity credential accepts."""

FMI_EXCHANGE = "api://AzureFMITokenExchange"
"""The audience of the tokens that request another token with a managed identity path (``fmi_path``)."""

_CLIENT_IDS = {
    GRAPH: "00000003-0000-0000-c000-000000000000",
    # Captured in tokens for the exchange; the id of api://AzureFMITokenExchange is unpublished.
    TOKEN_EXCHANGE.lower(): "fb60f99c-7a34-4190-8149-302f77469936",
}
# Captured for the first; assumed for the second.
_VERSION_2 = frozenset({TOKEN_EXCHANGE.lower(), FMI_EXCHANGE.lower()})
# Resources whose tokens always have idtyp, the claim that tells users from applications; elsewhere it is optional.
_SAYS_TYPE = frozenset({GRAPH, _CLIENT_IDS[GRAPH], *_VERSION_2})


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource in the directory.

    :ivar identifier: its identifier in the request, without a trailing slash; the audience of its v1 tokens.
    :ivar client_id: its application id, a GUID; the audience of its v2 tokens.
    :ivar version: the version of its tokens, 1 or 2.
    :ivar idtyp: whether its tokens have the claim ``idtyp``.
    """

    identifier: str
    client_id: str
    version: int
    idtyp: bool = False

    @property
    def is_exchange(self) -> bool:
        """Whether its tokens only serve to get other tokens."""
        return self.identifier.lower() in _VERSION_2

    @property
    def audience(self) -> str:
        """The ``aud`` of its tokens."""
        return self.identifier if self.version == 1 else self.client_id


def make_resource(identifier: str, *, client_id: str | None = None, version: int | None = None) -> Resource:
    """Describe a resource.

    :param identifier: its identifier in a scope.
    :param client_id: its application id; None for that of :func:`resource_client_id`.
    :param version: the version of its tokens; None for the usual one.
    """
    identifier = identifier.rstrip("/")
    name = identifier.lower()
    return Resource(
        identifier,
        client_id or resource_client_id(identifier),
        version or (2 if name in _VERSION_2 else 1),
        name in _SAYS_TYPE,
    )


def check_version(version: int) -> None:
    """Raise :class:`ValueError` unless access tokens have this version."""
    if version not in (1, 2):
        raise ValueError(f"the version of an access token must be 1 or 2, not {version}")


def resource_client_id(resource: str) -> str:
    """The application id of a resource, which is the audience of its v2 tokens.

    :param resource: its identifier, such as ``api://c0ffee00-0000-0000-0000-000000000000`` or a URL.
    :returns: Microsoft's id of a known resource, or the GUID at the end of the identifier, or an id that is derived
        from the identifier.
    """
    known = _CLIENT_IDS.get(resource.lower())
    if known is not None:
        return known
    last = resource.rsplit("/", 1)[-1]
    try:
        return str(uuid.UUID(last))
    except ValueError:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, resource))
