"""A transport for azure-core's pipelines over urllib3.

azure-core's own is over requests, whose import takes a tenth of the way to the first token, and whose sessions keep
cookies, follow redirects and read ~/.netrc unless each is switched off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from azure.core.configuration import ConnectionConfiguration
from azure.core.exceptions import (
    AzureError,
    DecodeError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline.transport import HttpTransport
from azure.core.rest import HttpRequest, HttpResponse
from urllib3 import exceptions
from urllib3.util import Retry, Timeout

from azure_certvar_credential._http.response import RestResponse
from azure_certvar_credential._transport.connections import pool_manager
from azure_certvar_credential._transport.pipeline import transport_options
from azure_certvar_credential._transport.proxies import proxy_for
from azure_certvar_credential._transport.trust import ssl_context

# What fails is raised as it is, and repeated by nobody.
_ONCE = Retry(total=False, redirect=False, raise_on_status=False)
# azure-core's errors for urllib3's; of several classes that fit, the first.
_ERRORS: tuple[tuple[type[Exception], Callable[..., AzureError]], ...] = (
    (exceptions.NewConnectionError, ServiceRequestError),  # a ConnectTimeoutError, too, until urllib3 3
    (exceptions.ConnectTimeoutError, ServiceRequestTimeoutError),
    (exceptions.ReadTimeoutError, ServiceResponseTimeoutError),
    (exceptions.IncompleteRead, IncompleteReadError),
    (exceptions.DecodeError, DecodeError),
    (exceptions.ProtocolError, ServiceResponseError),
    (exceptions.HTTPError, ServiceRequestError),  # the proxy, TLS, a URL
)


def _error(error: Exception) -> AzureError:
    made = next(made for kind, made in _ERRORS if isinstance(error, kind))
    return made(error, error=error)


class _Response(RestResponse, HttpResponse):
    """An answer whose body is still to be received."""

    def __init__(self, request: HttpRequest, answer: Any, block_size: int) -> None:
        super().__init__(request, answer.status, answer.headers)
        self._answer = answer
        self._block_size = block_size

    def __enter__(self) -> _Response:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def reason(self) -> str:
        """The reason phrase that the server sent."""
        return self._answer.reason or ""

    def close(self) -> None:
        """Give the connection back, or close it if there is more of the body to come."""
        self._closed = True
        self._answer.close()

    def read(self) -> bytes:
        """Receive the body."""
        try:
            return self._read()
        finally:
            self._answer.close()

    def iter_raw(self, **_options: Any) -> Iterator[bytes]:
        """Receive the body in blocks, as it was sent."""
        return self._blocks(decode=False)

    def iter_bytes(self, **_options: Any) -> Iterator[bytes]:
        """Receive the body in blocks, decompressed."""
        return self._blocks()

    def _received(self, *, decode: bool) -> Iterator[bytes]:
        try:
            yield from self._answer.stream(self._block_size, decode_content=decode)
        except exceptions.HTTPError as error:
            raise _error(error) from error


class Urllib3Transport(HttpTransport[HttpRequest, HttpResponse]):
    """Sends requests for a pipeline: follows no redirect, sends no cookie back, and repeats nothing.

    :param options: checked pipeline options.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.connection_config = ConnectionConfiguration(**transport_options(options))
        self._context = ssl_context(options)
        self._environment = options.get("use_env_settings") is not False
        self._managers: dict[str | None, Any] | None = {}

    def __enter__(self) -> Urllib3Transport:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        """Do nothing: connections open when they are needed."""

    def close(self) -> None:
        """Close the connections that wait for a request, and after their requests the others."""
        managers, self._managers = self._managers or {}, None
        for manager in list(managers.values()):
            manager.clear()

    def send(self, request: HttpRequest, *, proxies: Any = None, stream: bool = False, **options: Any) -> HttpResponse:
        """Send a request and receive the header of the answer.

        :param request: its content is bytes, text or form data.
        :param proxies: azure-core's option; it overrides the environment.
        :param stream: whether the caller receives the body.
        :param options: ``connection_timeout`` and ``read_timeout`` in seconds; others have no meaning here.
        :raises ValueError: the transport is closed, or the request cannot be sent.
        :raises azure.core.exceptions.AzureError: there is no answer, or not a whole one.
        """
        config = self.connection_config
        timeout = Timeout(
            connect=options.get("connection_timeout", config.timeout),
            read=options.get("read_timeout", config.read_timeout),
        )
        headers, content = dict(request.headers), request.content
        if isinstance(content, dict):
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
            content = urlencode(content, doseq=True)
        try:
            answer = self._manager(proxy_for(request.url, proxies, environment=self._environment)).urlopen(
                request.method,
                request.url,
                body=content,
                headers=headers,
                timeout=timeout,
                redirect=False,
                retries=_ONCE,
                preload_content=False,
            )
        except exceptions.HTTPError as error:
            raise _error(error) from error
        response = _Response(request, answer, config.data_block_size)
        if not stream:
            response.read()
        return response

    def _manager(self, proxy: str | None) -> Any:
        managers = self._managers
        if managers is None:
            raise ValueError("the transport is closed")
        if proxy not in managers:  # made twice by two threads at once, the first is kept
            managers.setdefault(proxy, pool_manager(self._context, proxy))
        return managers[proxy]
