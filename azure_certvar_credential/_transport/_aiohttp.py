"""azure-core's aiohttp transport, opened with an SSL context that was made elsewhere. Needs the extra ``aio``."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Mapping
from functools import partial
from typing import Any, Literal, cast

import aiohttp
from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import AioHttpTransport

from azure_certvar_credential._transport.in_thread import in_thread
from azure_certvar_credential._transport.pipeline import transport_options

# Raised once the request was on its way, so the server may have acted on it.
_BROKEN = (
    aiohttp.ServerDisconnectedError,
    aiohttp.ClientPayloadError,
    aiohttp.ClientOSError,
    ConnectionResetError,
    BrokenPipeError,
)


class _Connector(aiohttp.TCPConnector):
    """Leaves the connections alone that a child process has inherited.

    Parent and child share the selector of the parent's event loop: a connection that is closed in the child is taken
    out of it, and the parent waits in vain for what comes there.
    """

    _process: int | None = None

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._process = os.getpid()

    def __del__(self, *arguments: Any) -> None:
        if self._process == os.getpid():
            super().__del__(*arguments)


class _Transport(AioHttpTransport):  # type: ignore[misc]  # azure-core loads it on first use, which hides its type
    """Tells a connection that broke from one that was never made, which azure-core does not for aiohttp."""

    def leave_to_parent(self) -> None:
        """Give the connections up without closing them; in a child process."""
        if self.session is not None:
            self.session.detach()

    async def send(self, request: Any, **config: Any) -> Any:
        try:
            return await super().send(request, **config)
        except ServiceRequestError as error:
            cause = error.inner_exception
            if not isinstance(cause, _BROKEN) or isinstance(cause, aiohttp.ClientConnectorError):
                raise
            broken = ServiceResponseError(error.message, error=cause)
        raise broken


class _InThreads:
    """The part of an event loop that looks names up, with threads that do not hold up the end of the process.

    The loop's own are those of its default executor: they are joined at the end, however long a look-up hangs, and an
    application may have filled them with work that waits for this very token.
    """

    async def getaddrinfo(self, *arguments: Any, **options: Any) -> Any:
        return await in_thread(partial(socket.getaddrinfo, *arguments, **options))

    async def getnameinfo(self, *arguments: Any) -> Any:
        return await in_thread(socket.getnameinfo, *arguments)


def _resolver() -> aiohttp.abc.AbstractResolver | None:
    """Return a resolver; None for aiohttp's own choice, where that is another than threads (the package aiodns)."""
    if aiohttp.resolver.DefaultResolver is not aiohttp.ThreadedResolver:
        return None
    return aiohttp.ThreadedResolver(loop=cast("asyncio.AbstractEventLoop", _InThreads()))


def make_transport(context: ssl.SSLContext | Literal[False], options: Mapping[str, Any]) -> AioHttpTransport:
    """Return a transport for the running event loop.

    :param context: the SSL context, or False to verify nothing.
    :param options: checked pipeline options.
    """
    given = transport_options(options)
    # The context is in the connector: azure-core would otherwise read the trusted certificates anew for each request.
    given.pop("connection_verify", None)
    given.pop("connection_cert", None)
    session = aiohttp.ClientSession(
        connector=_Connector(ssl=context, resolver=_resolver()),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=given.get("use_env_settings", True),
        auto_decompress=False,
    )
    return _Transport(session=session, **given)
