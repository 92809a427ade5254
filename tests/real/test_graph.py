"""Microsoft Graph's own client signs in with both credentials, answers a claims challenge, and asks for one token."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphServiceClient
from msgraph.generated.models.o_data_errors.o_data_error import ODataError

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.exceptions import AuthenticationError
from azure_certvar_credential.testing import EntraEmulator, Fault
from tests.real.graph_scene import MANY, SCOPE, Scene, ServerClock
from tests.real.servers.graph import USERS, GraphServer
from tests.real.servers.tls import TlsFiles

# The generated client warns of classes of its own while it is imported, which happens on the first use of a path.
pytestmark = pytest.mark.filterwarnings(r"ignore::DeprecationWarning:(msgraph|kiota_abstractions)\.")


async def _names(client: Any) -> list[str]:
    page = await client.users.get()
    return [user.display_name for user in page.value]


async def _count(client: Any) -> int:
    """Ask how many users there are: the generated client takes many milliseconds to read one user."""
    configuration: RequestConfiguration[Any] = RequestConfiguration()
    configuration.headers.add("ConsistencyLevel", "eventual")
    count: int = await client.users.count.get(configuration)
    return count


@pytest.fixture(scope="module")
def certificate() -> ClientCertificate:
    return ClientCertificate.self_signed("graph")


@pytest.fixture
def scene(certificate: ClientCertificate, server_tls: TlsFiles) -> Iterator[Scene]:
    clock = ServerClock()
    entra = EntraEmulator(clock=clock)
    application = entra.add_application(certificate)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(server_tls.certificate, server_tls.key)
    with (
        entra.serve() as server,
        GraphServer(
            tls,
            jwks_uri=f"{server.url}/common/discovery/v2.0/keys",
            jwks_trust=ssl.create_default_context(cafile=server.ca_file),
        ) as graph,
    ):
        yield Scene(clock, entra, server, application, certificate, graph, server_tls.context())


@pytest.fixture(params=["sync", "aio"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_the_client_made_as_its_documentation_says_lists_users(
    scene: Scene, kind: str, server_tls: TlsFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(server_tls.ca))
    monkeypatch.setenv("NO_PROXY", "localhost")

    async with scene.credential(kind) as credential:
        client = GraphServiceClient(credential, scopes=[SCOPE])
        client.request_adapter.base_url = scene.graph.base_url
        names = await _names(client)
        # The client has no method for it, and the middleware does not pass it on to the transport.
        await client.request_adapter._http_client._transport.transport.aclose()

    assert names == list(USERS)
    assert scene.asked == [{"scopes": (SCOPE,), "claims": None, "enable_cae": True}]
    assert len(scene.entra.requests) == 1


async def test_one_token_serves_one_request_after_the_other(scene: Scene, kind: str) -> None:
    async with scene.credential(kind) as credential, scene.client(credential) as client:
        for _ in range(5):
            assert await _names(client) == list(USERS)

    assert len(scene.got) == 5
    assert all(isinstance(token, AccessToken) for token in scene.got)
    assert len({call.token_id for call in scene.graph.calls}) == 1
    assert len(scene.entra.requests) == 1


async def test_a_claims_challenge_is_answered_and_its_token_serves_from_then_on(scene: Scene, kind: str) -> None:
    async with scene.credential(kind) as credential, scene.client(credential) as client:
        assert await _names(client) == list(USERS)
        claims = scene.revoke_sessions()
        assert await _names(client) == list(USERS)
        assert await _names(client) == list(USERS)

    old, challenged, new, after = scene.graph.calls
    assert [call.status for call in scene.graph.calls] == [200, 401, 200, 200]
    assert old.token_id == challenged.token_id != new.token_id == after.token_id
    # kiota decodes the challenge's base64 and hands the JSON over; otherwise it asks without claims.
    assert [call["claims"] for call in scene.asked] == [None, None, claims, None]
    assert all(isinstance(token, AccessToken) for token in scene.got)
    first, second = (json.loads(request.form["claims"])["access_token"] for request in scene.entra.requests)
    assert first == {"xms_cc": {"values": ["CP1"]}}
    assert second == json.loads(claims)["access_token"] | first


async def test_each_of_two_challenges_is_answered(scene: Scene, kind: str) -> None:
    async with scene.credential(kind) as credential, scene.client(credential) as client:
        for _ in range(2):
            assert await _names(client) == list(USERS)
            scene.revoke_sessions()
        assert await _names(client) == list(USERS)

    assert [call.status for call in scene.graph.calls] == [200, 401, 200, 401, 200]
    assert len(scene.entra.requests) == 3


async def test_a_challenge_that_entra_does_not_answer_is_the_callers_error(scene: Scene, kind: str) -> None:
    async with scene.credential(kind, retry_total=0) as credential, scene.client(credential) as client:
        await _names(client)
        scene.revoke_sessions()
        scene.entra.inject(Fault.aadsts(53003))
        with pytest.raises(AuthenticationError, match="AADSTS53003"):
            await _names(client)
        # Entra changed its mind: the next call is challenged again, and succeeds.
        assert await _names(client) == list(USERS)

    assert [call.status for call in scene.graph.calls] == [200, 401, 401, 200]


async def test_200_requests_at_once_ask_for_one_token(scene: Scene, kind: str) -> None:
    scene.graph.hold_until(MANY)

    async with scene.credential(kind) as credential, scene.client(credential) as client:
        counts = await asyncio.gather(*(_count(client) for _ in range(MANY)))

    assert counts == [len(USERS)] * MANY
    assert len(scene.entra.requests) == 1
    assert len(scene.got) == MANY
    assert all(isinstance(token, AccessToken) for token in scene.got)
    calls = scene.graph.calls
    assert len(calls) == len({call.client_port for call in calls}) == MANY
    assert scene.graph.unauthorized == 0
    assert len({call.token_id for call in calls}) == 1


@pytest.mark.parametrize("kind", ["sync"])
async def test_event_loops_in_four_threads_share_a_sync_credential_and_one_request(scene: Scene, kind: str) -> None:
    scene.graph.hold_until(MANY)
    start = threading.Barrier(4)

    async with scene.credential(kind) as credential:

        async def count_users() -> list[int]:
            async with scene.client(credential) as client:
                await asyncio.to_thread(start.wait, 30)
                return await asyncio.gather(*(_count(client) for _ in range(MANY // 4)))

        with ThreadPoolExecutor(4) as threads:
            loops = [threads.submit(asyncio.run, count_users()) for _ in range(4)]
            counts = [count for loop in loops for count in await asyncio.wrap_future(loop)]

    assert counts == [len(USERS)] * MANY
    assert len(scene.got) == MANY
    assert len(scene.entra.requests) == 1


async def test_callers_that_are_challenged_at_once_share_the_answer(scene: Scene) -> None:
    """With the async credential; a sync one answers in turn, because its caller's event loop has one thread."""
    callers = 50
    async with scene.credential("aio") as credential, scene.client(credential) as client:
        await _count(client)
        scene.revoke_sessions()
        scene.entra.inject(Fault.hang(30))

        counts = [asyncio.create_task(_count(client)) for _ in range(callers)]
        # Nobody gets a token until everybody has been challenged and waits for the request that is held up.
        await asyncio.to_thread(scene.entra.wait_for_hanging)
        while len(scene.asked) < 1 + 2 * callers:  # noqa: ASYNC110 - kiota tells nobody when it asks
            await asyncio.sleep(0.01)
        scene.entra.release()
        assert await asyncio.gather(*counts) == [len(USERS)] * callers
        await _count(client)

    assert len(scene.entra.requests) == 2
    assert Counter(call.status for call in scene.graph.calls) == {200: 1 + callers + 1, 401: callers}


async def test_tokens_of_another_resource_are_refused_and_kiota_says_so(scene: Scene, kind: str) -> None:
    """The server is no yes-sayer: what it accepted above, it accepted because the token was for Graph."""
    async with scene.credential(kind) as credential, scene.client(credential) as client:
        provider = AzureIdentityAuthenticationProvider(credential, scopes=["https://storage.azure.com/.default"])
        client.request_adapter._authentication_provider = provider
        with pytest.raises(ODataError) as refusal:
            await _names(client)

    assert refusal.value.response_status_code == 401
    assert "Audience" in str(refusal.value)
