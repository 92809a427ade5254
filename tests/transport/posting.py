"""Posts through either pipeline, so that each claim is written once and holds for both."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from azure_certvar_credential._core.effects import Fetch, Send, Unanswered
from azure_certvar_credential._core.exchange import Response
from azure_certvar_credential._core.flow import HEADERS
from azure_certvar_credential._transport.aio import AsyncSender
from azure_certvar_credential._transport.sync import Sender

ASSERTION = "eyJhbGciOiJQUzI1NiJ9.eyJzZWNyZXQiOiJjbGFpbXMifQ.c2VjcmV0LXNpZ25hdHVyZQ"
SECRETS = [*ASSERTION.split("."), "secret-token"]
# The machine's proxies are no part of a test, and nobody waits for retries.
QUIET: dict[str, Any] = {"use_env_settings": False, "retry_backoff_factor": 0}


def send(url: str) -> Send:
    """Return a token request to a URL."""
    form = {"client_id": "a-client", "scope": "s/.default", "client_assertion": ASSERTION}
    return Send(f"{url}/contoso.example/oauth2/v2.0/token", form, {**HEADERS, "client-request-id": "a-correlation-id"})


class Poster(Protocol):
    """Sends, waits and closes, whichever pipeline is underneath."""

    def send(self, effect: Send | Fetch) -> Response | Unanswered: ...

    def sleep(self, seconds: float) -> None: ...

    def close(self) -> None: ...

    def after_fork(self) -> None: ...


class AsyncPoster:
    """An :class:`AsyncSender` on an event loop of its own."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._loop = asyncio.new_event_loop()
        self._sender = AsyncSender(options)

    def send(self, effect: Send | Fetch) -> Response | Unanswered:
        return self._loop.run_until_complete(self._sender.send(effect))

    def sleep(self, seconds: float) -> None:
        self._loop.run_until_complete(self._sender.sleep(seconds))

    def close(self) -> None:
        if not self._loop.is_closed():
            self._loop.run_until_complete(self._sender.close())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.run_until_complete(asyncio.wait_for(_quiet(self._loop), 10))
            self._loop.close()

    def after_fork(self) -> None:
        self._sender.after_fork()


async def _quiet(loop: asyncio.AbstractEventLoop) -> None:
    """Wait until a loop watches no socket but its own: aiohttp's close() returns before its sockets are closed."""
    # A selector has no event for what it no longer watches.
    while len(loop._selector.get_map()) > 1:  # type: ignore[attr-defined]  # noqa: ASYNC110
        await asyncio.sleep(0)
    for _ in range(3):  # a socket that is no longer watched is closed in one of the next turns
        await asyncio.sleep(0)


def sync_poster(options: dict[str, Any]) -> Poster:
    return Sender(options)


def async_poster(options: dict[str, Any]) -> Poster:
    return AsyncPoster(options)
