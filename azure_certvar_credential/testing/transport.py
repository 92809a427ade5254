"""azure-core transports that call an emulator in process: no socket, no TLS, no waiting for retries.

They send every host's requests to the emulator, so a credential keeps its production authority. They raise the errors
of azure-core's own transports, and distinguish what those cannot: a connection that is reset before the request was
read from one that is reset afterwards.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

from azure.core.exceptions import ServiceRequestError, ServiceResponseError, ServiceResponseTimeoutError
from azure.core.pipeline.transport import AsyncHttpTransport, HttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest, HttpResponse

from azure_certvar_credential.testing.http import Emulator, Request, Response
from azure_certvar_credential.testing.responses import AsyncEmulatorResponse, EmulatorResponse

DEFAULT_READ_TIMEOUT = 300.0
"""The default read timeout of azure-core's transports, in seconds."""


class _Wire:
    """What the two transports have in common."""

    def __init__(self, emulator: Emulator, advance: Callable[[float], None] | None) -> None:
        self._emulator = emulator
        self._advance = advance
        self._lock = threading.Lock()
        self._sleeps: list[float] = []

    @property
    def sleeps(self) -> tuple[float, ...]:
        """The seconds of every ``sleep`` that a policy requested, in order."""
        with self._lock:
            return tuple(self._sleeps)

    def _slept(self, duration: float) -> None:
        with self._lock:
            self._sleeps.append(duration)
        if self._advance is not None:
            self._advance(duration)

    def _exchange(self, request: HttpRequest) -> Response:
        """Call the emulator; raise ServiceRequestError if the connection is reset before the request is sent."""
        response = self._emulator.handle(_convert(request))
        if response.delivery.reset == "before":
            raise ServiceRequestError("the connection was reset before the request was sent")
        return response

    def _delay(self, response: Response, read_timeout: float) -> float:
        """Return the seconds to wait before the answer: none if ``advance`` can skip them."""
        delay = min(response.delivery.delay, read_timeout)
        if delay and self._advance is not None:
            self._advance(delay)
            return 0.0
        return delay


def _check_in_time(response: Response, read_timeout: float, *, released: bool) -> None:
    """Raise the error of a client that times out after ``read_timeout`` seconds or whose connection is reset."""
    delivery = response.delivery
    hangs = delivery.hold is not None and not released and delivery.hold.seconds >= read_timeout
    if hangs or delivery.delay >= read_timeout:
        raise ServiceResponseTimeoutError(f"no answer within {read_timeout} s")
    if delivery.reset is not None:
        raise ServiceResponseError("the connection was reset before the answer")


def _convert(request: HttpRequest) -> Request:
    # Some clients still send azure-core's older request class, which names it data.
    content = request.content if hasattr(request, "content") else request.data
    headers = dict(request.headers)
    if content is None:
        content = b""
    elif isinstance(content, dict):
        # The transport encodes form data.
        content = urlencode(content, doseq=True)
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    if isinstance(content, str):
        content = content.encode()
    if not isinstance(content, bytes):
        raise TypeError(f"the content of a request must be bytes, text or form data, not {type(content).__name__}")
    return Request(request.method, request.url, headers, content)


class EmulatorTransport(_Wire, HttpTransport[HttpRequest, HttpResponse]):
    """A synchronous transport; made by ``EntraEmulator.transport()``.

    >>> client = SecretClient(vault.vault_url, credential, transport=EmulatorTransport(vault))

    :param emulator: answers the requests.
    :param advance: called with the seconds of each delay in place of waiting; None to wait for latency.
    """

    def __init__(self, emulator: Emulator, *, advance: Callable[[float], None] | None = None) -> None:
        super().__init__(emulator, advance)

    def __enter__(self) -> EmulatorTransport:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.close()

    def open(self) -> None:
        """Do nothing: there is no connection."""

    def close(self) -> None:
        """Do nothing: there is no connection."""

    def sleep(self, duration: float) -> None:
        """Record the delay that a policy requests, and return immediately."""
        self._slept(duration)

    def send(
        self,
        request: HttpRequest,
        *,
        stream: bool = False,
        read_timeout: float = DEFAULT_READ_TIMEOUT,
        **_options: Any,
    ) -> HttpResponse:
        """Answer a request.

        :param request: the request; its content is bytes, text or form data.
        :param stream: whether the caller reads the body.
        :param read_timeout: seconds to wait for an answer.
        :param _options: azure-core's connection options, which are ignored.
        :raises azure.core.exceptions.ServiceRequestError: the connection was reset before the request was sent.
        :raises azure.core.exceptions.ServiceResponseError: the connection was reset afterwards.
        :raises azure.core.exceptions.ServiceResponseTimeoutError: no answer arrived within ``read_timeout``.
        :raises azure.core.exceptions.IncompleteReadError: the body broke off, and ``stream`` is false.
        """
        answer = self._exchange(request)
        hold, released = answer.delivery.hold, True
        delay = self._delay(answer, read_timeout)
        if delay:
            threading.Event().wait(delay)
        if hold is not None:
            released = hold.wait(min(hold.seconds, read_timeout))
        _check_in_time(answer, read_timeout, released=released)
        response = EmulatorResponse(request, answer)
        if not stream:
            response.read()
        return response


class AsyncEmulatorTransport(_Wire, AsyncHttpTransport[HttpRequest, AsyncHttpResponse]):
    """An asynchronous transport; made by ``EntraEmulator.async_transport()``, with the same parameters.

    >>> credential = aio.CertVarCredential(
    ...     application.tenant_id, application.client_id, certificate, transport=AsyncEmulatorTransport(entra)
    ... )
    >>> token = await credential.get_token("https://graph.microsoft.com/.default")
    """

    def __init__(self, emulator: Emulator, *, advance: Callable[[float], None] | None = None) -> None:
        super().__init__(emulator, advance)

    async def __aenter__(self) -> AsyncEmulatorTransport:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """Do nothing: there is no connection."""

    async def close(self) -> None:
        """Do nothing: there is no connection."""

    async def sleep(self, duration: float) -> None:
        """Record the delay that a policy requests, and let other tasks run."""
        self._slept(duration)
        await asyncio.sleep(0)

    async def send(
        self,
        request: HttpRequest,
        *,
        stream: bool = False,
        read_timeout: float = DEFAULT_READ_TIMEOUT,
        **_options: Any,
    ) -> AsyncHttpResponse:
        """Answer a request; parameters and errors are those of :meth:`EmulatorTransport.send`."""
        answer = self._exchange(request)
        hold, released = answer.delivery.hold, True
        # Yield to the loop at least once, as any connection does, so that tasks interleave in tests.
        await asyncio.sleep(self._delay(answer, read_timeout))
        if hold is not None:
            # wait, unlike wait_for, does not cancel the future on cancellation or timeout.
            done, _ = await asyncio.wait((asyncio.wrap_future(hold.future),), timeout=min(hold.seconds, read_timeout))
            released = bool(done)
        _check_in_time(answer, read_timeout, released=released)
        response = AsyncEmulatorResponse(request, answer)
        if not stream:
            await response.read()
        return response
