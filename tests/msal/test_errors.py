"""Whatever MSAL makes of an answer, the caller gets the errors of this package, and no secret with them."""

from __future__ import annotations

import gc
import json
import logging
import re
import traceback
from typing import Any

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
)

from azure_certvar_credential._core.authority import KNOWN_HOSTS
from azure_certvar_credential.exceptions import (
    AuthenticationError,
    CertificateRejectedError,
    ConfigurationError,
    ResponseFormatError,
    TemporarilyUnavailableError,
)
from azure_certvar_credential.testing import Fault
from azure_certvar_credential.testing.http import Request
from tests.credential.world import STORAGE
from tests.msal.world import MsalWorld, PlainClient

JWT = re.compile(r"eyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
# Modules whose frames hold the request, or what is in MSAL's cache.
NO_FRAMES = {"azure_certvar_credential.msal.http", "azure_certvar_credential._core.flow", "msal.application"}

FAULTS: list[tuple[Fault, type[Exception], str]] = [
    (Fault.aadsts(700027), CertificateRejectedError, "thumbprint"),
    (Fault.aadsts(700016), AuthenticationError, "no such application"),
    (Fault.aadsts(53003, claims="{}"), AuthenticationError, "Conditional Access"),
    (Fault.aadsts(90033), TemporarilyUnavailableError, "try again later"),
    (Fault.server_error(), TemporarilyUnavailableError, "Server Error"),
    (Fault.server_error(500, json=False), TemporarilyUnavailableError, "HTTP 500"),
    (Fault.server_error(503, retry_after=7), TemporarilyUnavailableError, "wait 7 s"),
    (Fault.throttled(60), TemporarilyUnavailableError, "wait 60 s"),
    (Fault.throttled(60, json=False), TemporarilyUnavailableError, "throttling"),
    (Fault.not_json(), ResponseFormatError, "text/html"),
    (Fault.not_json(503), TemporarilyUnavailableError, "HTTP 503"),
    (Fault.truncated(), IncompleteReadError, "more expected"),
    (Fault.reset_before(), ServiceRequestError, "reset"),
    (Fault.reset_after(), ServiceResponseError, "reset"),
]


def ids(value: object) -> str | None:
    return value.name if isinstance(value, Fault) else None


@pytest.mark.parametrize(("fault", "kind", "text"), FAULTS, ids=ids)
async def test_each_failure_has_the_class_that_the_own_flow_gives_it(
    world: MsalWorld, fault: Fault, kind: type[Exception], text: str
) -> None:
    world.entra.inject(fault, times=None)

    with pytest.raises(kind, match=re.escape(text)):
        await world.driver(retry_total=1).get_token(STORAGE)


@pytest.mark.parametrize(("fault", "kind", "text"), FAULTS, ids=ids)
async def test_a_client_of_the_users_own_changes_nothing_about_that(
    world: MsalWorld, fault: Fault, kind: type[Exception], text: str
) -> None:
    if "reset" in fault.name or fault.name == "truncated":
        fault, kind, text = Fault.aadsts(700027), CertificateRejectedError, "thumbprint"  # this client has no network
    world.entra.inject(fault, times=None)

    with pytest.raises(kind, match=re.escape(text)):
        await world.driver(http_client=PlainClient(world.entra), retry_total=0).get_token(STORAGE)


async def test_the_error_carries_what_entra_said(world: MsalWorld) -> None:
    claims = '{"access_token":{"capolids":{"essential":true}}}'
    world.entra.inject(Fault.aadsts(53003, suberror="message_only", claims=claims))

    with pytest.raises(ClientAuthenticationError) as caught:
        await world.driver().get_token(STORAGE)

    error = caught.value
    assert isinstance(error, AuthenticationError)
    assert error.error_codes == (53003,)
    assert (error.suberror, error.claims) == ("message_only", claims)
    assert error.correlation_id is not None
    assert error.hint is not None
    assert error.hint in str(error)


async def test_a_tenant_that_does_not_exist_is_named_by_its_metadata(world: MsalWorld) -> None:
    with pytest.raises(AuthenticationError, match=r"AADSTS90002.*Hint: There is no such tenant"):
        await world.driver(tenant_id="fabrikam.example").get_token(STORAGE)


def metadata(request: Request) -> bool:
    """Choose the requests for an authority's metadata."""
    return request.path.endswith("/.well-known/openid-configuration")


METADATA_FAULTS: list[tuple[Fault, type[Exception], str]] = [
    (Fault.server_error(), TemporarilyUnavailableError, "Server Error"),
    (Fault.server_error(502, json=False), TemporarilyUnavailableError, "HTTP 502"),
    (Fault.throttled(60), TemporarilyUnavailableError, "60 s"),
    (Fault.not_json(), ResponseFormatError, "not a JSON object"),
    (Fault.not_json(404), ResponseFormatError, "HTTP 404"),
    (Fault.reset_before(), ServiceRequestError, "reset"),
    (Fault.reset_after(), ServiceResponseError, "reset"),
]


@pytest.mark.parametrize(("fault", "kind", "text"), METADATA_FAULTS, ids=ids)
async def test_metadata_that_cannot_be_had_is_named(
    world: MsalWorld, fault: Fault, kind: type[Exception], text: str
) -> None:
    world.entra.inject(fault, times=None, when=metadata)
    driver = world.driver(retry_total=1)

    with pytest.raises(kind, match=text):
        await driver.get_token(STORAGE)

    world.entra.faults.clear()
    world.clock.advance(60)
    assert await driver.get_token(STORAGE)


async def test_metadata_is_tried_again_like_a_token_request(world: MsalWorld) -> None:
    world.entra.inject(Fault.server_error(), times=3, when=metadata)

    assert await world.driver().get_token(STORAGE)

    assert world.requests == 1


@pytest.mark.parametrize("value", [None, 7, "http://login.example/token"], ids=["none", "number", "http"])
@pytest.mark.parametrize("name", ["token_endpoint", "authorization_endpoint"])
async def test_metadata_that_names_no_safe_endpoint_is_refused(world: MsalWorld, name: str, value: object) -> None:
    class Altered(PlainClient):
        def get(self, url: str, params: Any = None, headers: Any = None, **kwargs: Any) -> Any:
            answer = super().get(url, params, headers, **kwargs)
            answer.text = json.dumps({**json.loads(answer.text), name: value})
            return answer

    with pytest.raises(ResponseFormatError, match=f"has no {name} with https"):
        await world.driver(http_client=Altered(world.entra)).get_token(STORAGE)
    assert world.requests == 0


async def test_metadata_that_msal_cannot_use_is_a_fault_of_the_authority(world: MsalWorld) -> None:
    class Altered(PlainClient):
        def get(self, url: str, params: Any = None, headers: Any = None, **kwargs: Any) -> Any:
            answer = super().get(url, params, headers, **kwargs)
            answer.text = json.dumps({**json.loads(answer.text), "token_endpoint": "https://login.example"})
            return answer

    with pytest.raises(ConfigurationError, match="MSAL does not take this authority"):
        await world.driver(http_client=Altered(world.entra)).get_token(STORAGE)


async def test_an_authority_that_nobody_knows_is_asked_about_unless_it_is_trusted(world: MsalWorld) -> None:
    class Stranger(PlainClient):
        def get(self, url: str, params: Any = None, headers: Any = None, **kwargs: Any) -> Any:
            answer = super().get(url, params, headers, **kwargs)
            if "/common/discovery/instance" in url:
                answer.status_code, answer.text = 400, '{"error": "invalid_instance", "error_description": "no"}'
            return answer

    client = Stranger(world.entra)
    driver = world.driver(authority="login.stranger.example", http_client=client)
    with pytest.raises(ConfigurationError, match="disable_instance_discovery=True"):
        await driver.get_token(STORAGE)
    assert any(url.startswith("https://login.microsoftonline.com/common/discovery/instance") for url in client.urls)
    assert world.requests == 0

    client.urls.clear()
    trusting = world.driver(authority="login.stranger.example", http_client=client, disable_instance_discovery=True)
    assert await trusting.get_token(STORAGE)
    assert not any("discovery/instance" in url for url in client.urls)


@pytest.mark.parametrize("host", sorted(KNOWN_HOSTS))
async def test_a_host_on_microsofts_list_is_not_asked_about(world: MsalWorld, host: str) -> None:
    client = PlainClient(world.entra)
    world.entra.inject(Fault.aadsts(700016))  # after a refusal, MSAL looks for other names of the host
    driver = world.driver(authority=host, http_client=client)

    with pytest.raises(AuthenticationError):
        await driver.get_token(STORAGE)

    assert [url.split("/")[2] for url in client.urls] == [host, host]


@pytest.mark.parametrize("fault", [None, *(row[0] for row in FAULTS)], ids=ids)
async def test_no_secret_is_in_what_is_logged_raised_and_shown(
    world: MsalWorld, fault: Fault | None, caplog: pytest.LogCaptureFixture
) -> None:
    if fault is not None:
        world.entra.inject(fault, times=None)
    texts, raised = [], None
    with caplog.at_level(logging.DEBUG):
        driver = world.driver(logging_enable=True, retry_total=1)
        try:
            token = await driver.get_token(STORAGE)
            texts += [repr(token), repr(await driver.get_token_info(STORAGE))]
        except Exception as error:  # noqa: BLE001 - each fault has its own, and all are searched
            raised = error

    assert (raised is None) is (fault is None)
    if raised is not None:
        assert (raised.__context__, raised.__cause__) == (None, None)
        texts += ["".join(traceback.format_exception(raised)), repr(raised), str(vars(raised))]
        assert not {frame.f_globals["__name__"] for frame, _ in traceback.walk_tb(raised.__traceback__)} & NO_FRAMES
        texts += [repr(frame.f_locals) for frame, _ in traceback.walk_tb(raised.__traceback__)][1:]
    texts += [caplog.text, *(repr(record.__dict__) for record in caplog.records), repr(driver.given)]
    text = "\n".join(texts)
    assert not JWT.search(text)
    assert "PRIVATE KEY" not in text
    assert "msal" in {record.name.partition(".")[0] for record in caplog.records}


async def test_no_exception_keeps_the_request_alive(world: MsalWorld) -> None:
    """Error reporters walk an exception's attributes and frames; the assertion must not be found there."""
    world.entra.inject(Fault.reset_after(), times=None)

    with pytest.raises(ServiceResponseError) as caught:
        await world.driver(retry_total=0).get_token(STORAGE)

    frames = [frame.f_locals for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    reachable: list[object] = [vars(caught.value), *frames[1:]]
    for value in list(reachable):
        reachable += gc.get_referents(value)
    assert not any(JWT.search(repr(value)) for value in reachable if not isinstance(value, MsalWorld))
