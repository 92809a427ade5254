"""What others put into a shared cache, or do to it, never becomes a wrong token or a strange error."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import Any

import msal
import pytest
from azure.core.exceptions import AzureError

from azure_certvar_credential.exceptions import ConfigurationError
from azure_certvar_credential.testing import Fault
from tests.credential.world import STORAGE
from tests.msal.test_caches import altered
from tests.msal.world import KNOWS_FMI_PATH, MsalWorld
from tests.reporters import assert_reports_none_of


@pytest.mark.parametrize("kind", ["pop", "ssh-cert"])
async def test_a_token_that_is_no_bearer_token_is_not_handed_out_as_one(world: MsalWorld, kind: str) -> None:
    written = msal.SerializableTokenCache()
    token = await world.driver(token_cache=written).get_token(STORAGE)
    cache = msal.SerializableTokenCache()
    cache.deserialize(altered(lambda entry: entry.update(token_type=kind, key_id="k"))(written.serialize()))

    with pytest.raises(ConfigurationError, match=f"token of type '{kind}'") as caught:
        await world.driver(token_cache=cache).get_token(STORAGE)
    assert_reports_none_of(caught.value, [token.token])


TIMES = {
    "after the year 9999": 10**12,
    "no float": 10**400,
    "infinite": float("inf"),
    "no float, in text": str(10**400),
    "more digits than Python reads": "9" * 5000,
}
NO_TIMES = [
    *[(name, value) for name in ("expires_on", "refresh_on") for value in TIMES.values()],
    # An expiry before 1970 is that of a token which has expired; MSAL removes it.
    *[("refresh_on", -1), ("refresh_on", -(10**400))],
]


@pytest.mark.parametrize(("name", "value"), NO_TIMES, ids=range(len(NO_TIMES)))
@pytest.mark.parametrize("appears", ["before", "after"])
async def test_a_time_that_is_none_is_an_unreadable_cache(
    world: MsalWorld, name: str, value: object, appears: str
) -> None:
    written = msal.SerializableTokenCache()
    token = await world.driver(token_cache=written).get_token(STORAGE)
    text = altered(lambda entry: entry.update({name: value}))(written.serialize())
    cache = msal.SerializableTokenCache()
    if appears == "before":
        cache.deserialize(text)
        with pytest.raises(ConfigurationError, match="cannot read token_cache"):
            world.driver(token_cache=cache)
        return
    driver = world.driver(token_cache=cache, retry_total=0)
    cache.deserialize(text)
    world.entra.inject(Fault.server_error(), times=None)

    with pytest.raises(ConfigurationError, match="cannot read token_cache") as caught:
        await driver.get_token(STORAGE)
    assert_reports_none_of(caught.value, [token.token])


@pytest.mark.parametrize("value", [-1, -(10**400)], ids=["before 1970", "no float"])
async def test_an_expiry_before_all_time_is_a_token_that_has_expired_or_an_unreadable_cache(
    world: MsalWorld, value: int
) -> None:
    cache = msal.SerializableTokenCache()
    driver = world.driver(token_cache=cache)
    await world.driver(token_cache=cache).get_token(STORAGE)
    cache.deserialize(altered(lambda entry: entry.update(expires_on=value))(cache.serialize()))

    refused = pytest.raises(ConfigurationError, match="cannot read token_cache")
    with nullcontext() if value == -1 else refused:
        await driver.get_token(STORAGE)
    assert world.requests == (2 if value == -1 else 1)


async def test_a_managed_identitys_token_that_another_process_wrote_is_never_taken_for_the_applications_own(
    world: MsalWorld,
) -> None:
    written = msal.SerializableTokenCache()
    own = await world.driver(token_cache=written).get_token(STORAGE)
    state = json.loads(written.serialize())
    shared = msal.SerializableTokenCache()
    driver = world.driver(token_cache=shared)
    # It appears after the constructor has looked into the cache.
    tokens = state["AccessToken"]
    tokens.update({f"{key}-abc": {**entry, "ext_cache_key": "abc", "secret": "x"} for key, entry in [*tokens.items()]})
    shared.deserialize(json.dumps(state))

    if KNOWS_FMI_PATH:
        assert (await driver.get_token(STORAGE)).token == own.token
    else:  # MSAL before 1.36 does not tell one from the other
        with pytest.raises(ConfigurationError, match="newer"):
            await driver.get_token(STORAGE)
    assert world.requests == 1


async def test_a_cache_that_is_locked_for_a_moment_is_an_error_of_azure_core(world: MsalWorld) -> None:
    class Locked(msal.TokenCache):  # type: ignore[misc]
        searches = 0

        def search(self, *args: Any, **kwargs: Any) -> Any:
            self.searches += 1
            if self.searches == 3:  # after the two of the constructor's check
                raise BlockingIOError("held by another process")
            return super().search(*args, **kwargs)

    driver = world.driver(token_cache=Locked())
    with pytest.raises(AzureError, match="token_cache could not be read: BlockingIOError"):
        await driver.get_token(STORAGE)
    assert (await driver.get_token(STORAGE)).token


WIDER = ["api://orders/.default", "api://mail/.default"]


async def test_a_token_is_never_for_more_scopes_than_were_requested(world: MsalWorld) -> None:
    world.entra.settings.strict = False  # Entra takes a single resource; OpenID providers take several
    cache = msal.SerializableTokenCache()
    entries = {
        "wider": " ".join(WIDER),
        "in capitals": STORAGE.upper(),
        "requested": STORAGE,
    }
    put_in(world, cache, entries)
    driver = world.driver(token_cache=cache)

    assert (await driver.get_token(STORAGE)).token == "requested"
    assert world.requests == 0
    fresh = await driver.get_token(WIDER[0])
    assert fresh.token not in entries
    assert world.requests == 1


async def test_scopes_are_compared_with_their_case(world: MsalWorld) -> None:
    cache = msal.SerializableTokenCache()
    put_in(world, cache, {"in capitals": STORAGE.upper()})

    assert (await world.driver(token_cache=cache).get_token(STORAGE)).token != "in capitals"
    assert world.requests == 1


async def test_the_order_of_scopes_does_not_matter(world: MsalWorld) -> None:
    cache = msal.SerializableTokenCache()
    put_in(world, cache, {"both": " ".join(WIDER)})
    driver = world.driver(token_cache=cache)

    assert (await driver.get_token(*WIDER)).token == "both"
    assert (await driver.get_token(*reversed(WIDER))).token == "both"
    assert world.requests == 0


def put_in(world: MsalWorld, cache: msal.TokenCache, entries: dict[str, str]) -> None:
    """Store tokens as another program does that uses MSAL; each token under its scopes."""
    for token, scopes in entries.items():
        cache.add(
            {
                "client_id": world.application.client_id,
                "scope": scopes.split(),
                "token_endpoint": f"https://login.microsoftonline.com/{world.application.tenant_id}/oauth2/v2.0/token",
                "response": {"access_token": token, "token_type": "Bearer", "expires_in": 3600},
            },
            now=int(world.clock()),
        )


async def test_an_error_of_the_caches_own_class_shows_no_content(world: MsalWorld) -> None:
    class Quoting(msal.TokenCache):  # type: ignore[misc]
        searches = 0

        def search(self, *args: Any, **kwargs: Any) -> Any:
            self.searches += 1
            if self.searches == 3:  # after the two of the constructor's check
                raise json.JSONDecodeError("cut off", '{"secret": "eyJhbGciOiJub25lIn0.e30.secret"', 5)
            return super().search(*args, **kwargs)

    with pytest.raises(AzureError, match="MSAL failed: JSONDecodeError: cut off") as caught:
        await world.driver(token_cache=Quoting()).get_token(STORAGE)
    assert_reports_none_of(caught.value, ["eyJhbGciOiJub25lIn0"])
