"""Sends token requests with azure-core's ``AsyncPipeline`` and, unless told otherwise, its aiohttp transport.

What takes long happens off the event loop: aiohttp is imported with this module, and the trusted certificates are read
into an SSL context in a thread. aiohttp's connections belong to an event loop, so each loop has a pipeline of its own.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import AsyncGenerator, Mapping
from importlib.util import find_spec
from typing import Any

from azure.core.pipeline import AsyncPipeline
from azure.core.pipeline.policies import AsyncRetryPolicy

from azure_certvar_credential._core.effects import Fetch, Send, Unanswered
from azure_certvar_credential._core.exchange import MAX_BODY, Response
from azure_certvar_credential._transport import pipeline
from azure_certvar_credential._transport.async_library import Loop, async_library, refuse_aiohttp_under_trio
from azure_certvar_credential._transport.attempt import Attempt, under_way
from azure_certvar_credential._transport.deadline import deadline
from azure_certvar_credential._transport.in_thread import in_thread
from azure_certvar_credential._transport.per_loop import PerLoop
from azure_certvar_credential._transport.pipeline import AsyncBoundary
from azure_certvar_credential._transport.trust import ssl_context
from azure_certvar_credential.exceptions import CLOSED, ConfigurationError, CredentialClosedError

if find_spec("aiohttp") is not None:
    # Not in a thread when the first token is asked for: a thread that imports keeps the event loop from its turn for as
    # long as the interpreter lets it, which is five milliseconds at a time.
    from azure_certvar_credential._transport._aiohttp import make_transport


class _Opened:
    """A loop's pipeline.

    :ivar life: a generator that closes the pipeline when it is closed itself. An event loop closes the asynchronous
        generators that were started in it when it ends (``asyncio.run`` does), so no connection outlives its loop.
    """

    __slots__ = ("life", "pipeline", "transport")

    def __init__(self, opened: AsyncPipeline[Any, Any], transport: Any, life: AsyncGenerator[None, None]) -> None:
        self.pipeline = opened
        self.transport = transport
        self.life = life


# Pipelines of the parent process.
_inherited: list[_Opened] = []


class AsyncSender:
    """A pipeline for each event loop, built when the loop sends its first request.

    :param options: checked pipeline options, as :mod:`.options` names them.
    :param owns_transport: whether a transport among the options is closed with this pipeline.
    :raises ImportError: no transport is given and aiohttp is not installed.
    :raises ConfigurationError: a proxy is one that aiohttp cannot use.
    """

    def __init__(self, options: Mapping[str, Any], *, owns_transport: bool = True) -> None:
        if options.get("transport") is None and find_spec("aiohttp") is None:
            raise ImportError(
                "the async credential needs aiohttp: pip install 'azure-certvar-credential[aio]', "
                "or pass another asynchronous azure-core transport as transport="
            )
        if options.get("transport") is None and any(
            url and url.lower().startswith("socks") for url in (options.get("proxies") or {}).values()
        ):
            raise ConfigurationError("proxies must not be SOCKS proxies: aiohttp has none; pass a transport that does")
        self._options = options
        self._owns_transport = owns_transport or options.get("transport") is None
        self._lock = threading.Lock()
        self._closed = False
        self._ssl: ssl.SSLContext | None = None
        self._opened: PerLoop[_Opened] = PerLoop()

    async def send(self, effect: Send | Fetch) -> Response | Unanswered:
        """Post a token request, or get a document, and read the answer, at most 1 MiB of it.

        :returns: the answer, or why there is none.
        """
        attempt = Attempt(effect, self._options, tells=self._options.get("transport") is None)
        token = under_way.set(attempt)
        try:
            return await self._answer(attempt, effect)
        except Exception as error:  # noqa: BLE001 - judged below
            failure = error
        finally:
            under_way.reset(token)
        return pipeline.unanswered(attempt, failure)

    async def sleep(self, seconds: float) -> None:
        """Wait, in the way that the transport waits, until the deadline at the longest."""
        await (await self._open()).transport.sleep(min(seconds, deadline().remaining()))

    async def close(self) -> None:
        """Close the running loop's connections for good; those of other loops are closed when their loop ends.

        A transport among the options is closed also if it was never used, as azure-core does.
        """
        again, self._closed = self._closed, True
        opened = self._opened.get(async_library().get_running_loop())
        transport = self._options.get("transport")
        if opened is not None:
            await opened.life.aclose()
        elif transport is not None and self._owns_transport and not (again or self._opened):
            await transport.__aexit__()

    def after_fork(self) -> None:
        """Leave the parent process's connections alone: the next request of the child opens its own."""
        self._lock = threading.Lock()
        for opened in self._opened.values():
            if self._options.get("transport") is None:
                opened.transport.leave_to_parent()
            # Not let go of, or its generator would be closed, by the parent's event loop.
            _inherited.append(opened)
        self._opened = PerLoop()

    async def _open(self) -> _Opened:
        if self._closed:
            raise CredentialClosedError(CLOSED)
        loop = async_library().get_running_loop()
        opened = self._opened.get(loop)
        if opened is None:
            transport = self._options.get("transport")
            if transport is None:
                refuse_aiohttp_under_trio()
                make, context = await in_thread(self._prepare)
                # While this waited, another request of the same loop may have opened a pipeline; the first one stays,
                # and no second transport is made, which nobody would close.
                opened = self._opened.get(loop)
                if opened is not None:
                    return opened
                transport = make(context, self._options)
            policies = pipeline.build_policies(AsyncRetryPolicy, AsyncBoundary(), self._options)
            made = AsyncPipeline(transport, policies)
            opened = self._opened.put(loop, _Opened(made, transport, self._life(loop, made)))
            await anext(opened.life)
        return opened

    async def _answer(self, attempt: Attempt, effect: Send | Fetch) -> Response:
        opened = await self._open()
        options = _run_options(opened.transport)
        result = await opened.pipeline.run(pipeline.http_request(effect), stream=True, **options)
        try:
            return attempt.quoting_nothing(await _read(result.http_response))
        except Exception as error:  # noqa: BLE001 - the transport's, of any class
            failure = error
        raise attempt.translated(failure)

    async def _life(self, loop: Loop, opened: AsyncPipeline[Any, Any]) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            current = self._opened.get(loop)
            if current is not None and current.pipeline is opened:
                self._opened.pop(loop)
            if self._owns_transport:
                await opened.__aexit__()

    def _prepare(self) -> tuple[Any, ssl.SSLContext]:
        with self._lock:
            if self._ssl is None:
                self._ssl = ssl_context(self._options)
            return make_transport, self._ssl


def _run_options(transport: Any) -> dict[str, Any]:
    """Return time-outs within the deadline."""
    options = pipeline.run_options(transport)
    if not pipeline.takes_time_outs_as_one(transport):
        return options
    return {"connection_timeout": tuple(options.values())} if len(options) == 2 else {}


async def _read(response: Any) -> Response:
    if not hasattr(response, "iter_bytes"):  # a transport that answers with azure-core's older response class
        await response.load_body()
        return pipeline.read_response(response, response.body())
    body = bytearray()
    try:
        async for chunk in response.iter_bytes():
            body += chunk
            if len(body) > MAX_BODY:
                break
        return pipeline.read_response(response, body)
    finally:
        await response.close()
