"""azure-core's two response types, for an answer that is already in memory.

They derive from the public abstract classes, because azure-core's implementations are private and change between
versions.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, MutableMapping
from email.message import Message
from http import client
from types import TracebackType
from typing import Any

from azure.core.exceptions import (
    HttpResponseError,
    IncompleteReadError,
    ResponseNotReadError,
    StreamClosedError,
    StreamConsumedError,
)
from azure.core.rest import AsyncHttpResponse, HttpRequest, HttpResponse
from azure.core.utils import case_insensitive_dict

from azure_certvar_credential.testing.http import Response

BLOCK_BYTES = 4096
"""The block size of ``iter_bytes``: small, so that a token response arrives in several blocks."""


class _Body:
    """What the two types have in common.

    A base class, because azure-core's abstract classes require every property on the class itself.
    """

    def __init__(self, request: HttpRequest, response: Response) -> None:
        self._request = request
        self._response = response
        self._headers: MutableMapping[str, str] = case_insensitive_dict(dict(response.headers))
        self._encoding: str | None = None
        self._content: bytes | None = None
        self._closed = False
        self._consumed = False

    @property
    def request(self) -> HttpRequest:
        """The request that this answers."""
        return self._request

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        return self._response.status

    @property
    def headers(self) -> MutableMapping[str, str]:
        """The header fields; names are case-insensitive."""
        return self._headers

    @property
    def reason(self) -> str:
        """The reason phrase of the status."""
        return client.responses.get(self._response.status, "")

    @property
    def content_type(self) -> str | None:
        """The media type."""
        return self._headers.get("Content-Type")

    @property
    def is_closed(self) -> bool:
        """Whether the response is closed."""
        return self._closed

    @property
    def is_stream_consumed(self) -> bool:
        """Whether the body has been read."""
        return self._consumed

    @property
    def encoding(self) -> str | None:
        """The charset: the one that was set, or else the media type's."""
        if self._encoding is not None:
            return self._encoding
        message = Message()
        message["Content-Type"] = self.content_type or ""
        return message.get_content_charset()

    @encoding.setter
    def encoding(self, value: str | None) -> None:
        self._encoding = value

    @property
    def url(self) -> str:
        """The URL of the request."""
        return self._request.url

    @property
    def content(self) -> bytes:
        """The body.

        :raises azure.core.exceptions.ResponseNotReadError: the body has not been read.
        """
        if self._content is None:
            raise ResponseNotReadError(self)
        return self._content

    def text(self, encoding: str | None = None) -> str:
        """The body as text.

        :param encoding: the charset; None for :attr:`encoding`.
        """
        return self.content.decode(encoding or self.encoding or "utf-8-sig", errors="replace")

    def json(self) -> Any:
        """The body parsed as JSON.

        :raises json.JSONDecodeError: the body is not JSON.
        """
        return json.loads(self.text())

    def raise_for_status(self) -> None:
        """Raise for a status of 400 or more.

        :raises azure.core.exceptions.HttpResponseError: the status is 400 or more.
        """
        if self.status_code >= 400:
            raise HttpResponseError(response=self)

    def _blocks(self) -> Iterator[bytes]:
        """The body in blocks, followed by an error if the connection broke off."""
        if self._content is not None:
            # azure-core allows iterating over a body that was read.
            yield from _split(self._content)
            return
        if self._consumed:
            raise StreamConsumedError(self)
        if self._closed:
            raise StreamClosedError(self)
        self._consumed = True
        sent, body = self._response.delivery.sent, self._response.body
        yield from _split(body[:sent])
        self._closed = True
        if sent is not None:
            raise IncompleteReadError(f"IncompleteRead({sent} bytes read, {len(body) - sent} more expected)")

    def _read(self) -> bytes:
        if self._content is None:
            self._content = b"".join(self._blocks())
        self._consumed = self._closed = True
        return self._content


def _split(body: bytes) -> Iterator[bytes]:
    return (body[start : start + BLOCK_BYTES] for start in range(0, len(body), BLOCK_BYTES))


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
