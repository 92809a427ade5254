"""The emulator in process, under azure-core's real pipelines, synchronous and asynchronous."""

from __future__ import annotations

import asyncio
import inspect
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    IncompleteReadError,
    ResponseNotReadError,
    ServiceRequestError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
    StreamClosedError,
    StreamConsumedError,
)
from azure.core.pipeline import AsyncPipeline, Pipeline
from azure.core.pipeline.policies import AsyncRetryPolicy, ContentDecodePolicy, RetryPolicy
from azure.core.pipeline.transport import HttpRequest as LegacyRequest
from azure.core.rest import AsyncHttpResponse, HttpRequest, HttpResponse

from azure_certvar_credential.testing import Fault
from tests.testing.kit import World

KINDS = pytest.mark.parametrize("kind", ["sync", "async"])


def token_request(world: World) -> HttpRequest:
    return HttpRequest("POST", world.token_url, data=world.form())


def done(value: Any) -> Any:
    """Whatever the kind: the value itself, or what the awaitable comes to."""
    if not inspect.isawaitable(value):
        return value

    async def wait() -> Any:
        return await value

    return asyncio.run(wait())


def transport(world: World, kind: str, **options: Any) -> Any:
    return world.entra.transport(**options) if kind == "sync" else world.entra.async_transport(**options)


def send(world: World, kind: str, request: HttpRequest | None = None, **options: Any) -> Any:
    return done(transport(world, kind).send(request or token_request(world), **options))


async def blocks(response: AsyncHttpResponse, name: str) -> list[bytes]:
    return [block async for block in getattr(response, name)()]


def iterate(response: Any, name: str) -> list[bytes]:
    if isinstance(response, AsyncHttpResponse):
        return asyncio.run(blocks(response, name))
    return list(getattr(response, name)())


@KINDS
def test_an_answer_is_a_real_response_of_azure_core(world: World, kind: str) -> None:
    response = send(world, kind)
    assert isinstance(response, HttpResponse if kind == "sync" else AsyncHttpResponse)
    assert (response.status_code, response.reason) == (200, "OK")
    assert response.headers["content-TYPE"] == response.content_type == "application/json; charset=utf-8"
    assert response.encoding == "utf-8"
    assert response.url == response.request.url == world.token_url
    assert response.json()["token_type"] == "Bearer"
    assert json.loads(response.text()) == json.loads(response.content) == response.json()
    assert response.is_closed
    assert response.is_stream_consumed
    response.raise_for_status()
    token = response.json()["access_token"]
    assert token not in repr(response)
    response.encoding = "utf-16"
    assert response.encoding == "utf-16"


@KINDS
def test_a_stream_is_read_in_pieces_and_once(world: World, kind: str) -> None:
    world.entra.inject(Fault.oversized(10_000))
    response = send(world, kind, stream=True)
    assert not response.is_closed
    with pytest.raises(ResponseNotReadError):
        response.json()
    pieces = iterate(response, "iter_bytes")
    assert [len(piece) for piece in pieces] == [4096, 4096, 1808]
    assert json.loads(b"".join(pieces))["access_token"]
    assert response.is_closed
    with pytest.raises(StreamConsumedError):
        iterate(response, "iter_raw")


@KINDS
def test_a_stream_may_be_read_whole_and_iterated_over_again(world: World, kind: str) -> None:
    response = send(world, kind, stream=True)
    body = done(response.read())
    assert body == response.content == b"".join(iterate(response, "iter_raw")) == done(response.read())


@KINDS
def test_a_stream_that_was_closed_is_lost(world: World, kind: str) -> None:
    response = send(world, kind, stream=True)
    done(response.close())
    with pytest.raises(StreamClosedError):
        done(response.read())


def test_responses_and_transports_are_context_managers(world: World) -> None:
    with world.entra.transport() as plain:
        plain.open()
        with plain.send(token_request(world), stream=True) as response:
            assert not response.is_closed
        assert response.is_closed

    async def main() -> None:
        async with world.entra.async_transport() as asynchronous:
            await asynchronous.open()
            async with await asynchronous.send(token_request(world), stream=True) as streamed:
                assert not streamed.is_closed
            assert streamed.is_closed

    asyncio.run(main())


@KINDS
def test_an_error_status_is_raised_on_demand(world: World, kind: str) -> None:
    world.entra.inject(Fault.aadsts(700016))
    with pytest.raises(HttpResponseError, match="Operation returned an invalid status 'Bad Request'"):
        send(world, kind).raise_for_status()


@KINDS
def test_content_may_be_form_data_text_or_bytes(world: World, kind: str) -> None:
    encoded = urlencode(world.form())
    for content in (encoded, encoded.encode()):
        assert send(world, kind, HttpRequest("POST", world.token_url, content=content)).status_code == 200
    assert send(world, kind).status_code == 200
    assert world.entra.requests[-1].headers["content-type"] == "application/x-www-form-urlencoded"
    assert send(world, kind, HttpRequest("GET", f"{world.base}/common/discovery/keys")).status_code == 200
    older: Any = LegacyRequest("POST", world.token_url, {"Content-Type": "application/x-www-form-urlencoded"})
    older.set_formdata_body(world.form())
    assert send(world, kind, older).status_code == 200
    with pytest.raises(TypeError, match="must be bytes, text or form data, not list_iterator"):
        send(world, kind, HttpRequest("POST", world.token_url, content=iter([b"a"])))


FAULTS: list[tuple[Fault, type[AzureError], dict[str, Any]]] = [
    (Fault.reset_before(), ServiceRequestError, {}),
    (Fault.reset_after(), ServiceResponseError, {}),
    (Fault.hang(60), ServiceResponseTimeoutError, {"read_timeout": 0.02}),
    (Fault.latency(60), ServiceResponseTimeoutError, {"read_timeout": 0.02}),
    (Fault.truncated(), IncompleteReadError, {}),
]


@KINDS
@pytest.mark.parametrize(("fault", "error", "options"), FAULTS, ids=[fault[0].name for fault in FAULTS])
def test_what_breaks_is_raised_as_azure_cores_transports_do(
    world: World, kind: str, fault: Fault, error: type[AzureError], options: dict[str, Any]
) -> None:
    world.entra.inject(fault)
    with pytest.raises(error) as raised:
        send(world, kind, **options)
    assert raised.type is error
    assert send(world, kind).status_code == 200


@KINDS
def test_a_truncated_stream_breaks_off_in_the_middle(world: World, kind: str) -> None:
    world.entra.inject(Fault.truncated())
    response = send(world, kind, stream=True)
    expected = int(response.headers["Content-Length"]) // 2
    with pytest.raises(IncompleteReadError, match=f"{expected} bytes read"):
        iterate(response, "iter_bytes")


@KINDS
def test_a_policy_that_waits_does_not_keep_the_test_waiting(world: World, kind: str) -> None:
    world.entra.inject(Fault.throttled(60), times=2)
    wire = transport(world, kind, advance=world.clock.advance)
    began, before = time.monotonic(), world.clock()
    if kind == "sync":
        response: Any = Pipeline(wire, [RetryPolicy(), ContentDecodePolicy()]).run(token_request(world), stream=False)
    else:
        response = done(
            AsyncPipeline(wire, [AsyncRetryPolicy(), ContentDecodePolicy()]).run(token_request(world), stream=False)
        )
    assert response.http_response.status_code == 200
    assert response.context["deserialized_data"]["token_type"] == "Bearer"
    assert wire.sleeps == (60, 60)
    assert world.clock() == before + 120
    assert time.monotonic() - began < 10


@KINDS
def test_without_a_clock_to_advance_sleeps_are_recorded_only(world: World, kind: str) -> None:
    wire = transport(world, kind)
    done(wire.sleep(3600))
    assert wire.sleeps == (3600,)


@KINDS
def test_latency_passes_really_or_on_the_clock(world: World, kind: str) -> None:
    world.entra.inject(Fault.latency(0.1), times=2)
    began = time.monotonic()
    assert send(world, kind).status_code == 200
    assert time.monotonic() - began >= 0.09
    before = world.clock()
    wire = transport(world, kind, advance=world.clock.advance)
    assert done(wire.send(token_request(world))).status_code == 200
    assert world.clock() == before + 0.1
    world.entra.inject(Fault.latency(100))
    with pytest.raises(ServiceResponseTimeoutError):
        done(wire.send(token_request(world), read_timeout=30))
    assert world.clock() == before + 0.1 + 30


@KINDS
def test_a_hang_is_over_when_its_time_is(world: World, kind: str) -> None:
    world.entra.inject(Fault.hang(0.02))
    assert send(world, kind).status_code == 200


def test_a_hanging_task_lets_others_run_until_it_is_released(world: World) -> None:
    async def main() -> list[int]:
        world.entra.inject(Fault.hang(60))
        wire = world.entra.async_transport()
        hanging = asyncio.create_task(wire.send(token_request(world)))
        await asyncio.to_thread(world.entra.wait_for_hanging)
        other = await wire.send(token_request(world))
        assert not hanging.done()
        world.entra.release()
        return [other.status_code, (await hanging).status_code]

    assert asyncio.run(main()) == [200, 200]


def test_a_cancelled_task_leaves_the_hanging_answer_in_order(world: World) -> None:
    async def main() -> None:
        world.entra.inject(Fault.hang(60))
        task = asyncio.create_task(world.entra.async_transport().send(token_request(world)))
        await asyncio.to_thread(world.entra.wait_for_hanging)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    world.entra.release()
    assert send(world, "async").status_code == 200


@pytest.mark.parametrize("make", [lambda world: world.entra.transport, lambda world: world.entra.async_transport])
def test_no_argument_is_passed_over_in_silence(world: World, make: Callable[[World], Callable[..., Any]]) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'proxies'"):
        make(world)(proxies={})
