"""Errors of the user's own HTTP client: they name the failure, and quote neither settings nor answers."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest
import requests
from azure.core.exceptions import ServiceRequestError, ServiceResponseError

from azure_certvar_credential._core.effects import Send, Unanswered
from azure_certvar_credential.exceptions import ConfigurationError
from azure_certvar_credential.msal.client import ForeignClient
from tests.reporters import assert_reports_none_of

PROXY = "http://user:PROXY-PASSWORD@127.0.0.1"
SECRETS = ["PROXY-PASSWORD", "HEADER-SECRET", "ACCESS-TOKEN", "eyJ"]
BODY = b'{"access_token": "ACCESS-TOKEN"}'
# What the session is set up with, what the server sends, and what the error says.
LEAKS: dict[str, tuple[dict[str, Any], bytes, type[Exception], str]] = {
    "a header with a line break": ({"headers": {"X": "HEADER-SECRET\r\n"}}, b"", ConfigurationError, "InvalidHeader"),
    "a proxy with a bad port": ({"proxies": {"http": f"{PROXY}:99999"}}, b"", ConfigurationError, "InvalidURL"),
    "a proxy of an unknown scheme": (
        {"proxies": {"http": PROXY.replace("http", "gopher")}},
        b"",
        ConfigurationError,
        "ProxySchemeUnknown",
    ),
    "a proxy that is not there": ({"proxies": {"http": f"{PROXY}:1"}}, b"", ServiceRequestError, "refused"),
    "a token in the status line": ({}, BODY + b"\r\n\r\n", ServiceResponseError, "BadStatusLine"),
    "a token in the length of a chunk": (
        {},
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + BODY + b"\r\n",
        ServiceResponseError,
        "ChunkedEncodingError",
    ),
    "a token that is cut off": (
        {},
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + BODY,
        ServiceResponseError,
        "ChunkedEncodingError",
    ),
}


@pytest.mark.parametrize("name", LEAKS)
def test_an_error_of_a_session_quotes_neither_settings_nor_answers(name: str) -> None:
    settings, sent, kind, text = LEAKS[name]
    with socket.create_server(("127.0.0.1", 0)) as listener, requests.Session() as session:
        thread = threading.Thread(target=_answer_once, args=(listener, sent), daemon=True)
        thread.start()
        for setting, value in settings.items():
            getattr(session, setting).update(value)
        failure = _failure(session, f"http://127.0.0.1:{listener.getsockname()[1]}/token")
        if not sent:
            socket.create_connection(listener.getsockname()).close()  # so that the thread ends
        thread.join(10)

    assert isinstance(failure, kind)
    assert text in str(failure)
    assert_reports_none_of(failure, SECRETS)


@pytest.mark.parametrize("secret", ["user:PROXY-PASSWORD", "eyJ0.assertion"])
def test_a_proxy_that_refuses_is_named_by_its_status_alone(secret: str) -> None:
    """The proxy chooses the reason phrase."""
    with socket.create_server(("127.0.0.1", 0)) as listener, requests.Session() as session:
        answer = f"HTTP/1.1 407 {secret}\r\n\r\n".encode()
        thread = threading.Thread(target=_answer_once, args=(listener, answer), daemon=True)
        thread.start()
        session.proxies = {"https": f"{PROXY}:{listener.getsockname()[1]}"}
        failure = _failure(session, "https://login.contoso.example/token")
        thread.join(10)

    assert str(failure) == "http_client failed with ProxyError: Tunnel connection failed: 407"


def _failure(session: requests.Session, url: str) -> Exception:
    try:
        answer = ForeignClient(session).send(Send(url, {"client_assertion": "eyJ0.assertion"}, {}))
    except Exception as error:  # noqa: BLE001 - each row has its own
        return error
    assert isinstance(answer, Unanswered)
    return answer.error


def _answer_once(listener: socket.socket, answer: bytes) -> None:
    connection, _ = listener.accept()
    with connection:
        if connection.recv(65536):
            connection.sendall(answer)
