"""The resources that tokens are for: how they are called, and which form of token they take."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

GRAPH = "https://graph.microsoft.com"
"""The resource of a scope that names none (https://learn.microsoft.com/entra/identity-platform/scopes-oidc)."""

TOKEN_EXCHANGE = "api://AzureADTokenExchange"  # noqa: S105 - an identifier
"""The audience of the tokens that a federated identity credential takes."""

FMI_EXCHANGE = "api://AzureFMITokenExchange"
"""The audience of the tokens with a managed identity path that lead to the next token of such a path."""

_CLIENT_IDS = {
    GRAPH: "00000003-0000-0000-c000-000000000000",
    # Captured in tokens for the exchange; that of api://AzureFMITokenExchange is published nowhere.
    TOKEN_EXCHANGE.lower(): "fb60f99c-7a34-4190-8149-302f77469936",
}
# Captured for the first; the second is taken to be like it.
_VERSION_2 = frozenset({TOKEN_EXCHANGE.lower(), FMI_EXCHANGE.lower()})
# The tokens of these say whether they are a user's or an application's; elsewhere that is an optional claim.
_SAYS_TYPE = frozenset({GRAPH, _CLIENT_IDS[GRAPH], *_VERSION_2})


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource in the directory.

    :ivar identifier: how it was asked for, without a slash at its end; the audience of its v1 tokens.
    :ivar client_id: its application id, a GUID; the audience of its v2 tokens.
    :ivar version: the form of token that it takes, 1 or 2.
    :ivar idtyp: whether its tokens have the claim ``idtyp``.
    """

    identifier: str
    client_id: str
    version: int
    idtyp: bool = False

    @property
    def audience(self) -> str:
        """The ``aud`` of its tokens."""
        return self.identifier if self.version == 1 else self.client_id


def make_resource(identifier: str, *, client_id: str | None = None, version: int | None = None) -> Resource:
    """Describe a resource.

    :param identifier: as it stands in a scope.
    :param client_id: its application id; None for the one that Microsoft or its identifier gives it.
    :param version: the form of token that it takes; None for what is usual.
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
    """Raise :class:`ValueError` unless there are access tokens of this version."""
    if version not in (1, 2):
        raise ValueError(f"an access token has version 1 or 2, not {version}")


def resource_client_id(resource: str) -> str:
    """The application id of a resource, which is the audience of its v2 tokens.

    :param resource: its identifier, such as ``api://c0ffee00-0000-0000-0000-000000000000`` or a URL. A GUID at the
        end is the id itself; for any other identifier the same id comes out every time.
    """
    known = _CLIENT_IDS.get(resource.lower())
    if known is not None:
        return known
    last = resource.rsplit("/", 1)[-1]
    try:
        return str(uuid.UUID(last))
    except ValueError:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, resource))
