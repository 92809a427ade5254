"""azure-core's own transports over TLS meet the same faults as the in-process ones, and raise the same errors."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from azure.core.exceptions import (
    AzureError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline.transport import AioHttpTransport, RequestsTransport
from azure.core.rest import HttpRequest

from azure_certvar_credential.testing import EntraServer, Fault
from tests import loops
from tests.testing.kit import World

Served = tuple[World, EntraServer]
TRANSPORTS = pytest.mark.parametrize("kind", ["requests", "aiohttp", "in process", "in process, async"])


Outcome = tuple[int, int] | type[AzureError]
"""Status and length of the body, or the class of the error."""


def synchronous(transport: Any, request: HttpRequest, options: dict[str, Any]) -> Outcome:
    with transport:
        try:
            response = transport.send(request, **options)
            return response.status_code, len(b"".join(response.iter_bytes()))
        except AzureError as error:
            return type(error)


async def asynchronous(make: Callable[[], Any], request: HttpRequest, options: dict[str, Any]) -> Outcome:
    async with make() as transport:
        try:
            response = await transport.send(request, **options)
            return response.status_code, len(b"".join([block async for block in response.iter_bytes()]))
        except AzureError as error:
            return type(error)


def outcome(served: Served, kind: str, **options: Any) -> Outcome:
    """Send a token request in one of four ways."""
    world, server = served
    request = HttpRequest("POST", world.token_url, data=world.form())
    options["connection_verify"] = server.ca_file
    if kind == "requests":
        return synchronous(RequestsTransport(), request, options)
    if kind == "in process":
        return synchronous(world.entra.transport(), request, options)
    if kind == "in process, async":
        return asyncio.run(asynchronous(world.entra.async_transport, request, options))
    with warnings.catch_warnings(), loops.hasty():
        # aiohttp leaves TLS connections whose other side does not take leave to the garbage collector.
        warnings.simplefilter("ignore", ResourceWarning)
        result = asyncio.run(asynchronous(AioHttpTransport, request, options))
        gc.collect()
    return result


def status(served: Served, kind: str) -> int:
    """The status of an answer that there has to be."""
    result = outcome(served, kind)
    assert isinstance(result, tuple), result
    return result[0]


@TRANSPORTS
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("fault", "error", "older"),
    [
        # The last column: what azure-core 1.31 says, which tells fewer failures apart.
        (Fault.hang(60), ServiceResponseTimeoutError, {ServiceResponseError}),
        (Fault.latency(60), ServiceResponseTimeoutError, {ServiceResponseError}),
        (Fault.truncated(), IncompleteReadError, {ServiceRequestError}),
    ],
    ids=["hang", "latency", "truncated"],
)
def test_a_fault_raises_the_same_error_through_every_transport(
    served: Served, kind: str, stream: bool, fault: Fault, error: type[AzureError], older: set[type[AzureError]]
) -> None:
    served[0].entra.inject(fault)
    raised = outcome(served, kind, read_timeout=0.2, stream=stream)
    assert raised is error or (kind in {"requests", "aiohttp"} and raised in older)
    assert status(served, kind) == 200


# azure-core's transports cannot tell when a connection was reset: requests' calls it a failure of the response at any
# time, aiohttp's a failure of the request. In process the two differ.
RESETS: dict[str, tuple[type[AzureError], type[AzureError]]] = {
    "requests": (ServiceResponseError, ServiceResponseError),
    "aiohttp": (ServiceRequestError, ServiceRequestError),
    "in process": (ServiceRequestError, ServiceResponseError),
    "in process, async": (ServiceRequestError, ServiceResponseError),
}


@TRANSPORTS
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_reset_is_a_failure_of_the_request_or_of_the_response(served: Served, kind: str, when: str) -> None:
    served[0].entra.inject(Fault.reset_before() if when == "before" else Fault.reset_after())
    assert outcome(served, kind) is RESETS[kind][when == "after"]
    assert status(served, kind) == 200


ANSWERS = [
    Fault.throttled(60),
    Fault.throttled(60, json=False),
    Fault.server_error(503, retry_after=2),
    Fault.server_error(500, json=False),
    Fault.aadsts(90033),
    Fault.unknown_certificate(),
    Fault.clock_skew(3600),
    Fault.not_json(200),
    Fault.not_json(503),
    Fault.not_an_object(),
    Fault.without_access_token(),
    Fault.expires_in("soon"),
    Fault.token_type("pop"),
    Fault.oversized(),
]


@pytest.mark.parametrize("fault", ANSWERS, ids=[f"{number} {fault.name}" for number, fault in enumerate(ANSWERS)])
def test_a_faulty_answer_is_the_same_through_every_transport(served: Served, fault: Fault) -> None:
    served[0].entra.inject(fault, times=4)
    outcomes = {outcome(served, kind) for kind in ("requests", "aiohttp", "in process", "in process, async")}
    entry = served[0].entra.requests[-1]
    ((answered, length),) = [result for result in outcomes if isinstance(result, tuple)]
    assert len(outcomes) == 1
    assert (answered, entry.fault) == (entry.status, fault.name)
    assert length > 0
    assert status(served, "requests") == 200
