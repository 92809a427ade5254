"""Key Vault's clients, which learn from the vault's challenge what token to ask for, on the local Key Vault."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.testing import KeyVaultEmulator, KeyVaultServer
from tests.clients.playing import Player, settled
from tests.clients.scene import Scene

_CALLS: Final[dict[str, Callable[[Any], Any]]] = {
    "Key Vault: secrets": lambda client: client.get_secret("app"),
    "Key Vault: keys": lambda client: client.get_key("app"),
    "Key Vault: certificates": lambda client: client.get_certificate("app"),
}


@pytest.fixture(scope="module")
def vault(scene: Scene) -> Iterator[KeyVaultServer]:
    emulator = KeyVaultEmulator(scene.entra)
    emulator.add_certificate("app", ClientCertificate.self_signed("app"))
    with emulator.serve() as server:
        yield server


@pytest.mark.parametrize("name", _CALLS)
async def test_the_vault_s_challenge_is_answered(player: Player, vault: KeyVaultServer, name: str) -> None:
    # The vault's name is not among Azure's, so the client has to be told not to mind.
    options = {"connection_verify": vault.ca_file, "verify_challenge_resource": False}
    async with player.client(name, options, vault_url=vault.url) as client:
        for _ in range(2):
            assert (await settled(_CALLS[name](client))).name == "app"
    assert len(player.scene.entra.requests) == 1
