"""MSAL's token caches: tokens of other programs are used, and what cannot be read is named."""

from __future__ import annotations

import json
import logging
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msal
import pytest
from msal_extensions import FilePersistence, PersistedTokenCache  # type: ignore[import-untyped]

from azure_certvar_credential.exceptions import ConfigurationError
from azure_certvar_credential.msal import client_credential
from azure_certvar_credential.testing import Fault
from tests.credential.world import GRAPH, STORAGE
from tests.msal.world import KNOWS_FMI_PATH, MsalWorld, PlainClient


def restored(cache: msal.SerializableTokenCache) -> msal.SerializableTokenCache:
    """Return the cache as another process gets it."""
    other = msal.SerializableTokenCache()
    other.deserialize(cache.serialize())
    return other


def of_another_program(world: MsalWorld, cache: msal.TokenCache) -> str:
    """Have MSAL's own application acquire a token into a cache, and return it."""
    endpoint = f"https://login.microsoftonline.com/{world.application.tenant_id}"
    application = msal.ConfidentialClientApplication(
        world.application.client_id,
        client_credential=client_credential(
            world.certificate,
            client_id=world.application.client_id,
            audience=f"{endpoint}/oauth2/v2.0/token",
        ),
        authority=endpoint,
        token_cache=cache,
        http_client=PlainClient(world.entra),
        instance_discovery=False,
    )
    token: str = application.acquire_token_for_client([STORAGE])["access_token"]
    return token


async def test_a_serialized_cache_survives_a_round_trip(world: MsalWorld) -> None:
    cache = msal.SerializableTokenCache()
    token = await world.driver(token_cache=cache).get_token(STORAGE)
    assert cache.has_state_changed

    again = await world.driver(token_cache=restored(cache)).get_token(STORAGE)

    assert again.token == token.token
    assert again.expires_on == token.expires_on
    assert world.requests == 1


async def test_a_persisted_cache_is_shared_by_programs(world: MsalWorld, tmp_path: Path) -> None:
    def cache() -> PersistedTokenCache:
        return PersistedTokenCache(FilePersistence(str(tmp_path / "tokens.json")))

    token = of_another_program(world, cache())

    ours = await world.driver(token_cache=cache()).get_token(STORAGE)
    graph = await world.driver(token_cache=cache()).get_token(GRAPH)
    once_more = await world.driver(token_cache=cache()).get_token(GRAPH)

    assert ours.token == token
    assert once_more.token == graph.token
    assert world.requests == 2


@pytest.mark.parametrize("refresh_in", [None, 1800], ids=["no advice", "server's advice"])
async def test_a_token_of_another_program_is_refreshed_when_msal_takes_it_as_due(
    world: MsalWorld, refresh_in: int | None
) -> None:
    world.entra.settings.refresh_in = refresh_in
    cache = msal.SerializableTokenCache()
    token = of_another_program(world, cache)
    driver = world.driver(token_cache=cache)

    used = {(await driver.get_token(STORAGE)).token}
    world.clock.advance((refresh_in or 3599 - 300) - 5)
    used.add((await driver.get_token(STORAGE)).token)
    await driver.settle()
    assert used == {token}
    assert world.requests == 1

    world.clock.advance(70)
    # Without advice, MSAL keeps the token until its last five minutes, in which callers wait.
    assert ((await driver.get_token(STORAGE)).token == token) is (refresh_in is not None)
    await driver.settle()
    assert (await driver.get_token(STORAGE)).token != token
    assert world.requests == 2


async def test_a_token_that_is_due_in_the_cache_serves_while_the_server_is_unavailable(
    world: MsalWorld, caplog: pytest.LogCaptureFixture
) -> None:
    """A process that starts now has nothing but this token; MSAL alone would fail it."""
    world.entra.settings.token_lifetime, world.entra.settings.refresh_in = 7200, 3600
    cache = msal.SerializableTokenCache()
    token = of_another_program(world, cache)
    world.clock.advance(3700)
    world.entra.inject(Fault.server_error(), times=None)
    driver = world.driver(token_cache=cache, retry_total=0)

    with caplog.at_level(logging.WARNING):
        assert (await driver.get_token(STORAGE)).token == token
    assert "valid for another 3500 s; next attempt in 30 s: TemporarilyUnavailableError" in caplog.text
    for _ in range(20):
        assert (await driver.get_token(STORAGE)).token == token
    await driver.settle()
    assert world.requests == 2

    world.entra.faults.clear()
    world.clock.advance(100)
    assert (await driver.get_token(STORAGE)).token == token
    await driver.settle()
    assert (await driver.get_token(STORAGE)).token != token


async def test_the_cache_never_goes_without_a_token_during_a_refresh(world: MsalWorld) -> None:
    cache = msal.SerializableTokenCache()
    driver = world.driver(token_cache=cache)
    before = await driver.get_token(STORAGE)
    world.entra.inject(Fault.hang())
    world.clock.advance(3450)
    await driver.get_token(STORAGE)
    await world.hanging()

    kept = list(cache.search(msal.TokenCache.CredentialType.ACCESS_TOKEN, query={}))

    assert [entry["secret"] for entry in kept] == [before.token]
    world.entra.release()
    await driver.settle()
    kept = list(cache.search(msal.TokenCache.CredentialType.ACCESS_TOKEN, query={}))
    assert [entry["secret"] for entry in kept] == [(await driver.get_token(STORAGE)).token]


async def test_tokens_with_continuous_access_evaluation_stay_out_of_a_shared_cache(world: MsalWorld) -> None:
    cache = msal.SerializableTokenCache()
    driver = world.driver(token_cache=cache)
    await driver.get_token(STORAGE, enable_cae=True)
    assert not list(cache.search(msal.TokenCache.CredentialType.ACCESS_TOKEN, query={}))

    plain = await driver.get_token(STORAGE)
    kept = list(cache.search(msal.TokenCache.CredentialType.ACCESS_TOKEN, query={}))
    assert [entry["secret"] for entry in kept] == [plain.token]


async def test_the_answer_to_a_challenge_is_what_other_programs_get(world: MsalWorld) -> None:
    cache = msal.SerializableTokenCache()
    driver = world.driver(token_cache=cache)
    await driver.get_token(STORAGE)
    answer = await driver.get_token(STORAGE, claims='{"access_token":{"nbf":{"essential":true}}}')

    assert (await world.driver(token_cache=restored(cache)).get_token(STORAGE)).token == answer.token


def altered(change: Callable[[dict[str, Any]], object]) -> Callable[[str], str]:
    """Return what alters every entry of a serialized cache."""

    def apply(text: str) -> str:
        state = json.loads(text)
        for entry in state["AccessToken"].values():
            change(entry)
        return json.dumps(state)

    return apply


UNREADABLE: dict[str, Callable[[str], str]] = {
    "a list": lambda _: "[1, 2]",
    "tokens in a list": lambda _: '{"AccessToken": [{"secret": "eyJhbGciOiJub25lIn0.e30.secret"}]}',
    "entries that are text": lambda _: '{"AccessToken": {"key": "eyJhbGciOiJub25lIn0.e30.secret"}}',
    "no expiry": altered(lambda entry: entry.pop("expires_on")),
    "an expiry in another form": altered(lambda entry: entry.update(expires_on="2030-01-01T00:00:00Z")),
    "a refresh in another form": altered(lambda entry: entry.update(refresh_on="soon")),
    "no secret": altered(lambda entry: entry.pop("secret")),
    "a secret in another form": altered(lambda entry: entry.update(secret=None)),
    "scopes in another form": altered(lambda entry: entry.update(target=["secret"])),
}


@pytest.mark.parametrize("form", UNREADABLE)
async def test_a_cache_of_a_newer_version_is_named(world: MsalWorld, form: str) -> None:
    written = msal.SerializableTokenCache()
    await world.driver(token_cache=written).get_token(STORAGE)
    cache = msal.SerializableTokenCache()
    cache.deserialize(UNREADABLE[form](written.serialize()))

    with pytest.raises(ConfigurationError, match="newer version of MSAL wrote it") as caught:
        world.driver(token_cache=cache)

    assert msal.__version__ in str(caught.value)
    assert "eyJ" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("form", UNREADABLE)
async def test_a_cache_that_becomes_unreadable_later_is_named(world: MsalWorld, form: str) -> None:
    cache = msal.SerializableTokenCache()
    driver = world.driver(token_cache=cache)
    await world.driver(token_cache=cache).get_token(STORAGE)
    text = cache.serialize()
    cache.deserialize(UNREADABLE[form](text))

    with pytest.raises(ConfigurationError, match="newer version of MSAL wrote it") as caught:
        await driver.get_token(STORAGE)
    assert caught.value.__context__ is None
    assert "secret" not in str(caught.value)


async def test_a_persisted_cache_that_is_damaged_is_named_without_its_content(
    world: MsalWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error of json carries the whole text that it could not read."""
    monkeypatch.setattr("msal_extensions.token_cache.time.sleep", lambda _seconds: None)  # between its three attempts
    path = tmp_path / "tokens.json"
    path.write_text('{"AccessToken": {"key": {"secret": "eyJhbGciOiJub25lIn0.e30.secret"')

    with pytest.raises(ConfigurationError, match="JSONDecodeError") as caught:
        world.driver(token_cache=PersistedTokenCache(FilePersistence(str(path))))
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


async def test_a_token_that_cannot_be_stored_is_used_all_the_same(
    world: MsalWorld, caplog: pytest.LogCaptureFixture
) -> None:
    class Full(msal.TokenCache):  # type: ignore[misc]
        def modify(self, *_: Any, **__: Any) -> None:
            raise OSError("no space left")

    driver = world.driver(token_cache=Full())

    token = await driver.get_token(STORAGE)

    assert await driver.get_token(STORAGE) is token
    assert world.requests == 1
    assert "could not store a new token in MSAL's cache, but will use it: OSError" in caplog.text


async def test_what_goes_wrong_inside_msal_is_raised_without_what_is_in_its_frames(world: MsalWorld) -> None:
    class Broken(msal.TokenCache):  # type: ignore[misc]
        searches = 0

        def search(self, *args: Any, **kwargs: Any) -> Any:
            self.searches += 1
            if self.searches == 3:  # after the two of the constructor's check
                try:
                    int("inner")
                except ValueError as error:
                    raise RuntimeError("broken") from error
            return super().search(*args, **kwargs)

    with pytest.raises(RuntimeError, match="broken") as caught:
        await world.driver(token_cache=Broken()).get_token(STORAGE)

    cause = caught.value.__cause__
    assert cause is not None
    frames = [frame for one in (caught.value, cause) for frame, _ in traceback.walk_tb(one.__traceback__)]
    of_msal = [frame.f_locals for frame in frames if frame.f_globals["__name__"].startswith("msal.")]
    assert of_msal
    assert not any(of_msal)


async def test_an_msal_that_would_take_the_token_of_another_identity_is_not_let_near_it(world: MsalWorld) -> None:
    """MSAL before 1.36 ignores what tells tokens of federated managed identities from the application's own."""
    written = msal.SerializableTokenCache()
    await world.driver(token_cache=written).get_token(STORAGE)
    state = json.loads(altered(lambda entry: entry.update(ext_cache_key="abc"))(written.serialize()))
    state["AccessToken"] = {
        f"{key.replace('accesstoken', 'atext')}-abc": entry for key, entry in state["AccessToken"].items()
    }
    cache = msal.SerializableTokenCache()
    cache.deserialize(json.dumps(state))

    if KNOWS_FMI_PATH:
        await world.driver(token_cache=cache).get_token(STORAGE)
        assert world.requests == 2
    else:
        with pytest.raises(ConfigurationError, match="newer"):
            world.driver(token_cache=cache)


@pytest.mark.parametrize(
    "value", [{}, "tokens.json", msal.TokenCache, threading.Lock()], ids=["dict", "path", "class", "something else"]
)
async def test_what_is_no_cache_is_named(world: MsalWorld, value: object) -> None:
    with pytest.raises(ConfigurationError, match=r"token_cache must be an msal\.TokenCache"):
        world.driver(token_cache=value)
