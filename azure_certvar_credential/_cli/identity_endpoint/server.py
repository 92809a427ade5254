"""Listens on the loopback interface or a Unix socket, and answers requests with tokens. Needs aiohttp."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import stat
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from aiohttp.http import HttpProcessingError
from azure.core.credentials_async import AsyncSupportsTokenInfo

from azure_certvar_credential._cli.identity_endpoint.answers import FAILURES, Answer, failed, granted, refused
from azure_certvar_credential._cli.identity_endpoint.requests import Call, Guard, RefusedError

LOOPBACK = "127.0.0.1"

# A request is a line and a handful of header fields.
_MAX_LINE_BYTES = 4096
_MAX_FIELD_BYTES = 4096
_MAX_FIELDS = 64
MAX_CONNECTIONS = 128
# The time in which a client sends its request. The answer has the credential's own timeout.
_REQUEST_SECONDS = 10.0
_STOP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where an endpoint listens.

    :ivar port: the port on 127.0.0.1; 0 lets the system choose. Without a meaning if there is a path.
    :ivar path: the path of a Unix socket, which only this user may use; None for the port.
    """

    port: int = 0
    path: Path | None = None

    def open(self) -> socket.socket:
        """Open the socket.

        :raises OSError: the port is in use, or the path exists.
        """
        if self.path is None:
            return socket.create_server((LOOPBACK, self.port), backlog=MAX_CONNECTIONS)
        if not hasattr(socket, "AF_UNIX"):
            raise OSError(errno.EAFNOSUPPORT, "this platform has no Unix sockets")
        listener = socket.socket(socket.AF_UNIX)
        # The mask is that of the whole process, which serves nobody yet.
        mask = os.umask(0o777 & ~(stat.S_IRUSR | stat.S_IWUSR))
        try:
            listener.bind(str(self.path))
        except BaseException:
            listener.close()
            raise
        finally:
            os.umask(mask)
        listener.listen(MAX_CONNECTIONS)
        return listener

    def hosts(self, listener: socket.socket) -> tuple[str, ...]:
        """Return the values of ``Host`` that name the endpoint; URLs begin with the first.

        :param listener: the open socket.
        """
        if self.path is not None:
            return ("localhost",)
        port = listener.getsockname()[1]
        return (f"{LOOPBACK}:{port}", f"localhost:{port}")

    def close(self, listener: socket.socket) -> None:
        """Close the socket, and remove it from the file system.

        :param listener: the open socket.
        """
        listener.close()
        if self.path is not None:
            self.path.unlink(missing_ok=True)


@asynccontextmanager
async def listening(
    listener: socket.socket, guard: Guard, credential: AsyncSupportsTokenInfo, report: Callable[[Answer], None]
) -> AsyncIterator[None]:
    """Answer requests while the context is open.

    :param listener: the open socket; closed at the end.
    :param guard: decides which requests may have a token.
    :param credential: gets the tokens; it has one request under way for any number of clients.
    :param report: called with each answer.
    """
    answering: set[object] = set()

    async def answer(request: web.Request) -> web.Response:
        answering.add(request.protocol)
        given = await _answer(_call(request), guard, credential)
        report(given)
        response = web.json_response(given.body, status=given.status, headers={"Cache-Control": "no-store"})
        response.headers.update(given.headers)
        # One request for each connection: the bound on connections is then one on requests.
        response.force_close()
        return response

    application = web.Application(client_max_size=1)
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(
        application,
        # aiohttp's log quotes the request's path.
        access_log=None,
        logger=_LOGGER,
        handle_signals=False,
        shutdown_timeout=_STOP_SECONDS,
        # Read nothing of a body that was refused.
        lingering_time=0,
        max_line_size=_MAX_LINE_BYTES,
        max_field_size=_MAX_FIELD_BYTES,
        max_headers=_MAX_FIELDS,
    )
    await runner.setup()
    handlers = runner.server
    if handlers is None:
        raise RuntimeError("aiohttp has not made its server")
    loop = asyncio.get_running_loop()

    def connection() -> asyncio.Protocol:
        if len(handlers.connections) >= MAX_CONNECTIONS:
            return _Refusal()
        handler = handlers()

        def cut_off() -> None:
            if handler in answering:
                answering.remove(handler)
            else:
                handler.force_close()

        loop.call_later(_REQUEST_SECONDS, cut_off)
        return handler

    server = await loop.create_server(connection, sock=listener, backlog=MAX_CONNECTIONS)
    try:
        yield
    finally:
        server.close()
        await runner.cleanup()


def _is_ours(record: logging.LogRecord) -> bool:
    """Return whether a record is no complaint about a malformed request, which would quote it, secret and all."""
    return record.exc_info is None or not isinstance(record.exc_info[1], HttpProcessingError)


_LOGGER = logging.getLogger(__name__)
_LOGGER.addFilter(_is_ours)


class _Refusal(asyncio.Protocol):
    """A connection too many: closed at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


def _call(request: web.Request) -> Call:
    return Call(
        request.method,
        # As it was sent: a request in absolute form, for a proxy, has another host in it.
        request.raw_path.partition("?")[0],
        tuple(request.headers.items()),
        tuple(request.query.items()),
        request.body_exists,
    )


async def _answer(call: Call, guard: Guard, credential: AsyncSupportsTokenInfo) -> Answer:
    try:
        resource = guard.resource(call)
    except RefusedError as refusal:
        return refused(refusal)
    try:
        token = await credential.get_token_info(f"{resource}/.default")
    except FAILURES as error:
        return failed(error, resource)
    return granted(token, resource, guard.client_id, time.time())
