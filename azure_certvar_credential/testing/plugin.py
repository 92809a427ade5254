"""The pytest plugin: fixtures for a local Entra and a local Key Vault.

pytest loads it wherever this package is installed, so it imports only pytest until a test uses a fixture.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from azure_certvar_credential.testing import EntraEmulator, EntraServer, KeyVaultEmulator


@pytest.fixture
def entra() -> Iterator[EntraEmulator]:
    """A fresh :class:`~azure_certvar_credential.testing.EntraEmulator` with one tenant and no application."""
    from azure_certvar_credential.testing import EntraEmulator

    emulator = EntraEmulator()
    yield emulator
    emulator.release()


@pytest.fixture
def entra_server(entra: EntraEmulator) -> Iterator[EntraServer]:
    """The ``entra`` fixture's emulator, served on 127.0.0.1 over TLS until the test ends."""
    with entra.serve() as server:
        yield server


@pytest.fixture
def key_vault(entra: EntraEmulator) -> Iterator[KeyVaultEmulator]:
    """A fresh :class:`~azure_certvar_credential.testing.KeyVaultEmulator` that accepts the tokens of ``entra``."""
    from azure_certvar_credential.testing import KeyVaultEmulator

    vault = KeyVaultEmulator(entra)
    yield vault
    vault.release()
