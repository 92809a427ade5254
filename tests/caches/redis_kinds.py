"""The synchronous and the asynchronous Redis cache, for tests that run both from one text."""

from __future__ import annotations

import inspect
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
import redis
import redis.asyncio

from azure_certvar_credential import RedisTokenCache, aio

KEY = "0123456789abcdef"


async def done(value: Any) -> Any:
    """What a synchronous method returned, or an asynchronous one returns."""
    return await value if inspect.isawaitable(value) else value


@dataclass
class Kind:
    """One of the two caches, its library, and what a test has made of them."""

    cache: Callable[..., Any]
    library: Any
    made: list[Any] = field(default_factory=list)

    def __call__(self, given: Any, **options: Any) -> Any:
        cache = self.cache(given, **options)
        self.made.append(cache)
        return cache

    def client(self, url: str, **options: Any) -> Any:
        client = self.library.Redis.from_url(url, **options)
        self.made.append(client)
        return client


@pytest_asyncio.fixture(params=["sync", "async"])
async def new(request: pytest.FixtureRequest) -> AsyncIterator[Kind]:
    kind = Kind(aio.RedisTokenCache, redis.asyncio) if request.param == "async" else Kind(RedisTokenCache, redis)
    yield kind
    for one in kind.made:
        await done(one.aclose() if hasattr(one, "aclose") else one.close())


async def failing(operation: Callable[[], Any], kind: type[Exception]) -> tuple[Exception, float]:
    """The error of an operation, and how long it takes: the shorter of two times, since the machine may be busy."""
    errors, times = [], []
    for _ in range(2):
        begun = time.monotonic()
        with pytest.raises(kind) as caught:
            await done(operation())
        times.append(time.monotonic() - begun)
        errors.append(caught.value)
    return errors[0], min(times)
