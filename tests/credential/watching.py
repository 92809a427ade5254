"""Transports that count how many requests of a key are under way at once."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import Counter
from typing import Any
from urllib.parse import parse_qs, urlencode

from azure.core.pipeline.transport import AsyncHttpTransport, HttpTransport

SEED = 20_261_123


class Watch:
    """Counts the requests of each scope that are under way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: Counter[str] = Counter()
        self.most = 0
        self.requests = 0

    def __call__(self, request: Any) -> _Passage:
        content = request.content if isinstance(request.content, str) else urlencode(request.content)
        return _Passage(self, parse_qs(content)["scope"][0])

    def enter(self, scope: str, by: int) -> None:
        with self._lock:
            self._under_way[scope] += by
            self.requests += by > 0
            self.most = max(self.most, self._under_way[scope])


class _Passage:
    def __init__(self, watch: Watch, scope: str) -> None:
        self._watch, self._scope = watch, scope

    def __enter__(self) -> None:
        self._watch.enter(self._scope, 1)

    def __exit__(self, *_: object) -> None:
        self._watch.enter(self._scope, -1)


class WatchedTransport(HttpTransport[Any, Any]):
    """A transport that is watched, and slow enough for callers to meet."""

    def __init__(self, inner: HttpTransport[Any, Any], watch: Watch) -> None:
        self._inner, self._watch, self._random = inner, watch, random.Random(SEED)

    def send(self, request: Any, **kwargs: Any) -> Any:
        with self._watch(request):
            time.sleep(self._random.random() * 0.004)
            return self._inner.send(request, **kwargs)

    def open(self) -> None:
        self._inner.open()

    def close(self) -> None:
        self._inner.close()

    def sleep(self, duration: float) -> None:
        self._inner.sleep(duration)

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncWatchedTransport(AsyncHttpTransport[Any, Any]):
    """The same for asyncio."""

    def __init__(self, inner: AsyncHttpTransport[Any, Any], watch: Watch) -> None:
        self._inner, self._watch, self._random = inner, watch, random.Random(SEED)

    async def send(self, request: Any, **kwargs: Any) -> Any:
        with self._watch(request):
            await asyncio.sleep(self._random.random() * 0.004)
            return await self._inner.send(request, **kwargs)

    async def open(self) -> None:
        await self._inner.open()

    async def close(self) -> None:
        await self._inner.close()

    async def sleep(self, duration: float) -> None:
        await self._inner.sleep(duration)

    async def __aexit__(self, *_: object) -> None:
        await self.close()
