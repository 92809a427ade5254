"""Clients of Azure's services: each calls a stand-in that verifies its token's signature and audience."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import pytest

from tests.clients.playing import Player, settled
from tests.clients.resource import Answer, Resource
from tests.clients.services import SERVICES, SUBSCRIPTION, Service
from tests.clients.table import TABLE

_CASES: Final = [
    pytest.param(service, kind, id=f"{service.client}, {kind}")
    for service in SERVICES
    for kind in TABLE[service.client].kinds
]


@pytest.mark.parametrize(("service", "kind"), _CASES)
async def test_the_client_calls_its_service(player: Player, resource: Resource, service: Service) -> None:
    resource.play(service.audience, *service.answers)

    def here(value: Any) -> Any:
        return value.replace("{base}", resource.url) if isinstance(value, str) else value

    trust = {"connection_verify": player.scene.ca_file} if service.trust else {}
    options = trust | {name: here(value) for name, value in service.options.items()}
    names = {name: here(value) for name, value in service.names.items()}
    async with player.client(service.client, options, **names) as client:
        assert service.result(await settled(service.call(client)))

    assert any(re.fullmatch(service.answers[0].asked, asked) for asked in resource.asked)
    # Some ask without a token first.
    for call in resource.calls:
        assert call.status < 300 if call.claims else call.status == 401, call
    assert len(player.scene.entra.requests) == 1


async def test_a_claims_challenge_of_resource_manager_is_answered(player: Player, resource: Resource) -> None:
    groups = f"GET /subscriptions/{SUBSCRIPTION}/resourcegroups"
    resource.play("https://management.azure.com", Answer(groups, {"value": [{"name": "g", "location": "here"}]}))
    options = {"connection_verify": player.scene.ca_file, "base_url": resource.url}
    async with player.client("Resource Manager", options, subscription_id=SUBSCRIPTION) as client:
        assert [group.name for group in await settled(client.resource_groups.list())] == ["g"]
        claims = json.dumps({"access_token": {"nbf": {"essential": True, "value": "1"}}})
        resource.challenge(claims)
        for _ in range(2):
            assert [group.name for group in await settled(client.resource_groups.list())] == ["g"]

    assert resource.asked == [groups, f"{groups} 401", groups, groups]
    # The answer to the challenge replaced the cached token.
    first, second = player.scene.entra.requests
    assert "claims" not in first.form
    assert json.loads(second.form["claims"]) == json.loads(claims)


async def test_graph_lists_its_users(player: Player, resource: Resource) -> None:
    resource.play("https://graph.microsoft.com", Answer("GET /v1.0//?users", {"value": [{"displayName": "Ada"}]}))
    # Without, it asks for the scope of the host that it calls.
    async with player.client("Microsoft Graph", {"scopes": ["https://graph.microsoft.com/.default"]}) as client:
        client.request_adapter.base_url = f"{resource.url}/v1.0"
        page = await client.users.get()
        # The client has no method for it, and the middleware does not pass it on to the transport.
        await client.request_adapter._http_client._transport.transport.aclose()

    assert [user.display_name for user in page.value] == ["Ada"]
    assert len(resource.asked) == len(player.scene.entra.requests) == 1


# It takes localhost for its emulator, whose certificate it does not verify.
@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
async def test_an_item_of_cosmos_is_read(player: Player, resource: Resource, monkeypatch: pytest.MonkeyPatch) -> None:
    # Otherwise the scope is the account's host, which is localhost here.
    monkeypatch.setenv("AZURE_COSMOS_AAD_SCOPE_OVERRIDE", "https://cosmos.azure.com/.default")
    here = [{"name": "here", "databaseAccountEndpoint": "{base}/"}]
    account = {"writableLocations": here, "readableLocations": here, "userConsistencyPolicy": {}}
    item = {"id": "1", "colour": "blue"}
    container = {"id": "things", "_rid": "r", "partitionKey": {"paths": ["/id"], "kind": "Hash", "version": 2}}
    resource.play(
        "https://cosmos.azure.com",
        Answer("GET /", account),
        Answer("GET /dbs/shop/colls/things/?", container),
        Answer("GET /dbs/shop/colls/things/docs/1/?", item),
    )
    async with player.client("Cosmos DB", account_url=resource.url) as client:
        things = client.get_database_client("shop").get_container_client("things")
        assert await settled(things.read_item("1", partition_key="1")) == item
    assert "GET /dbs/shop/colls/things/docs/1/" in [f"{asked.rstrip('/')}/" for asked in resource.asked]
    assert len(player.scene.entra.requests) == 1
