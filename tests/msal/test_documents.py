"""What MSAL reads before its cache: by rule where there is one, and else fetched, checked and kept."""

from __future__ import annotations

import json
import logging
from typing import Any

import msal
import pytest
from azure.core.exceptions import ServiceRequestError, ServiceResponseError

from azure_certvar_credential._core.authority import KNOWN_HOSTS, Authority
from azure_certvar_credential._core.exchange import Response
from azure_certvar_credential.exceptions import (
    AuthenticationError,
    ConfigurationError,
    ResponseFormatError,
    TemporarilyUnavailableError,
)
from azure_certvar_credential.msal.documents import confirms
from azure_certvar_credential.msal.options import MsalOptions
from azure_certvar_credential.testing import Fault
from azure_certvar_credential.testing.http import Request
from tests.credential.world import GRAPH, STORAGE
from tests.msal.test_authorities import CASES, options_of
from tests.msal.test_caches import restored
from tests.msal.world import MsalWorld, PlainClient

RULES = [name for name in CASES if name not in {"OpenID provider", "unknown and asked about"}]


def provider(world: MsalWorld) -> dict[str, Any]:
    """Return the options for an OpenID provider that no other test knows."""
    return {"oidc_authority": f"https://idp.contoso.example/{world.application.tenant_id}/v2.0"}


def documents(request: Request) -> bool:
    """Choose the requests for anything but a token."""
    return request.path.endswith("/.well-known/openid-configuration") or "/discovery/instance" in request.path


@pytest.mark.parametrize("name", RULES)
async def test_nothing_but_the_token_is_asked_for_where_the_endpoint_is_a_rule(world: MsalWorld, name: str) -> None:
    client = PlainClient(world.entra)
    driver = world.driver(http_client=client, **options_of(world, CASES[name][0]))

    for scope in (STORAGE, GRAPH):
        await driver.get_token(scope)

    assert len(client.urls) == 2


@pytest.mark.parametrize("name", RULES)
async def test_a_token_in_a_cache_serves_a_process_that_starts_while_the_server_is_unavailable(
    world: MsalWorld, name: str
) -> None:
    options = options_of(world, CASES[name][0])
    cache = msal.SerializableTokenCache()
    token = await world.driver(token_cache=cache, **options).get_token(STORAGE)
    world.entra.inject(Fault.server_error(), times=None)
    world.entra.inject(Fault.server_error(), times=None, when=documents)

    again = world.driver(token_cache=restored(cache), retry_total=0, **options)

    assert (await again.get_token(STORAGE)).token == token.token


FAULTS: list[tuple[Fault, type[Exception], str]] = [
    (Fault.server_error(), TemporarilyUnavailableError, "^the metadata of 'https://idp.*HTTP 503"),
    (Fault.server_error(502, json=False), TemporarilyUnavailableError, "^the metadata of 'https://idp.*HTTP 502"),
    (Fault.throttled(60), TemporarilyUnavailableError, "^the metadata of 'https://idp.*HTTP 429"),
    (Fault.not_json(), ResponseFormatError, "^the metadata of 'https://idp.*not a JSON object"),
    (Fault.not_json(404), ResponseFormatError, "^the metadata of 'https://idp.*HTTP 404"),
    (Fault.reset_before(), ServiceRequestError, "reset"),
    (Fault.reset_after(), ServiceResponseError, "reset"),
]


def ids(value: object) -> str | None:
    return value.name if isinstance(value, Fault) else None


@pytest.mark.parametrize(("fault", "kind", "text"), FAULTS, ids=ids)
async def test_metadata_that_cannot_be_had_is_named(
    world: MsalWorld, fault: Fault, kind: type[Exception], text: str
) -> None:
    world.entra.inject(fault, times=None, when=documents)
    driver = world.driver(retry_total=1, **provider(world))

    with pytest.raises(kind, match=text) as caught:
        await driver.get_token(STORAGE)
    assert "token endpoint" not in str(caught.value)

    world.entra.faults.clear()
    world.clock.advance(60)
    assert await driver.get_token(STORAGE)


@pytest.mark.parametrize(("fault", "kind", "text"), FAULTS, ids=ids)
async def test_the_last_good_metadata_serves_the_credential_while_there_is_none(
    world: MsalWorld, fault: Fault, kind: type[Exception], text: str, caplog: pytest.LogCaptureFixture
) -> None:
    driver = world.driver(**provider(world))
    await driver.get_token(STORAGE)
    world.entra.inject(fault, times=None, when=documents)

    with caplog.at_level(logging.WARNING):
        # For tokens with Continuous Access Evaluation it has another application of MSAL's, which reads it anew.
        assert await driver.get_token(GRAPH, enable_cae=True)
    assert f"will use the last valid document: {kind.__name__}" in caplog.text


async def test_what_one_credential_has_read_serves_no_other(world: MsalWorld) -> None:
    """It may have read it over connections that the other would not trust."""
    await world.driver(**provider(world)).get_token(STORAGE)
    world.entra.inject(Fault.server_error(), times=None, when=documents)

    with pytest.raises(TemporarilyUnavailableError, match="the metadata of"):
        await world.driver(retry_total=0, **provider(world)).get_token(STORAGE)


async def test_metadata_is_tried_again_like_a_token_request(world: MsalWorld) -> None:
    world.entra.inject(Fault.server_error(), times=3, when=documents)

    assert await world.driver(**provider(world)).get_token(STORAGE)

    assert world.requests == 1


class Altered(PlainClient):
    """Answers with other values in every document.

    :ivar values: in the place of the document's own.
    """

    def __init__(self, world: MsalWorld, **values: object) -> None:
        super().__init__(world.entra)
        self.values = values

    def get(self, url: str, params: Any = None, headers: Any = None, **kwargs: Any) -> Any:
        answer = super().get(url, params, headers, **kwargs)
        answer.text = json.dumps({**json.loads(answer.text), **self.values})
        return answer


@pytest.mark.parametrize("value", [None, 7, "http://login.example/token"], ids=["none", "number", "http"])
@pytest.mark.parametrize("name", ["token_endpoint", "authorization_endpoint"])
async def test_metadata_that_names_no_safe_endpoint_is_refused(world: MsalWorld, name: str, value: object) -> None:
    driver = world.driver(http_client=Altered(world, **{name: value}), **provider(world))

    with pytest.raises(ResponseFormatError, match=f"{name}"):
        await driver.get_token(STORAGE)
    assert world.requests == 0


async def test_metadata_that_msal_cannot_use_is_a_fault_of_the_authority(world: MsalWorld) -> None:
    driver = world.driver(http_client=Altered(world, token_endpoint="https://login.example"), **provider(world))

    with pytest.raises(ConfigurationError, match="MSAL rejects this authority"):
        await driver.get_token(STORAGE)


async def test_msal_asks_microsoft_about_an_unknown_authority_unless_it_is_trusted(world: MsalWorld) -> None:
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

    assert [url.split("/")[2] for url in client.urls] == [host]


ASKED = {"instance_discovery": True, "authority": "login.contoso.example"}
DISCOVERY = r"the authority's metadata at Microsoft \(instance discovery\)"


@pytest.mark.parametrize(
    ("fault", "kind", "text"),
    [
        (
            Fault.server_error(502, json=False),
            TemporarilyUnavailableError,
            rf"^the server of {DISCOVERY} is unavailable",
        ),
        (Fault.throttled(60, json=False), TemporarilyUnavailableError, rf"^the server of {DISCOVERY} is throttling"),
        (Fault.not_json(404), ResponseFormatError, rf"^{DISCOVERY} could not be read: HTTP 404"),
        (Fault.not_json(), ResponseFormatError, rf"^{DISCOVERY} is not a JSON object"),
        (Fault.oversized(), ResponseFormatError, rf"^{DISCOVERY} could not be read: HTTP 200"),
    ],
    ids=ids,
)
async def test_an_unusable_answer_about_an_authority_is_named(
    world: MsalWorld, fault: Fault, kind: type[Exception], text: str
) -> None:
    world.entra.inject(fault, times=None, when=documents)

    with pytest.raises(kind, match=text) as caught:
        await world.driver(retry_total=0, **ASKED).get_token(STORAGE)
    assert "token endpoint" not in str(caught.value)
    assert world.requests == 0


async def test_an_error_of_the_instance_discovery_is_reported(world: MsalWorld) -> None:
    class Refusing(PlainClient):
        def get(self, url: str, params: Any = None, headers: Any = None, **kwargs: Any) -> Any:
            answer = super().get(url, params, headers, **kwargs)
            answer.status_code, answer.text = 400, '{"error": "invalid_request", "error_codes": [90002]}'
            return answer

    with pytest.raises(AuthenticationError, match=rf"^invalid_request\. The request was for {DISCOVERY}\. Hint: "):
        await world.driver(http_client=Refusing(world.entra), **ASKED).get_token(STORAGE)


@pytest.mark.parametrize("value", [None, 7, "http://login.example/t/.well-known/openid-configuration"])
async def test_microsoft_names_a_safe_place_for_the_metadata(world: MsalWorld, value: object) -> None:
    client = Altered(world, tenant_discovery_endpoint=value)

    with pytest.raises(ResponseFormatError, match=f"{DISCOVERY} has no tenant_discovery_endpoint with https"):
        await world.driver(http_client=client, **ASKED).get_token(STORAGE)


async def test_the_host_that_microsoft_names_is_the_one_that_is_asked(world: MsalWorld) -> None:
    # As it answers: with the place of the older version's metadata, whose token endpoint takes no scope.
    place = f"https://login.windows.net/{world.application.tenant_id}/.well-known/openid-configuration"
    client = Altered(world, tenant_discovery_endpoint=place)

    await world.driver(http_client=client, **ASKED).get_token(STORAGE)

    assert client.urls[1:] == [f"https://login.windows.net/{world.application.tenant_id}/oauth2/v2.0/token"]


@pytest.mark.parametrize("tenant_id", ["contoso.example", "adfs"])
async def test_an_unconfirmed_host_receives_no_assertion_even_if_msal_does_not_ask(
    world: MsalWorld, tenant_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MSAL never asks about ADFS, and a version of it may not ask about Entra."""
    monkeypatch.setattr(MsalOptions, "msal_instance_discovery", lambda *_: False)
    driver = world.driver(authority="login.stranger.example", additionally_allowed_tenants=["*"])

    with pytest.raises(ConfigurationError, match="Microsoft has not confirmed it"):
        await driver.get_token(STORAGE, tenant_id=tenant_id)
    assert world.requests == 0


CONFIRMED = {"tenant_discovery_endpoint": "https://login.stranger.example/t/.well-known/openid-configuration"}
QUESTION = "https://login.microsoftonline.com/common/discovery/instance?authorization_endpoint="
STRANGER = f"{QUESTION}https%3A%2F%2Flogin.stranger.example%2Ft%2Foauth2%2Fv2.0%2Fauthorize"
ANSWERS: dict[str, tuple[str, int, dict[str, str], bool]] = {
    "confirmed": (STRANGER, 200, CONFIRMED, True),
    "refused": (STRANGER, 400, {"error": "invalid_instance"}, False),
    "refused with status 200": (STRANGER, 200, {**CONFIRMED, "error": "invalid_instance"}, False),
    "another status": (STRANGER, 400, CONFIRMED, False),
    "about another host": (f"{QUESTION}https%3A%2F%2Flogin.microsoftonline.com%2Ft", 200, CONFIRMED, False),
    "about nothing": (QUESTION, 200, CONFIRMED, False),
    "by the host itself": (
        STRANGER.replace("login.microsoftonline.com", "login.stranger.example"),
        200,
        CONFIRMED,
        False,
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_only_microsofts_answer_about_the_host_confirms_it(name: str) -> None:
    url, status, document, expected = ANSWERS[name]
    answer = Response(status, {}, json.dumps(document).encode())

    assert confirms(url, answer, Authority("https://login.stranger.example", "entra")) is expected
