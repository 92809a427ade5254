"""Transports that are not azure-core's own: whatever they answer, it is read, bounded and closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Any

import pytest
from azure.core.exceptions import ServiceResponseError
from azure.core.pipeline.transport import AsyncHttpTransport, HttpTransport
from azure.core.rest import HttpRequest

from azure_certvar_credential._core.effects import Unanswered
from azure_certvar_credential._core.exchange import MAX_BODY, Response
from azure_certvar_credential._transport.aio import AsyncSender
from azure_certvar_credential._transport.sync import Sender
from tests.transport.posting import ASSERTION, send


class Answer:
    """A response as azure.core.rest defines them, as far as it is read."""

    def __init__(self, chunks: list[bytes], error: Exception | None = None) -> None:
        self.status_code = 200
        self.headers = {"Content-Type": "application/json", "X-Number": 7}
        self.chunks, self.error = chunks, error
        self.given = 0
        self.closed = False

    def iter_bytes(self) -> Iterator[bytes]:
        for chunk in self.chunks:
            self.given += 1
            yield chunk
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        self.closed = True


class AsyncAnswer(Answer):
    """Its async twin."""

    async def iter_bytes(self) -> AsyncIterator[bytes]:  # type: ignore[override]
        for chunk in super().iter_bytes():
            await asyncio.sleep(0)
            yield chunk

    async def close(self) -> None:  # type: ignore[override]
        self.closed = True


class OldAnswer:
    """A response as azure-core's older transports give them: its body is one piece."""

    def __init__(self, body: bytes) -> None:
        self.status_code = 429
        self.headers = {"Retry-After": "7"}
        self._body = body
        self.loaded = False

    def body(self) -> bytes:
        return self._body

    async def load_body(self) -> None:
        self.loaded = True


class Transport(HttpTransport[HttpRequest, Any]):
    """Answers each request with the same response."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.requests: list[HttpRequest] = []
        self.options: list[dict[str, Any]] = []
        self.exits = 0

    def send(self, request: HttpRequest, **kwargs: Any) -> Any:
        self.requests.append(request)
        self.options.append(kwargs)
        return self.answer

    def open(self) -> None:
        """There is nothing to open."""

    def close(self) -> None:
        """There is nothing to close."""

    def __enter__(self) -> Transport:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.exits += 1


class AsyncTransport(AsyncHttpTransport[HttpRequest, Any]):
    """Its async twin."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.exits = 0

    async def send(self, request: HttpRequest, **kwargs: Any) -> Any:
        return self.answer

    async def open(self) -> None:
        """There is nothing to open."""

    async def close(self) -> None:
        """There is nothing to close."""

    async def __aenter__(self) -> AsyncTransport:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.exits += 1


def by_async(answer: Any) -> Response | Unanswered:
    async def post() -> Response | Unanswered:
        sender = AsyncSender({"transport": AsyncTransport(answer)})
        outcome = await sender.send(send("https://login.example.test"))
        await sender.close()
        return outcome

    return asyncio.run(post())


def by_sync(answer: Any) -> Response | Unanswered:
    return Sender({"transport": Transport(answer)}).send(send("https://login.example.test"))


@pytest.mark.parametrize(("post", "kind"), [(by_sync, Answer), (by_async, AsyncAnswer)])
def test_an_answer_in_pieces_is_put_together_and_closed(post: Any, kind: type[Answer]) -> None:
    answer = kind([b"{", b"", b"}"])
    assert post(answer) == Response(200, {"content-type": "application/json", "x-number": "7"}, b"{}")
    assert answer.closed


@pytest.mark.parametrize(("post", "kind"), [(by_sync, Answer), (by_async, AsyncAnswer)])
def test_an_endless_answer_is_read_to_the_bound_and_closed(post: Any, kind: type[Answer]) -> None:
    answer = kind([b"x" * 65536] * 100)
    assert len(post(answer).body) == MAX_BODY + 1
    assert answer.given == 17
    assert answer.closed


@pytest.mark.parametrize(("post", "kind"), [(by_sync, Answer), (by_async, AsyncAnswer)])
def test_an_answer_that_breaks_off_is_unanswered_and_closed(post: Any, kind: type[Answer]) -> None:
    answer = kind([b"{"], ServiceResponseError("broken off"))
    outcome = post(answer)
    assert isinstance(outcome, Unanswered)
    assert str(outcome.error) == "broken off"
    assert answer.closed


@pytest.mark.parametrize("post", [by_sync, by_async])
@pytest.mark.parametrize(("body", "length"), [(b"Too Many Requests", 17), (b"x" * (MAX_BODY + 5000), MAX_BODY + 1)])
def test_an_answer_of_the_older_class_is_read_within_the_bound(post: Any, body: bytes, length: int) -> None:
    outcome = post(OldAnswer(body))
    assert (outcome.status, outcome.headers, len(outcome.body)) == (429, {"retry-after": "7"}, length)


def test_the_transport_is_asked_for_a_stream_and_given_no_option_that_it_does_not_know() -> None:
    transport = Transport(Answer([b"{}"]))
    sender = Sender({"transport": transport, "user_agent": "x", "raw_request_hook": lambda request: None})
    sender.send(send("https://login.example.test"))
    assert transport.options == [{"stream": True}]
    (request,) = transport.requests
    assert (request.method, request.url) == ("POST", "https://login.example.test/contoso.example/oauth2/v2.0/token")
    assert ASSERTION not in repr(request)


def test_a_list_of_policies_without_a_retry_policy_leaves_no_option_to_the_transport() -> None:
    transport = Transport(Answer([b"{}"]))
    Sender({"transport": transport, "policies": [], "retry_total": 3}).send(send("https://login.example.test"))
    assert transport.options == [{"stream": True}]


def test_closing_closes_the_callers_transport_once() -> None:
    transport = Transport(Answer([b"{}"]))
    sender = Sender({"transport": transport})
    sender.send(send("https://login.example.test"))
    sender.close()
    sender.close()
    assert transport.exits == 1


def test_a_copys_closing_leaves_the_callers_transport_alone() -> None:
    transport = Transport(Answer([b"{}"]))
    sender = Sender({"transport": transport}, owns_transport=False)
    sender.send(send("https://login.example.test"))
    sender.close()
    assert transport.exits == 0
