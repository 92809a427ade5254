"""What a Redis cache may be made of, how it shows itself, and what a pickle of it carries; without a server."""

from __future__ import annotations

import copy
import pickle
import sys
from typing import Any

import pytest
import redis
import redis.asyncio

from azure_certvar_credential import RedisTokenCache, aio
from azure_certvar_credential.exceptions import ConfigurationError
from tests.reporters import assert_reports_none_of
from tests.test_import import modules_after

both = pytest.mark.parametrize("cache", [RedisTokenCache, aio.RedisTokenCache], ids=["sync", "async"])
PASSWORD = "swordfish42"


@both
@pytest.mark.parametrize(
    "url",
    [
        f"redis://:{PASSWORD}/x@cache:6379/0",  # a slash ends the authority, and what precedes it is no port
        f"redis://fleet:{PASSWORD}@cache:sixty/0",
        f"redis://fleet:{PASSWORD}@cache:99999/0",
        f"redis://fleet:{PASSWORD}@[::1/0",
        f"rediss://fleet:{PASSWORD}@cache/0?socket_timeout=soon",
        f"rediss://fleet:{PASSWORD}@cache/0?sslca=/etc/ca.pem",
        f"redis://cache/0?password={PASSWORD}&colour=blue",
        f"https://fleet:{PASSWORD}@cache/0",
        f"cache:6379,password={PASSWORD},ssl=True",  # as the Azure portal shows it
        PASSWORD,
        "",
    ],
)
def test_a_url_that_cannot_work_is_refused_and_not_shown(cache: Any, url: str) -> None:
    with pytest.raises(ConfigurationError, match="url_or_client is not a URL that redis-py can read") as caught:
        cache(url)
    assert_reports_none_of(caught.value, [PASSWORD])


@both
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "url_or_client must be a Redis URL (a str) or a client of redis-py, not None"),
        (7, "url_or_client must be a Redis URL (a str) or a client of redis-py, not 7"),
        (b"redis://cache", "or a client of redis-py, not a value of type bytes"),
        (redis.ConnectionPool(), "not a value of type ConnectionPool"),
    ],
)
def test_what_is_no_client_is_refused(cache: Any, given: object, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        cache(given)
    assert message in str(caught.value)


def test_a_client_of_the_other_kind_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"is asynchronous: give it to azure_certvar_credential\.aio\.Redis"):
        RedisTokenCache(redis.asyncio.Redis())
    with pytest.raises(ConfigurationError, match=r"is synchronous: give it to azure_certvar_credential\.Redis"):
        aio.RedisTokenCache(redis.Redis())


@pytest.mark.parametrize("decode", [True, "yes"])
def test_a_client_that_decodes_is_refused(decode: Any) -> None:
    message = "the Redis client has decode_responses=True, and the entries of a token cache are bytes"
    with pytest.raises(ConfigurationError, match=message):
        RedisTokenCache(redis.Redis(decode_responses=decode))
    with pytest.raises(ConfigurationError, match=message):
        aio.RedisTokenCache(redis.asyncio.Redis(decode_responses=decode))


@both
def test_a_url_that_decodes_is_refused(cache: Any) -> None:
    with pytest.raises(ConfigurationError, match="the Redis client has decode_responses=True"):
        cache("redis://cache/0?decode_responses=True")


@both
@pytest.mark.parametrize("timeout", [0, -1, float("inf"), float("nan"), "1", True])
def test_a_timeout_is_a_positive_number(cache: Any, timeout: Any) -> None:
    with pytest.raises(ConfigurationError, match="timeout must be a positive number of seconds, not"):
        cache("redis://cache", timeout=timeout)


def test_a_client_has_its_own_timeout() -> None:
    with pytest.raises(ConfigurationError, match="timeout is for a URL: give a client its own socket_timeout"):
        RedisTokenCache(redis.Redis(), timeout=1.0)


@both
@pytest.mark.parametrize("prefix", ["{app}", "app}", b"app:", None])
def test_a_prefix_has_no_hash_tag(cache: Any, prefix: Any) -> None:
    with pytest.raises(ConfigurationError, match="prefix must be a str without braces"):
        cache("redis://cache", prefix=prefix)


@both
@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://", "redis://localhost:6379/0"),
        (f"redis://fleet:{PASSWORD}@cache/3", "redis://cache:6379/3"),
        (f"rediss://cache:6380/0?password={PASSWORD}&username=fleet", "rediss://cache:6380/0"),
        (f"unix://fleet:{PASSWORD}@/run/redis.sock?db=1", "unix:///run/redis.sock?db=1"),
    ],
)
def test_its_text_has_no_user_and_no_password(cache: Any, url: str, shown: str) -> None:
    made = cache(url)
    assert repr(made) == f"<RedisTokenCache {shown}>"
    assert PASSWORD not in repr(vars(made))


@both
def test_the_url_wins_over_the_defaults(cache: Any) -> None:
    made = cache("redis://cache/0?socket_timeout=3")
    options = made._source.make().connection_pool.connection_kwargs
    assert (options["socket_timeout"], options["socket_connect_timeout"]) == (3.0, 0.25)


@both
def test_a_pickle_carries_a_url_without_a_password(cache: Any) -> None:
    made = cache("rediss://cache:6380/2", prefix="app:", timeout=1.5)
    for other in (pickle.loads(pickle.dumps(made)), copy.deepcopy(made)):  # noqa: S301
        assert repr(other) == "<RedisTokenCache rediss://cache:6380/2>"
        assert other._commands.prefix == "app:"
        assert other._source.make().connection_pool.connection_kwargs["socket_timeout"] == 1.5


@both
@pytest.mark.parametrize(
    "url",
    [
        f"redis://:{PASSWORD}@cache/0",
        f"redis://fleet:{PASSWORD}@cache/0",
        f"redis://cache/0?password={PASSWORD}",
        f"redis://cache/0?p%61ssword={PASSWORD}",
    ],
)
def test_a_password_is_not_pickled(cache: Any, url: str) -> None:
    made = cache(url)
    for travel in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="a RedisTokenCache with a password in its URL is not pickled") as caught:
            travel(made)
        assert_reports_none_of(caught.value, [PASSWORD])


@pytest.mark.parametrize(
    "made", [RedisTokenCache(redis.Redis()), aio.RedisTokenCache(redis.asyncio.Redis())], ids=["sync", "async"]
)
def test_a_client_is_not_pickled(made: Any) -> None:
    with pytest.raises(TypeError, match="a RedisTokenCache over a client is not pickled: its connections belong to"):
        pickle.dumps(made)


@both
def test_a_missing_extra_is_named(cache: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.partition(".")[0] == "redis"]:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError) as caught:
        cache(f"redis://:{PASSWORD}@cache/0")
    assert str(caught.value) == "RedisTokenCache needs redis-py: pip install 'azure-certvar-credential[redis]'"
    assert caught.value.name == "redis"
    assert_reports_none_of(caught.value, [PASSWORD])


def test_redis_is_not_loaded_before_it_is_used() -> None:
    loaded = modules_after("from azure_certvar_credential import RedisTokenCache, aio; aio.RedisTokenCache")
    assert "azure_certvar_credential.caches.redis" in loaded
    assert not loaded & {"redis", "sqlite3", "platformdirs"}
