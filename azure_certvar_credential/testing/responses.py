"""azure-core's two response types, for an answer that is already in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Any

from azure.core.exceptions import IncompleteReadError
from azure.core.rest import AsyncHttpResponse, HttpRequest, HttpResponse

from azure_certvar_credential._http.response import RestResponse
from azure_certvar_credential.testing.http import Response

BLOCK_BYTES = 4096
"""The block size of ``iter_bytes``: small, so that a token response arrives in several blocks."""


class _Body(RestResponse):
    """What the two types have in common."""

    def __init__(self, request: HttpRequest, response: Response) -> None:
        super().__init__(request, response.status, dict(response.headers))
        self._response = response

    def _received(self, *, decode: bool) -> Iterator[bytes]:  # noqa: ARG002 - nothing here is compressed
        """Return the body in blocks, followed by an error if the connection broke off."""
        sent, body = self._response.delivery.sent, self._response.body
        part = body[:sent]
        yield from (part[start : start + BLOCK_BYTES] for start in range(0, len(part), BLOCK_BYTES))
        self._closed = True
        if sent is not None:
            raise IncompleteReadError(f"IncompleteRead({sent} bytes read, {len(body) - sent} more expected)")


class EmulatorResponse(_Body, HttpResponse):
    """An ``azure.core.rest.HttpResponse``."""

    def __enter__(self) -> EmulatorResponse:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the response and discard what was not read."""
        self._closed = True

    def read(self) -> bytes:
        """Read the body.

        :raises azure.core.exceptions.IncompleteReadError: the connection broke off before the end of the body.
        """
        return self._read()

    def iter_raw(self, **_options: Any) -> Iterator[bytes]:
        """Iterate over the raw body; raises what :meth:`read` raises."""
        return self._blocks()

    def iter_bytes(self, **_options: Any) -> Iterator[bytes]:
        """Iterate over the body, which is never compressed; raises what :meth:`read` raises."""
        return self._blocks()


class AsyncEmulatorResponse(_Body, AsyncHttpResponse):
    """An ``azure.core.rest.AsyncHttpResponse``."""

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the response and discard what was not read."""
        self._closed = True

    async def read(self) -> bytes:
        """Read the body.

        :raises azure.core.exceptions.IncompleteReadError: the connection broke off before the end of the body.
        """
        return self._read()

    async def iter_raw(self, **_options: Any) -> AsyncIterator[bytes]:
        """Iterate over the raw body; raises what :meth:`read` raises."""
        for block in self._blocks():
            yield block

    async def iter_bytes(self, **_options: Any) -> AsyncIterator[bytes]:
        """Iterate over the body, which is never compressed; raises what :meth:`read` raises."""
        for block in self._blocks():
            yield block
