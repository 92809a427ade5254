"""Calls to Key Vault as values: flows yield them, and the synchronous and asynchronous clients perform them."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from azure_certvar_credential.keyvault.failures import Operation

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class VaultCall:
    """One method call on one client of Azure's packages.

    :ivar module: the module of the synchronous client; the asynchronous one has the same name in its ``aio``.
    :ivar client: the client's class.
    :ivar url: the URL of the vault, or of something in it.
    :ivar target: the client's first argument, a URL or a key.
    :ivar method: the method.
    :ivar arguments: its arguments.
    :ivar operation: the operation, for messages.
    :ivar subject: what it operates on, for messages.
    :ivar pages: the method returns pages, and the answer is a list of all their items.
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


# What answers each call is said where the call is made.
VaultFlow = Generator[VaultCall, Any, T]
