"""The log of requests to the vault, for tests to inspect."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeyVaultRequest:
    """One request to the vault and its answer.

    >>> secret = SecretClient(vault.vault_url, credential, transport=vault.transport()).get_secret("app")
    >>> vault.requests[-1].permission
    'secrets/get'

    :ivar method: the HTTP method.
    :ivar path: the path of the URL.
    :ivar permission: the permission that it needs, such as ``secrets/get``; None if the API has no such path.
    :ivar client_id: the calling application; None if it is not authenticated.
    :ivar status: the HTTP status of the answer.
    :ivar fault: the name of the fault that the request met, or None.
    """

    method: str
    path: str
    permission: str | None
    client_id: str | None
    status: int
    fault: str | None
