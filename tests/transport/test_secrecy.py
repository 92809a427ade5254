"""Neither assertion nor token is in a log, or anywhere within an exception."""

from __future__ import annotations

import gc
import logging
import traceback
from collections.abc import Callable, Iterator
from types import FrameType, ModuleType, TracebackType
from typing import Any

import pytest
from azure.core.exceptions import AzureError, HttpResponseError, ServiceRequestError, ServiceResponseError
from azure.core.pipeline.policies import SansIOHTTPPolicy

from azure_certvar_credential._core.effects import Unanswered
from azure_certvar_credential._core.exchange import Response
from azure_certvar_credential._transport.attempt import Attempt
from azure_certvar_credential._transport.pipeline import unanswered
from tests.transport.conftest import MakePoster
from tests.transport.loopback import Exchange, serving, token, unused_port
from tests.transport.posting import ASSERTION, SECRETS, Poster, send


def within(value: object, seen: dict[int, object]) -> Iterator[str]:
    """Yield every text that can be reached from a value: arguments, attributes, items, and variables of frames.

    Only an exception's own traceback is left out: it holds the frames of this test, which know the assertion.
    """
    if id(value) in seen or isinstance(value, type | ModuleType):
        return
    seen[id(value)] = value  # kept, lest another object gets its id
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes | bytearray):
        yield value.decode("latin-1")
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from within(name, seen)
            yield from within(item, seen)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from within(item, seen)
    elif isinstance(value, TracebackType):
        yield from within(value.tb_frame, seen)
        yield from within(value.tb_next, seen)
    elif isinstance(value, FrameType):
        yield from within(dict(value.f_locals), seen)
    elif not callable(value):
        if isinstance(value, BaseException):
            yield from within([value.args, value.__cause__, value.__context__], seen)
        yield from within(vars(value) if hasattr(value, "__dict__") else None, seen)
        slots = [name for cls in type(value).__mro__ for name in getattr(cls, "__slots__", ())]
        yield from within([getattr(value, name, None) for name in slots if isinstance(name, str)], seen)


def assert_clean(error: BaseException) -> None:
    texts = list(within(error, {}))
    assert texts
    for secret in SECRETS:
        assert not [text for text in texts if secret in text]
    # And what an error reporter takes from the package's frames: the variables' reprs.
    frames = traceback.TracebackException.from_exception(error, capture_locals=True)
    package = [f"{frame.locals}" for frame in frames.stack if "/azure_certvar_credential/" in frame.filename]
    for secret in SECRETS:
        assert secret not in " ".join(package)


def failure(poster: Poster, url: str) -> BaseException:
    try:
        outcome = poster.send(send(url))
    except AzureError as error:
        return error
    assert isinstance(outcome, Unanswered)
    return outcome.error


def test_the_walk_would_find_an_assertion() -> None:
    """The claims below rest on it."""
    cause = ServiceResponseError("x")
    cause.__context__ = HttpResponseError(message="y", response=None)
    cause.__context__.__cause__ = ValueError([{"body": f"client_assertion={ASSERTION}".encode()}])
    for error in (cause, ServiceRequestError("z", error=cause)):
        with pytest.raises(AssertionError):
            assert_clean(error)


def test_a_connection_that_is_not_made_leaves_nothing_in_its_error(poster: MakePoster) -> None:
    error = failure(poster(), f"http://127.0.0.1:{unused_port()}")
    assert isinstance(error, ServiceRequestError)
    assert_clean(error)


def truncated(exchange: Exchange) -> None:
    exchange.begin(200, Content_Length="1000")
    exchange.write(b'{"access_token":"secret-token')
    exchange.hang_up()


def damaged(exchange: Exchange) -> None:
    exchange.answer(200, b"secret-token, but not gzip", Content_Encoding="gzip")


@pytest.mark.parametrize("respond", [truncated, damaged, Exchange.reset, Exchange.hang_up])
def test_a_broken_answer_leaves_nothing_in_its_error(poster: MakePoster, respond: Callable[[Exchange], None]) -> None:
    with serving(respond) as server:
        assert_clean(failure(poster(), server.url))


class Raising(SansIOHTTPPolicy[Any, Any]):
    """A policy of the caller's that fails with an error holding the request."""

    def __init__(self, make: Callable[[Any], Exception]) -> None:
        self.make = make

    def on_request(self, request: Any) -> None:
        raise self.make(request)


class OwnError(AzureError):
    """An error whose constructor is of another shape."""

    def __init__(self, message: str, request: Any, *, required: int) -> None:
        super().__init__(message, error=None)
        self.request, self.required = request, required


@pytest.mark.parametrize(
    "make",
    [
        lambda request: ServiceResponseError("broken", error=ValueError(request)),
        lambda request: OwnError("broken", request, required=1),
        lambda request: HttpResponseError(message="broken", error=ValueError(request)),
    ],
    ids=["wrapping", "of another shape", "of a response"],
)
def test_an_error_of_a_callers_policy_loses_the_request(poster: MakePoster, make: Callable[[Any], Exception]) -> None:
    error = failure(poster(per_retry_policies=[Raising(make)], retry_total=0), "http://127.0.0.1:9")
    assert str(error) == "broken"
    assert_clean(error)


def test_a_cleaned_error_has_the_class_and_the_text() -> None:
    original = ServiceRequestError("no route", error=OSError(ASSERTION))
    attempt = Attempt(send("https://login.example"), {}, tells=True)
    outcome = unanswered(attempt, original)
    assert not outcome.sent
    assert type(outcome.error) is ServiceRequestError
    assert str(outcome.error) == "no route"
    assert outcome.error.inner_exception is None
    assert outcome.error.__cause__ is outcome.error.__context__ is None


def test_nothing_secret_is_logged_at_any_level_by_any_logger(
    poster: MakePoster, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_SDK_LOGGING_MULTIRECORD", "true")
    caplog.set_level(logging.NOTSET)
    for name in ("azure", "azure.core", "azure.core.pipeline.policies.http_logging_policy", "urllib3", "aiohttp"):
        caplog.set_level(logging.DEBUG, logger=name)
    made = poster(logging_enable=True, http_logging_level=logging.DEBUG)
    with serving(token("secret-token"), truncated) as server:
        response = made.send(send(server.url))
        assert isinstance(response, Response)
        assert b"secret-token" in response.body
        assert isinstance(made.send(send(server.url)), Unanswered)
    assert isinstance(made.send(send(f"http://127.0.0.1:{unused_port()}")), Unanswered)
    assert any("/oauth2/v2.0/token" in record.getMessage() for record in caplog.records)
    text = " ".join(f"{record.getMessage()} {record.args!r} {record.exc_text}" for record in caplog.records)
    for secret in SECRETS:
        assert secret not in text
    assert "client_assertion" not in text


def test_nothing_of_a_request_is_kept_after_it(poster: MakePoster) -> None:
    made = poster()
    with serving(token("secret-token")) as server:
        made.send(send(server.url))
    gc.collect()
    for secret in SECRETS:
        assert not [text for text in within(vars(made), {}) if secret in text]
