"""One thing that a vault is asked, as a value: what the sync and the async client have in common."""

from __future__ import annotations

from dataclasses import dataclass, field

from azure_certvar_credential.keyvault.failures import Operation


@dataclass(frozen=True, slots=True)
class VaultCall:
    """One call of one client of Azure's packages.

    :ivar module: where the synchronous client is; the asynchronous one of the same name is in its ``aio``.
    :ivar client: the client's class.
    :ivar url: the vault's URL, or that of something in it.
    :ivar target: its first argument, a URL or a key.
    :ivar method: the method.
    :ivar arguments: its arguments.
    :ivar operation: what it does, for messages.
    :ivar subject: with what, for messages.
    :ivar pages: whether the answer comes in pages and is wanted as a list.
    """

    module: str
    client: str
    url: str
    target: object = field(repr=False)
    method: str
    arguments: tuple[object, ...] = field(repr=False)
    operation: Operation
    subject: str
    pages: bool = False
