"""What comes back from a real server, whole or in pieces."""

from __future__ import annotations

import gzip
import threading
import time
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from azure.core.exceptions import AzureError, ServiceRequestError, ServiceResponseError

from azure_certvar_credential._core.effects import Unanswered
from azure_certvar_credential._core.exchange import MAX_BODY, Response
from azure_certvar_credential.exceptions import CredentialClosedError
from tests.transport.conftest import MakePoster
from tests.transport.loopback import Exchange, Respond, serving, token, unused_port
from tests.transport.posting import ASSERTION, send

MEBIBYTE = b"x" * (1 << 20)


def answered(outcome: Response | Unanswered) -> Response:
    assert isinstance(outcome, Response), outcome
    return outcome


def unanswered(outcome: Response | Unanswered) -> AzureError:
    assert isinstance(outcome, Unanswered), outcome
    assert isinstance(outcome.error, AzureError)
    return outcome.error


def test_an_answer_comes_back_with_status_headers_and_body(poster: MakePoster) -> None:
    with serving(lambda exchange: exchange.answer(401, b'{"error":"x"}', X_Ms_Request_Id="an-id")) as server:
        response = answered(poster().send(send(server.url)))
    assert (response.status, response.body) == (401, b'{"error":"x"}')
    assert response.headers["x-ms-request-id"] == "an-id"
    assert all(name == name.lower() for name in response.headers)


def test_the_form_arrives_form_encoded_once(poster: MakePoster) -> None:
    with serving(token()) as server:
        poster().send(send(server.url))
    (received,) = server.received
    assert received.line == "POST /contoso.example/oauth2/v2.0/token HTTP/1.1"
    assert received.headers["content-type"] == "application/x-www-form-urlencoded"
    assert received.form == {"client_id": "a-client", "scope": "s/.default", "client_assertion": ASSERTION}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_never_followed(poster: MakePoster, status: int) -> None:
    with serving(token()) as elsewhere:
        location = f"{elsewhere.url}/token"
        with serving(lambda exchange: exchange.answer(status, b"", Location=location)) as server:
            response = answered(poster().send(send(server.url)))
        assert response.status == status
        assert len(server.received) == 1
    assert elsewhere.received == []


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("fields", [{}, {"Retry_After": "30"}])
def test_an_answer_that_says_later_comes_back_at_once(poster: MakePoster, status: int, fields: dict[str, str]) -> None:
    # The flow repeats these, with an assertion of its own for each; azure-core's retry policy must not.
    with serving(lambda exchange: exchange.answer(status, b"", **fields)) as server:
        assert answered(poster().send(send(server.url))).status == status
    assert len(server.received) == 1


def stream(count: int) -> Respond:
    def respond(exchange: Exchange) -> None:
        exchange.begin(200, Content_Length=str(count * len(MEBIBYTE)))
        for _ in range(count):
            exchange.write(MEBIBYTE)
            sent.append(len(MEBIBYTE))

    sent: list[int] = []
    respond.__dict__["sent"] = sent
    return respond


def test_reading_stops_after_a_mebibyte_of_fifty(poster: MakePoster) -> None:
    respond = stream(50)
    with serving(respond) as server:
        response = answered(poster().send(send(server.url)))
    assert len(response.body) == MAX_BODY + 1
    # What the kernel's buffers take beside it is the machine's affair, but it is not all of it.
    assert sum(respond.__dict__["sent"]) < 40 * len(MEBIBYTE)


@pytest.mark.parametrize("size", [MAX_BODY - 1, MAX_BODY, MAX_BODY + 1])
def test_a_body_near_the_bound_is_read_to_the_octet(poster: MakePoster, size: int) -> None:
    with serving(lambda exchange: exchange.answer(200, b"y" * size)) as server:
        assert len(answered(poster().send(send(server.url))).body) == size


def test_a_compressed_answer_is_unpacked(poster: MakePoster) -> None:
    with serving(lambda exchange: exchange.answer(200, gzip.compress(b"{}"), Content_Encoding="gzip")) as server:
        assert answered(poster().send(send(server.url))).body == b"{}"


def test_a_compression_bomb_goes_off_in_a_bounded_room(poster: MakePoster) -> None:
    packer = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
    bomb = b"".join(packer.compress(MEBIBYTE) for _ in range(300)) + packer.flush()
    with serving(lambda exchange: exchange.answer(200, bomb, Content_Encoding="gzip")) as server:
        response = answered(poster().send(send(server.url)))
    assert len(response.body) == MAX_BODY + 1


def truncated(exchange: Exchange) -> None:
    exchange.begin(200, Content_Length="1000")
    exchange.write(b'{"access_token":')
    exchange.hang_up()


def half_a_chunk(exchange: Exchange) -> None:
    exchange.begin(200, Transfer_Encoding="chunked")
    exchange.write(b"400\r\n{")
    exchange.hang_up()


def reset_after_the_request(exchange: Exchange) -> None:
    exchange.reset()


def reset_within_the_body(exchange: Exchange) -> None:
    exchange.begin(200, Content_Length="1000")
    exchange.write(b"{")
    time.sleep(0.05)  # lets the client read the headers first
    exchange.reset()


def silence(exchange: Exchange) -> None:
    exchange.hang_up()


def no_http(exchange: Exchange) -> None:
    exchange.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
    exchange.hang_up()


def damaged_gzip(exchange: Exchange) -> None:
    exchange.answer(200, b"this is not gzip at all", Content_Encoding="gzip")


@pytest.mark.parametrize(
    "respond",
    [
        truncated,
        half_a_chunk,
        reset_after_the_request,
        reset_within_the_body,
        silence,
        no_http,
        damaged_gzip,
    ],
)
def test_a_request_without_a_complete_answer_is_unanswered_and_not_repeated_here(
    poster: MakePoster, respond: Callable[[Exchange], None]
) -> None:
    with serving(respond) as server:
        error = unanswered(poster().send(send(server.url)))
    assert not isinstance(error, ServiceRequestError)
    assert len(server.received) == 1


def test_a_server_that_hangs_is_unanswered_after_the_read_timeout(poster: MakePoster) -> None:
    given_up = threading.Event()

    def hang(exchange: Exchange) -> None:
        assert given_up.wait(timeout=20)
        exchange.hang_up()

    with serving(hang) as server:
        error = unanswered(poster(read_timeout=0.2).send(send(server.url)))
        given_up.set()
    assert isinstance(error, ServiceResponseError)


def test_a_refused_connection_is_an_error_of_azure_core(poster: MakePoster) -> None:
    outcome = poster().send(send(f"http://127.0.0.1:{unused_port()}"))
    assert isinstance(unanswered(outcome), ServiceRequestError)
    assert not outcome.sent  # type: ignore[union-attr]


def test_after_closing_nothing_is_opened_again(poster: MakePoster) -> None:
    with serving(token()) as server:
        made = poster()
        answered(made.send(send(server.url)))
        if hasattr(made, "_loop"):
            made._loop.run_until_complete(made._sender.close())  # type: ignore[attr-defined]
        else:
            made.close()
            made.close()
        with pytest.raises(CredentialClosedError):
            made.send(send(server.url))
    assert len(server.received) == 1


def test_after_a_fork_connections_are_left_alone_and_new_ones_made(poster: MakePoster) -> None:
    with serving(token()) as server:
        made = poster()
        answered(made.send(send(server.url)))
        close = _held(made)
        made.after_fork()
        answered(made.send(send(server.url)))
        assert len(server.received) == 2
        close()


def _held(made: Any) -> Callable[[], object]:
    """Return what closes the connections that a poster holds, whatever it has forgotten meanwhile."""
    if hasattr(made, "_pipeline"):
        close: Callable[[], object] = made._pipeline.__exit__
        return close
    (opened,) = made._sender._opened.values()
    connector = opened.transport.session.connector
    return lambda: made._loop.run_until_complete(connector.close())
