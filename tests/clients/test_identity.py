"""azure-identity's chain, its token provider, and its credential with our assertion."""

from __future__ import annotations

import inspect
from typing import Final

import pytest

from tests.clients.playing import Player, settled
from tests.clients.resource import KeyRing

VAULT: Final = "https://vault.azure.net"


async def test_a_chain_gets_a_token_and_may_be_closed(player: Player, keys: KeyRing) -> None:
    async with player.client("azure-identity: chain", {}) as chain:
        keys.verify((await settled(chain.get_token(f"{VAULT}/.default"))).token, VAULT)
        await settled(chain.close())
        # The chain closed what it was given, which was a share.
        keys.verify((await settled(player.credential.get_token(f"{VAULT}/.default"))).token, VAULT)
    assert len(player.scene.entra.requests) == 1


async def test_a_provider_returns_a_token(player: Player, keys: KeyRing) -> None:
    async with player.client("azure-identity: token provider", {}) as provider:
        assert inspect.iscoroutinefunction(provider) == (player.kind == "aio")
        for _ in range(2):
            keys.verify(await settled(provider()), "https://cognitiveservices.azure.com")
    assert len(player.scene.entra.requests) == 1


@pytest.mark.parametrize("kind", ["sync"])
async def test_azure_identity_sends_our_assertion(player: Player, keys: KeyRing) -> None:
    server, application = player.scene.server, player.scene.application
    options = {
        "authority": server.authority,
        "disable_instance_discovery": True,
        "connection_verify": server.ca_file,
    }
    names = {"tenant_id": application.tenant_id, "client_id": application.client_id}
    async with player.client("azure-identity: client assertion", options, before=None, **names) as theirs:
        keys.verify(theirs.get_token(f"{VAULT}/.default").token, VAULT)
    (request,) = player.scene.entra.requests
    assert request.form["client_id"] == application.client_id
