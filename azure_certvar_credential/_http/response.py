"""azure-core's response, without its private implementation, which changes between versions.

The public classes are abstract; this is what the response of a connection, and those of the emulators, share.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, MutableMapping
from email.message import Message
from http import client
from typing import Any

from azure.core.exceptions import HttpResponseError, ResponseNotReadError, StreamClosedError, StreamConsumedError
from azure.core.rest import HttpRequest
from azure.core.utils import case_insensitive_dict


class RestResponse(ABC):
    """Goes before ``azure.core.rest.HttpResponse`` or its asynchronous twin.

    :param request: the request that this answers.
    :param status: the HTTP status.
    :param headers: the header fields.
    """

    def __init__(self, request: HttpRequest, status: int, headers: Mapping[str, str]) -> None:
        self._request = request
        self._status = status
        self._headers: MutableMapping[str, str] = case_insensitive_dict(headers)
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
        return self._status

    @property
    def headers(self) -> MutableMapping[str, str]:
        """The header fields; names are case-insensitive."""
        return self._headers

    @property
    def reason(self) -> str:
        """The reason phrase of the status."""
        return client.responses.get(self._status, "")

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
        from azure_certvar_credential._json import parse_json

        return parse_json(self.text())

    def raise_for_status(self) -> None:
        """Raise for a status of 400 or more.

        :raises azure.core.exceptions.HttpResponseError: the status is 400 or more.
        """
        if self.status_code >= 400:
            raise HttpResponseError(response=self)

    @abstractmethod
    def _received(self, *, decode: bool) -> Iterator[bytes]:
        """Receive the body in blocks, or raise what it breaks off with.

        :param decode: whether to decompress it.
        """

    def _blocks(self, *, decode: bool = True) -> Iterator[bytes]:
        """Return the body in blocks, once; of a body that was read, as often as asked for, as azure-core does."""
        if self._content is not None:
            yield self._content
            return
        if self._consumed:
            raise StreamConsumedError(self)
        if self._closed:
            raise StreamClosedError(self)
        self._consumed = True
        yield from self._received(decode=decode)

    def _read(self) -> bytes:
        if self._content is None:
            self._content = b"".join(self._blocks())
        self._consumed = self._closed = True
        return self._content
