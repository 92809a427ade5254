"""What a member of a fleet does when the cache is slow, loses entries, or cannot be used for a while."""

from __future__ import annotations

import asyncio
import copy
import logging
import os
import pickle
import threading
from pathlib import Path
from typing import Any

import pytest
import trio
from azure.core.pipeline.transport import TrioRequestsTransport

from azure_certvar_credential import CertVarCredential, ClientCertificate, RedisTokenCache, SQLiteTokenCache, aio
from azure_certvar_credential._runtime import shared_tokens
from azure_certvar_credential.testing import EntraEmulator, Fault
from tests.credential.shared_caches import AsyncMemoryCache, MemoryCache
from tests.credential.test_claims import CHALLENGE
from tests.credential.world import GRAPH, STORAGE, Driver, World


@pytest.fixture
def cache(world: World) -> MemoryCache:
    return (MemoryCache if world.kind == "sync" else AsyncMemoryCache)(world.clock)


@pytest.fixture(autouse=True)
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scenario's cache is asked again as soon as it works."""
    monkeypatch.setattr(shared_tokens, "FIRST_REST", 0.0)


async def token_of(driver: Driver, scope: str = STORAGE, **options: Any) -> str:
    return (await driver.get_token(scope, **options)).token


async def looked(world: World, driver: Driver) -> str:
    """Return the token after the driver has looked at the cache in the background."""
    world.clock.advance(3)
    await token_of(driver)
    await driver.settle()
    return await token_of(driver)


async def test_a_refresh_that_began_before_a_challenge_gives_way_to_its_answer(
    world: World, cache: MemoryCache
) -> None:
    first, second = world.driver(token_cache=cache), world.driver(token_cache=cache)
    world.entra.inject(Fault.hang(20), times=1)
    slow = asyncio.create_task(token_of(first))
    await world.hanging()
    new = await token_of(second, claims=CHALLENGE)
    world.entra.release()

    assert await slow != new
    assert await looked(world, first) == new
    assert world.requests == 2


async def test_a_cache_that_was_emptied_gets_the_token_back(world: World, cache: MemoryCache) -> None:
    first, second = world.driver(token_cache=cache), world.driver(token_cache=cache)
    token = await token_of(first)
    cache.values.clear()

    assert await looked(world, first) == token
    assert await token_of(second) == token
    assert world.requests == 1


async def test_a_challenge_that_the_cache_missed_reaches_the_others_when_it_is_back(
    world: World, cache: MemoryCache
) -> None:
    first, second = world.driver(token_cache=cache), world.driver(token_cache=cache)
    old = await token_of(second)
    assert await token_of(first) == old
    cache.failure = OSError("no route")
    new = await token_of(first, claims=CHALLENGE)
    cache.failure = None

    assert await looked(world, first) == new
    assert await looked(world, second) == new
    assert world.requests == 2


async def test_an_older_entry_that_is_put_back_is_replaced(world: World, cache: MemoryCache) -> None:
    first, second = world.driver(token_cache=cache), world.driver(token_cache=cache)
    await token_of(first)
    older = dict(cache.values)
    new = await token_of(first, claims=CHALLENGE)
    cache.values.update(older)

    assert await looked(world, first) == new
    assert await token_of(second) == new


@pytest.mark.parametrize("method", ["get", "lock", "set", "unlock"])
async def test_a_cache_that_hangs_leaves_the_time_of_a_caller_in_a_hurry(
    world: World, cache: MemoryCache, method: str
) -> None:
    hang = threading.Event()
    real = getattr(MemoryCache, method)

    def hanging(*arguments: Any) -> Any:
        hang.wait(20)
        return real(cache, *arguments)

    async def hanging_async(*arguments: Any) -> Any:
        return await asyncio.to_thread(hanging, *arguments)

    setattr(cache, method, hanging if world.kind == "sync" else hanging_async)
    try:
        assert await token_of(world.driver(token_cache=cache), timeout=1)
        assert await token_of(world.driver(token_cache=cache), timeout=1, claims=CHALLENGE)
    finally:
        hang.set()


async def test_a_cache_that_cancels_its_own_call_is_a_miss(world: World, cache: MemoryCache) -> None:
    if world.kind == "sync":
        cache.failure = RuntimeError("cancelled")
    else:
        cache.failure = asyncio.CancelledError()  # type: ignore[assignment] # no Exception, and raised by libraries

    assert await token_of(world.driver(token_cache=cache))


async def test_a_cache_that_signs_in_with_its_own_credential_is_a_miss(
    world: World, cache: MemoryCache, caplog: pytest.LogCaptureFixture
) -> None:
    driver = world.driver(token_cache=cache)

    def get(_key: str) -> Any:
        return driver.credential.get_token(GRAPH)

    async def get_async(_key: str) -> Any:
        return await driver.credential.get_token(GRAPH)

    setattr(cache, "get", get if world.kind == "sync" else get_async)  # noqa: B010 - mypy knows one of the two alone
    with caplog.at_level(logging.WARNING):
        assert await token_of(driver)

    assert "must not use the credential that calls it" in caplog.text


async def test_a_certificate_that_cannot_seal_is_not_asked_again_for_each_token(
    world: World, cache: MemoryCache, certificate: ClientCertificate, caplog: pytest.LogCaptureFixture
) -> None:
    shared_tokens._seals.clear()
    asked: list[str] = []

    class PssOnly:
        public_key = certificate.signer.public_key

        def sign(self, message: bytes, algorithm: str) -> bytes:
            asked.append(algorithm)
            if algorithm.startswith("RS"):
                raise NotImplementedError("mechanism invalid")
            return certificate.signer.sign(message, algorithm)

    driver = world.driver(ClientCertificate(certificate.leaf, PssOnly()), token_cache=cache)
    asked.clear()
    with caplog.at_level(logging.WARNING):
        assert await token_of(driver) != await token_of(driver, GRAPH)

    assert sorted(asked) == ["PS256", "PS256", "RS256"]
    assert [line for line in caplog.messages if "needs encryption_key" in line] == caplog.messages
    assert len(caplog.messages) == 1


async def test_a_copy_and_a_shared_view_share_too(world: World, cache: MemoryCache) -> None:
    driver = world.driver(token_cache=cache)
    token = await token_of(driver)

    for other in (copy.copy(driver.credential), driver.credential.shared()):
        assert await token_of(Driver(other)) == token
    assert world.requests == 1


def importable_source() -> str:
    """A source that a pickle can refer to."""
    raise NotImplementedError


class Own(MemoryCache):
    """A cache of the user's own."""


class Declared(Own):
    """One that says of itself that its state is no secret."""

    holds_no_secret = True


TENANT, CLIENT = "contoso.example", "client"
REDIS = "redis://cache:6379/0"


@pytest.mark.parametrize(
    ("kind", "cache"),
    [
        (CertVarCredential, SQLiteTokenCache("tokens.db")),
        (aio.CertVarCredential, SQLiteTokenCache("tokens.db")),
        (CertVarCredential, RedisTokenCache(REDIS)),
        (aio.CertVarCredential, aio.RedisTokenCache(REDIS)),
        (CertVarCredential, Declared(float)),
    ],
    ids=repr,
)
def test_a_credential_is_pickled_with_where_its_cache_is(kind: type, cache: object) -> None:
    credential = kind(TENANT, CLIENT, importable_source, token_cache=cache, invalidation_seconds=7)
    copied = pickle.loads(pickle.dumps(credential))  # noqa: S301 - our own

    assert type(copied._parts.shared.cache) is type(cache)
    assert repr(copied._parts.shared.cache) == repr(cache)
    assert copied._parts.settings.sharing == credential._parts.settings.sharing


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a password in the URL": ({"token_cache": RedisTokenCache("redis://:secret@cache:6379/0")}, "password"),
    "a cache of the user's own": ({"token_cache": Own(float)}, "token_cache is not pickled"),
    "a key": ({"token_cache": SQLiteTokenCache("tokens.db"), "encryption_key": b"s" * 32}, "encryption_key is not"),
    "keys": ({"token_cache": SQLiteTokenCache("tokens.db"), "encryption_key": [b"s" * 32]}, "encryption_key is not"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_pickle_carries_no_secret_of_the_cache(case: str) -> None:
    options, message = REFUSED[case]
    with pytest.raises(TypeError, match=message) as caught:
        pickle.dumps(CertVarCredential(TENANT, CLIENT, importable_source, **options))
    assert "secret" not in str(caught.value)
    assert "s" * 32 not in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:This process.*multi-threaded:DeprecationWarning")
def test_a_forked_child_shares_with_its_parent(certificate: ClientCertificate, tmp_path: Path) -> None:
    entra = EntraEmulator()
    names = entra.add_application(certificate)
    cache = SQLiteTokenCache(tmp_path / "tokens.db")
    credential = CertVarCredential(
        names.tenant_id, names.client_id, certificate, transport=entra.transport(), token_cache=cache
    )
    token = credential.get_token(STORAGE).token

    child = os.fork()
    if child == 0:
        try:
            # A copy has nothing in its memory.
            same = copy.copy(credential).get_token(STORAGE).token == token
            os._exit(0 if same and len(entra.requests) == 1 else 1)
        except BaseException:  # noqa: BLE001 - reported as an exit code
            os._exit(2)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert copy.copy(credential).get_token(STORAGE).token == token
    assert len(entra.requests) == 1


def test_trio_shares_through_a_file(certificate: ClientCertificate, tmp_path: Path) -> None:
    entra = EntraEmulator()
    names = entra.add_application(certificate)

    with entra.serve() as server:

        async def token() -> str:
            async with aio.CertVarCredential(
                *(names.tenant_id, names.client_id, certificate),
                token_cache=SQLiteTokenCache(tmp_path / "tokens.db"),
                authority=server.authority,
                disable_instance_discovery=True,
                transport=TrioRequestsTransport(connection_verify=server.ca_file),
            ) as credential:
                return (await credential.get_token(STORAGE)).token

        assert trio.run(token) == trio.run(token)
    assert len(entra.requests) == 1


async def test_a_cache_in_a_file_serves_both_credentials(world: World, tmp_path: Path) -> None:
    first, second = (world.driver(token_cache=SQLiteTokenCache(tmp_path / "tokens.db")) for _ in range(2))

    assert await token_of(first) == await token_of(second)
    assert world.requests == 1
