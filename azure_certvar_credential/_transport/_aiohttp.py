"""azure-core's aiohttp transport, opened with an SSL context that was made elsewhere. Needs the extra ``aio``."""

from __future__ import annotations

import asyncio
import math
import os
import socket
import ssl
from collections.abc import Mapping
from functools import partial
from typing import Any, cast

import aiohttp
from azure.core.pipeline.transport import AioHttpTransport

from azure_certvar_credential._transport.attempt import sending
from azure_certvar_credential._transport.in_thread import in_thread
from azure_certvar_credential._transport.pipeline import transport_options
from azure_certvar_credential._transport.proxies import proxy_for

# How many addresses of a name get their time. Not a whole number: when two time-outs pass in the same moment, the inner
# one of CPython 3.10 takes the cancellation of the outer one for its own, and the next address is tried.
_ADDRESSES = 1.9


class _Connector(aiohttp.TCPConnector):
    """Leaves the connections alone that a child process has inherited.

    Parent and child share the selector of the parent's event loop: a connection that is closed in the child is taken
    out of it, and the parent waits in vain for what comes there.
    """

    _process: int | None = None

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._process = os.getpid()

    async def connect(self, req: Any, traces: Any, timeout: Any) -> Any:
        """Connect to one of the addresses of a name: each gets the time-out, all together not quite twice that."""
        bounded = aiohttp.ClientTimeout(
            connect=timeout.sock_connect and _ADDRESSES * timeout.sock_connect,
            sock_connect=timeout.sock_connect,
            sock_read=timeout.sock_read,
            # aiohttp rounds a longer time-out up to a whole second of its clock.
            ceil_threshold=math.inf,
        )
        return await super().connect(req, traces, bounded)

    def __del__(self, *arguments: Any) -> None:
        if self._process == os.getpid():
            super().__del__(*arguments)


class _Transport(AioHttpTransport):  # type: ignore[misc]  # azure-core loads it on first use, which hides its type
    """azure-core's transport, whose connections can be left to the parent process."""

    def __init__(self, *, environment: bool, **options: Any) -> None:
        super().__init__(**options)
        self._environment = environment

    async def send(self, request: Any, *, proxies: Any = None, **options: Any) -> Any:
        """Send a request through the proxy that the synchronous transport would take.

        :raises ValueError: that is one of a kind that aiohttp does not have, and would speak HTTP to.
        """
        proxy = proxy_for(request.url, proxies, environment=self._environment)
        if proxy and not proxy.lower().startswith(("http://", "https://")):
            raise ValueError("the proxy of the environment is no HTTP proxy, and aiohttp has no other")
        return await super().send(request, proxy=proxy, **options)

    def leave_to_parent(self) -> None:
        """Give the connections up without closing them; in a child process."""
        if self.session is not None:
            self.session.detach()


class _InThreads:
    """The part of an event loop that looks names up, with threads that do not hold up the end of the process.

    The loop's own are those of its default executor: they are joined at the end, however long a look-up hangs, and an
    application may have filled them with work that waits for this very token.
    """

    async def getaddrinfo(self, *arguments: Any, **options: Any) -> Any:
        return await in_thread(partial(socket.getaddrinfo, *arguments, **options), owner=self)

    async def getnameinfo(self, *arguments: Any) -> Any:
        return await in_thread(socket.getnameinfo, *arguments, owner=self)


def _resolver() -> aiohttp.abc.AbstractResolver | None:
    """Return a resolver; None for aiohttp's own choice, where that is another than threads (the package aiodns)."""
    if aiohttp.resolver.DefaultResolver is not aiohttp.ThreadedResolver:
        return None
    return aiohttp.ThreadedResolver(loop=cast("asyncio.AbstractEventLoop", _InThreads()))


def _tracing() -> aiohttp.TraceConfig:
    """Return what tells that a request leaves."""

    async def leaves(*_: object) -> None:
        sending()

    tracing = aiohttp.TraceConfig()
    tracing.on_request_headers_sent.append(leaves)
    return tracing


def make_transport(context: ssl.SSLContext, options: Mapping[str, Any]) -> AioHttpTransport:
    """Return a transport for the running event loop.

    :param context: whom connections trust.
    :param options: checked pipeline options.
    """
    given = transport_options(options)
    session = aiohttp.ClientSession(
        connector=_Connector(ssl=context, resolver=_resolver()),
        cookie_jar=aiohttp.DummyCookieJar(),
        trace_configs=[_tracing()],
        trust_env=False,  # the proxy comes with the request, and a password of ~/.netrc is not for a token endpoint
        auto_decompress=False,
    )
    # aiohttp repeats what is no POST by itself, beside the retries that are counted.
    session._retry_connection = False  # noqa: SLF001 - there is no option for it
    return _Transport(session=session, environment=options.get("use_env_settings") is not False, **given)
