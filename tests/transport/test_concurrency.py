"""Several callers at once share one pipeline."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from azure.core.pipeline import AsyncPipeline, Pipeline
from azure.core.pipeline.transport import RequestsTransport

from azure_certvar_credential._core.exchange import Response
from azure_certvar_credential._transport import aio, sync
from tests.transport.loopback import serving, token
from tests.transport.posting import QUIET, send

CALLERS = 8


def test_threads_that_send_first_at_once_build_one_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Any] = []
    start = threading.Barrier(CALLERS)

    def counted(*arguments: Any) -> Any:
        built.append(Pipeline(*arguments))
        return built[-1]

    monkeypatch.setattr(sync, "Pipeline", counted)
    sender = sync.Sender(QUIET)

    def post(url: str) -> object:
        start.wait(timeout=10)
        return sender.send(send(url))

    with serving(token()) as server, ThreadPoolExecutor(CALLERS) as pool:
        outcomes = list(pool.map(post, [server.url] * CALLERS))
        sender.close()
    assert all(isinstance(outcome, Response) for outcome in outcomes)
    assert len(built) == 1


def test_a_thread_that_waited_for_the_pipeline_takes_the_one_that_was_built(monkeypatch: pytest.MonkeyPatch) -> None:
    sender = sync.Sender(QUIET)
    waiting = threading.Event()

    class Lock:
        """Lets the test be the other thread: it builds while this one waits for the lock."""

        def __enter__(self) -> None:
            monkeypatch.setattr(sender, "_pipeline", other)
            waiting.set()

        def __exit__(self, *exception: object) -> None:
            """Nothing is held."""

    other: Pipeline[Any, Any] = Pipeline(RequestsTransport())
    monkeypatch.setattr(sender, "_lock", Lock())
    assert sender._opened() is other
    assert waiting.is_set()
    sender.close()


def test_tasks_that_send_first_at_once_build_one_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Any] = []

    def counted(*arguments: Any) -> Any:
        built.append(AsyncPipeline(*arguments))
        return built[-1]

    monkeypatch.setattr("azure_certvar_credential._transport.aio.AsyncPipeline", counted)

    async def post_all(url: str) -> list[object]:
        sender = aio.AsyncSender(QUIET)
        outcomes = await asyncio.gather(*(sender.send(send(url)) for _ in range(CALLERS)))
        await sender.close()
        await sender.close()
        return list(outcomes)

    with serving(token()) as server:
        outcomes = asyncio.run(post_all(server.url))
    assert all(isinstance(outcome, Response) for outcome in outcomes)
    assert len(built) == 1


def test_two_event_loops_have_a_pipeline_each() -> None:
    sender = aio.AsyncSender(QUIET)

    async def post(url: str) -> object:
        return await sender.send(send(url))

    with serving(token()) as server:
        for _ in range(2):
            assert isinstance(asyncio.run(post(server.url)), Response)
    assert len(server.received) == 2
