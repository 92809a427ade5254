"""Storage's clients on Azurite."""

from __future__ import annotations

import uuid

import fsspec.asyn
import pytest

from tests.clients.playing import Player, settled
from tests.real.servers.azurite import Azurite


def _name() -> str:
    return f"n{uuid.uuid4().hex}"


async def test_a_blob(player: Player, azurite: Azurite) -> None:
    async with player.client("Storage: blobs", account_url=azurite.account_url) as service:
        container = await settled(service.create_container(_name()))
        await settled(container.upload_blob("a.txt", b"a blob"))
        assert [blob.name for blob in await settled(container.list_blobs())] == ["a.txt"]
        download = await settled(container.download_blob("a.txt"))
        assert await settled(download.readall()) == b"a blob"
    assert len(player.scene.entra.requests) == 1


async def test_a_message_in_a_queue(player: Player, azurite: Azurite) -> None:
    async with player.client("Storage: queues", account_url=azurite.queue_url) as service:
        queue = await settled(service.create_queue(_name()))
        await settled(queue.send_message("a message"))
        assert [message.content for message in await settled(queue.receive_messages())] == ["a message"]
    assert len(player.scene.entra.requests) == 1


async def test_an_entity_in_a_table(player: Player, azurite: Azurite) -> None:
    # On localhost it takes the service for an emulator of Cosmos DB.
    options = {"connection_verify": azurite.ca_file, "audience": "https://storage.azure.com"}
    async with player.client("Storage: tables", options, account_url=azurite.table_url) as service:
        table = await settled(service.create_table(_name()))
        await settled(table.create_entity({"PartitionKey": "p", "RowKey": "r", "value": 7}))
        assert [entity["value"] for entity in await settled(table.list_entities())] == [7]
    assert len(player.scene.entra.requests) == 1


@pytest.mark.parametrize("kind", ["aio"])
async def test_a_file_of_fsspec(player: Player, azurite: Azurite) -> None:
    # Its own thread has the event loop, and with it the connections of client and credential.
    options = {"account_host": azurite.account_url.removeprefix("https://"), "skip_instance_cache": True}
    async with player.client("fsspec, Dask and pandas: `abfs://`", options, account_name="devstoreaccount1") as files:
        container = _name()
        files.mkdir(container)
        files.pipe_file(f"{container}/a.txt", b"a file")
        assert files.cat_file(f"{container}/a.txt") == b"a file"
        fsspec.asyn.sync(files.loop, files.service_client.close)
        fsspec.asyn.sync(files.loop, player.credential.close)
    assert len(player.scene.entra.requests) == 1
