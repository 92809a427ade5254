"""A broken answer is the server's fault, is asked for again with a fresh assertion, and is quoted nowhere."""

from __future__ import annotations

import logging
import socket
import time
import traceback
from typing import Any

import pytest
from azure.core.exceptions import AzureError, ServiceRequestError, ServiceResponseError
from azure.core.settings import settings
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from azure_certvar_credential._secrecy.known_secrets import without_known
from azure_certvar_credential.exceptions import ConfigurationError
from tests.transport.raw_server import BODY, GOOD, TOKEN, Kind, Respond, get_token, raw_server, sending

LENGTH = len(BODY)


def fields(*lines: str, body: bytes = BODY) -> Respond:
    return sending("\r\n".join(("HTTP/1.1 200 OK", "Connection: close", *lines, "", "")).encode() + body)


def plain_text_after_tls(connection: Any) -> None:
    """Answer as a load balancer whose TLS has gone."""
    raw = socket.socket(fileno=connection.detach())
    raw.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
    time.sleep(0.05)
    raw.close()


BROKEN: dict[str, Respond] = {
    "a length that is a word": fields("Content-Length: abc"),
    "a length that is empty": fields("Content-Length: "),
    "a length of 5,000 digits": fields("Content-Length: " + "9" * 5000),
    "two different lengths": fields(f"Content-Length: {LENGTH}", f"Content-Length: {LENGTH + 1}"),
    "a negative chunk": fields("Transfer-Encoding: chunked", body=b"-5\r\n" + BODY),
    "chunked without chunks": fields("Transfer-Encoding: chunked", body=BODY + b"\r\n"),
    "a body that breaks off": fields(f"Content-Length: {LENGTH + 10}"),
    "no status line": sending(BODY + b"\r\n"),
    "a status that is the token": sending(f"HTTP/1.1 {TOKEN}\r\n\r\n".encode()),
    "a header that is the body": sending(b"HTTP/1.1 200 OK\r\n" + BODY + b"\r\n\r\n"),
    "a header that breaks off": sending(b"HTTP/1.1 200 OK\r\nX-Token: " + TOKEN.encode()),
    "gzip that is none": fields("Content-Encoding: gzip", f"Content-Length: {LENGTH}"),
    "plain text after TLS": plain_text_after_tls,
}


@pytest.fixture(params=["sync", "aio"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Which credential asks."""
    kind: Kind = request.param
    return kind


@pytest.fixture
def spans() -> Any:
    """What azure-core traces in this process from now on."""
    from opentelemetry import trace

    exporter = InMemorySpanExporter()
    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        provider = TracerProvider()
        trace.set_tracer_provider(provider)
    processor = SimpleSpanProcessor(exporter)
    provider.add_span_processor(processor)
    before = settings.tracing_enabled.user_value if hasattr(settings.tracing_enabled, "user_value") else None
    settings.tracing_enabled = True
    yield exporter
    settings.tracing_enabled = before if before is not None else False
    processor.shutdown()


def shown(spans: tuple[ReadableSpan, ...]) -> str:
    return " ".join(span.to_json() for span in spans)


@pytest.mark.parametrize("name", BROKEN)
def test_it_is_an_azure_error_asked_for_again_and_quoted_nowhere(
    kind: Kind, name: str, caplog: pytest.LogCaptureFixture, spans: InMemorySpanExporter
) -> None:
    caplog.set_level(logging.DEBUG)
    with raw_server(BROKEN[name]) as server:
        with pytest.raises(AzureError) as caught:
            get_token(kind, server.authority, retry_total=2)
        assert len(server.jtis) == len(set(server.jtis)) == 3
    assert not isinstance(caught.value, ServiceRequestError)
    texts = [
        *traceback.format_exception(caught.value),
        *(f"{record.getMessage()} {record.args} {record.exc_text}" for record in caplog.records),
        shown(spans.get_finished_spans()),
    ]
    assert len(spans.get_finished_spans()) == 3
    for secret in (TOKEN, *TOKEN.split(".")[1:]):
        assert secret not in "\n".join(texts)


def test_the_same_length_twice_is_an_answer_to_be_asked_for_again_or_read(kind: Kind) -> None:
    """RFC 9110 section 8.6 leaves the choice."""
    with raw_server(fields(f"Content-Length: {LENGTH}", f"Content-Length: {LENGTH}")) as server:
        try:
            assert get_token(kind, server.authority) == TOKEN
        except ServiceResponseError:
            assert len(set(server.jtis)) == 4


def test_a_proxys_password_is_in_no_error(kind: Kind) -> None:
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    with raw_server(lambda connection: (connection.recv(65536), connection.sendall(refusal)), handshake=False) as proxy:
        url = proxy.authority.replace("https://", "http://someone:p%40ss-w0rd@")
        with pytest.raises(AzureError) as caught:
            get_token(kind, "https://login.example", proxies={"https": url}, retry_total=0)
    text = "".join(traceback.format_exception(caught.value))
    assert "407" in str(caught.value)
    for secret in ("p%40ss-w0rd", "p@ss-w0rd", "c29tZW9uZTpwQHNzLXcwcmQ"):
        assert secret not in text


@pytest.mark.parametrize(
    "quoted",
    [
        "s3cret/value+of=mine",
        "s3cret%2Fvalue%2Bof%3Dmine",
        "czNjcmV0L3ZhbHVlK29mPW1pbmU=",
        r"{'h': 's3cret/value+of=mine'}",
    ],
)
def test_a_known_secret_is_removed_however_it_is_encoded(quoted: str) -> None:
    assert without_known(f"header {quoted} is bad", ["s3cret/value+of=mine"]).replace("'", "") in (
        "header [removed] is bad",
        "header {h: [removed]} is bad",
        "header [removed]= is bad",
    )


def test_userinfo_of_a_url_goes_whatever_its_length() -> None:
    assert without_known("407, url='http://u:pw@proxy:3128'", []) == "407, url='http://[removed]@proxy:3128'"


def test_a_header_of_the_callers_that_cannot_be_sent_is_not_repeated(kind: Kind) -> None:
    with pytest.raises(ConfigurationError, match="headers must be a dictionary") as caught:
        get_token(kind, "https://login.example", headers={"X-Key": "one-secret\nvalue"})
    assert "one-secret" not in str(caught.value)


def test_cookies_are_not_sent_back_and_no_compression_is_asked_for(kind: Kind) -> None:
    head, _, body = GOOD.partition(b"\r\n\r\n")
    answer = head + b"\r\nSet-Cookie: id=1; Path=/\r\n\r\n" + body
    with raw_server(sending(answer)) as server:
        assert get_token(kind, server.authority, calls=2) == TOKEN
    assert len(server.requests) == 2
    for request in server.requests:
        assert b"\r\ncookie:" not in request.lower()
        assert b"\r\naccept-encoding: identity\r\n" in request.lower()
