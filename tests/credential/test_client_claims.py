"""Claims that the client asks for by itself: cached by value, merged with what services and capabilities demand."""

from __future__ import annotations

import copy
import inspect
import json
from typing import Any

import msal
import pytest

from azure_certvar_credential.exceptions import ConfigurationError
from azure_certvar_credential.testing import EntraServer
from tests.credential.users import ORDERS, user_token
from tests.credential.world import GRAPH, STORAGE, Driver, World
from tests.msal.world import needs_msal_1_38

PERIMETER = {"access_token": {"xms_az_nwperimid": {"values": ["4f4e1ac0"]}}}
TEXT = json.dumps(PERIMETER)
OTHER = '{"access_token":{"acrs":{"value":"c1"}}}'
CHALLENGE = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}'


def claims_sent(world: World) -> list[Any]:
    """Return the claims of each request so far; None where there are none."""
    texts = [request.form.get("claims") for request in world.entra.requests]
    return [None if text is None else json.loads(text) for text in texts]


async def test_tokens_are_cached_by_the_value_of_the_claims(world: World) -> None:
    driver = world.driver()
    tokens = [await driver.get_token(STORAGE, client_claims=claims) for claims in (TEXT, OTHER, None)]
    assert len({token.token for token in tokens}) == 3
    for claims, token in zip((TEXT, OTHER, None), tokens, strict=True):
        assert await driver.get_token(STORAGE, client_claims=claims) is token
    assert claims_sent(world) == [PERIMETER, json.loads(OTHER), None]


async def test_every_way_to_a_token_takes_them(world: World) -> None:
    """The three share one entry, and one without claims is another; a time-out is the fourth's as well."""
    driver = world.driver()
    token = await driver.get_token(STORAGE, client_claims=TEXT)
    info = await driver.get_token_info(STORAGE, client_claims=TEXT, timeout=5)
    found = driver.credential.token_provider(STORAGE, client_claims=PERIMETER, timeout=5)()
    text = await found if inspect.isawaitable(found) else found
    assert token.token == info.token
    assert text != token.token, "text is compared as text, and a dict is written without white space"
    challenged = await driver.get_token_info(STORAGE, options={"claims": CHALLENGE}, client_claims=TEXT)
    assert (await driver.get_token(STORAGE, client_claims=TEXT)).token == challenged.token
    path = await driver.get_token_info(STORAGE, fmi_path="team/app")
    assert (await driver.get_token(STORAGE, fmi_path="team/app")).token == path.token
    assert world.requests == 4
    for take in (driver.get_token_info, driver.get_token):
        with pytest.raises(ConfigurationError, match="client_claims must be a dict"):
            await take(STORAGE, client_claims="[]")


@pytest.mark.parametrize("name", ["client_claims", "fmi_path", "timeout"])
async def test_among_azure_cores_options_they_are_not_ignored_unseen(world: World, name: str) -> None:
    driver = world.driver()
    token = await driver.get_token_info(STORAGE, options={"enable_cae": True, "of_tomorrow": 1})
    assert (await driver.get_token(STORAGE, enable_cae=True)).token == token.token
    with pytest.raises(ConfigurationError, match=rf"get_token_info\(scope, {name}="):
        await driver.get_token_info(STORAGE, options={"enable_cae": True, name: "{}"})


async def test_every_request_of_a_credential_asks_for_its_claims(world: World) -> None:
    driver = world.driver(claims=PERIMETER)
    token = await driver.get_token(STORAGE)
    assert await driver.get_token(STORAGE) is token
    assert (await driver.get_token_info(STORAGE)).token == token.token
    assert await Driver(driver.credential.shared()).get_token(STORAGE) is token
    await driver.for_user(user_token(world)).get_token(ORDERS)
    await Driver(copy.copy(driver.credential)).get_token(STORAGE)
    assert claims_sent(world) == [PERIMETER] * 3
    # Those of a call replace them.
    await driver.get_token(STORAGE, client_claims=OTHER)
    assert claims_sent(world)[-1] == json.loads(OTHER)


async def test_a_users_tokens_with_claims_are_on_the_hot_path(world: World) -> None:
    driver = world.driver(claims=TEXT).for_user(user_token(world))
    token = await driver.get_token(ORDERS)
    assert driver.credential._cache.lookup((ORDERS,), None, None, enable_cae=False).access_token is token


async def test_an_agents_last_leg_asks_for_them(world: World) -> None:
    agent = world.entra.add_agent_identity(world.application)
    driver = Driver(world.driver(claims=PERIMETER).credential.agent(agent.client_id))
    token = await driver.get_token(GRAPH)
    assert await driver.get_token(GRAPH) is token
    assert claims_sent(world) == [None, PERIMETER]


async def test_they_are_merged_with_capabilities_and_challenges(world: World) -> None:
    driver = world.driver(claims=TEXT)
    await driver.get_token(STORAGE, enable_cae=True)
    cp1 = {"xms_cc": {"values": ["CP1"]}}
    assert claims_sent(world)[-1] == {"access_token": PERIMETER["access_token"] | cp1}

    answered = await driver.get_token(STORAGE, enable_cae=True, claims=CHALLENGE)
    nbf = json.loads(CHALLENGE)["access_token"]
    assert claims_sent(world)[-1] == {"access_token": PERIMETER["access_token"] | nbf | cp1}
    # The challenge bypassed the cache, and its token replaces the one with the same claims alone.
    assert await driver.get_token(STORAGE, enable_cae=True) is answered
    await driver.get_token(STORAGE, client_claims=OTHER, enable_cae=True)
    assert world.requests == 3


async def test_a_challenge_wins_over_the_clients_own_claim(world: World) -> None:
    own = '{"access_token":{"nbf":{"value":"0"},"acrs":{"value":"c1"}}}'
    await world.driver(claims=own).get_token(STORAGE, claims=CHALLENGE)
    sent = claims_sent(world)[-1]["access_token"]
    assert (sent["nbf"], sent["acrs"]) == ({"essential": True, "value": "1"}, {"value": "c1"})


@needs_msal_1_38
async def test_msal_sends_the_same_and_splits_its_cache_the_same_way(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text is what counts: other white space is another key there, and here."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)  # requests prefers them to the session's own
    calls = [TEXT, TEXT, OTHER, f"{OTHER} ", OTHER, None, TEXT]
    with world.entra.serve() as server:
        theirs = msal_sources(world, server, calls)
        msal_claims = claims_sent(world)
    world.entra.requests.clear()
    driver, ours = world.driver(), []
    for claims in calls:
        before = world.requests
        await driver.get_token(STORAGE, client_claims=claims)
        ours.append("identity_provider" if world.requests > before else "cache")
    assert ours == theirs
    assert claims_sent(world) == msal_claims


def msal_sources(world: World, server: EntraServer, calls: list[str | None]) -> list[str]:
    """Return where MSAL takes the token of each call from."""
    pem = world.certificate.to_pem()
    start = pem.index("-----BEGIN CERT")
    client = msal.ConfidentialClientApplication(
        world.application.client_id,
        {"private_key": pem[:start], "public_certificate": pem[start:]},
        authority=f"{server.url}/{world.application.tenant_id}",
        verify=server.ca_file,
        instance_discovery=False,
    )
    results = [client.acquire_token_for_client([STORAGE], forwarded_client_claims=claims) for claims in calls]
    return [result["token_source"] for result in results]


BAD: list[tuple[Any, str]] = [
    *((value, "must be a dict, or the text of a JSON object") for value in ("", "{", "[]", "7", b"{}", 7, ["a"], True)),
    *((value, "must be a dict, or the text of a JSON object") for value in ('{"a":{},"a":{}}', {"a": {1, 2}})),
    ({"access_token": {"n": {"value": float("nan")}}}, "must be a dict, or the text of a JSON object"),
    ({"access_token": None}, "each member of"),
    ('{"access_token":"acrs"}', "each member of"),
    ({"access_token": {"xms_cc": {"values": ["CP1"]}}}, "enable_cae=True for CP1"),
    ('{"access_token":{"xms_cc":{"values":["protapp"]}}}', "enable_cae=True for CP1"),
]


@pytest.mark.parametrize(("value", "message"), BAD)
async def test_claims_that_cannot_be_sent_are_refused_at_once(world: World, value: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        world.driver(claims=value)
    assert "client_claims" not in str(caught.value)
    with pytest.raises(ConfigurationError, match=message) as caught:
        await world.driver().get_token(STORAGE, client_claims=value)
    assert "client_claims" in str(caught.value)
    assert not world.requests
