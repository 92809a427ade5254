"""Getting a document: the same pipeline, without a form and without a credential."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline.policies import SansIOHTTPPolicy

from azure_certvar_credential._core.effects import Fetch, Unanswered
from azure_certvar_credential._core.exchange import MAX_BODY, Response
from tests.transport.conftest import MakePoster
from tests.transport.loopback import serving, unused_port
from tests.transport.posting import send

PATH = "/tenant/.well-known/openid-configuration"


def answered(outcome: Response | Unanswered) -> Response:
    assert isinstance(outcome, Response), outcome
    return outcome


def test_a_document_is_asked_for_with_get_and_comes_back_whole(poster: MakePoster) -> None:
    with serving(lambda exchange: exchange.answer(200, b'{"issuer":"x"}', X_A="b")) as server:
        response = answered(poster().send(Fetch(server.url + PATH)))
    assert (response.status, response.body, response.headers["x-a"]) == (200, b'{"issuer":"x"}', "b")
    (received,) = server.received
    assert received.line == f"GET {PATH} HTTP/1.1"
    assert received.headers["accept"] == "application/json"
    assert received.headers["user-agent"].startswith("azsdk-python-certvar-credential/")
    assert received.body == b""
    assert {"authorization", "cookie", "content-type"}.isdisjoint(received.headers)


def test_a_token_request_after_a_document_is_a_post_again(poster: MakePoster) -> None:
    with serving(lambda exchange: exchange.answer(200, b"{}")) as server:
        one = poster()
        one.send(Fetch(server.url + PATH))
        one.send(send(server.url))
    assert [received.line.split()[0] for received in server.received] == ["GET", "POST"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_of_a_document_is_an_answer_and_never_followed(poster: MakePoster, status: int) -> None:
    with serving(lambda exchange: exchange.answer(200, b"{}")) as elsewhere:
        with serving(lambda exchange: exchange.answer(status, b"", Location=elsewhere.url + PATH)) as server:
            assert answered(poster().send(Fetch(server.url + PATH))).status == status
        assert len(server.received) == 1
    assert elsewhere.received == []


@pytest.mark.parametrize("status", [404, 429, 500, 503])
@pytest.mark.parametrize("fields", [{}, {"Retry_After": "30"}])
def test_every_status_comes_back_at_once(poster: MakePoster, status: int, fields: dict[str, str]) -> None:
    with serving(lambda exchange: exchange.answer(status, b"", **fields)) as server:
        assert answered(poster().send(Fetch(server.url + PATH))).status == status
    assert len(server.received) == 1


def test_a_document_is_read_to_a_bound(poster: MakePoster) -> None:
    with serving(lambda exchange: exchange.answer(200, b"y" * (MAX_BODY + 1000))) as server:
        assert len(answered(poster().send(Fetch(server.url + PATH))).body) == MAX_BODY + 1


def test_a_connection_that_breaks_off_is_unanswered(poster: MakePoster) -> None:
    with serving(lambda exchange: exchange.reset()) as server:
        outcome = poster().send(Fetch(server.url + PATH))
    assert isinstance(outcome, Unanswered)
    # aiohttp repeats once by itself what may be repeated, as a GET may; azure-core's retry policy must not.
    assert len(server.received) <= 2


class Counting(SansIOHTTPPolicy[Any, Any]):
    """Counts the attempts below the retry policy."""

    def __init__(self) -> None:
        self.methods: list[str] = []

    def on_request(self, request: Any) -> None:
        self.methods.append(request.http_request.method)


def test_a_connection_that_is_not_made_is_unanswered_and_not_tried_again_here(poster: MakePoster) -> None:
    counting = Counting()
    outcome = poster(per_retry_policies=[counting], retry_total=2).send(
        Fetch(f"http://127.0.0.1:{unused_port()}{PATH}")
    )
    assert isinstance(outcome, Unanswered)
    assert isinstance(outcome.error, ServiceRequestError)
    assert not outcome.sent
    assert counting.methods == ["GET"]
