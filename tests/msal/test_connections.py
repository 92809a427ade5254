"""The same over loopback TLS: this package's pipeline, and a requests.Session of the user's own."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
import traceback
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import requests
from azure.core.exceptions import ServiceRequestError, ServiceResponseError

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential._core.effects import Send
from azure_certvar_credential._core.exchange import Response
from azure_certvar_credential.aio import MsalCertVarCredential as AsyncMsalCertVarCredential
from azure_certvar_credential.exceptions import (
    AuthenticationError,
    ConfigurationError,
    CredentialClosedError,
    ResponseFormatError,
    TemporarilyUnavailableError,
)
from azure_certvar_credential.msal import MsalCertVarCredential
from azure_certvar_credential.msal.client import ForeignClient
from azure_certvar_credential.testing import Application, EntraEmulator, EntraServer, Fault
from tests.credential.world import GRAPH, STORAGE

Served = tuple[EntraServer, EntraEmulator, Application]


@pytest.fixture
def served(certificate: ClientCertificate) -> Iterator[Served]:
    entra = EntraEmulator(strict=True)
    application = entra.add_application(certificate)
    with entra.serve() as server:
        yield server, entra, application


@pytest.fixture
def session(served: Served) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.verify = served[0].ca_file
        yield session


def credential(served: Served, certificate: ClientCertificate, **options: Any) -> MsalCertVarCredential:
    server, _, application = served
    return MsalCertVarCredential(
        application.tenant_id,
        application.client_id,
        certificate,
        authority=server.url,
        disable_instance_discovery=True,
        **options,
    )


def test_it_acquires_tokens_through_the_pipeline(served: Served, certificate: ClientCertificate) -> None:
    server, entra, _ = served
    sent: list[dict[str, str]] = []

    def remember(request: Any) -> None:
        sent.append({name.lower(): value for name, value in request.http_request.headers.items()})

    options = {"connection_verify": server.ca_file, "user_agent": "my-app/1.0", "raw_request_hook": remember}
    with credential(served, certificate, **options) as given:
        assert given.get_token(STORAGE).token != given.get_token(GRAPH).token

    assert len(entra.requests) == 2
    assert len(sent) == 2
    agents = [headers["user-agent"] for headers in sent]
    assert all("certvar-credential" in agent and "my-app/1.0" in agent for agent in agents)
    # The request names who sends it, in one voice, and MSAL's telemetry has no place in that.
    for headers in sent[1:]:
        assert headers["x-client-sku"] == "azure-certvar-credential"
        assert {name for name in headers if name.startswith("x-client-")} == {
            "x-client-sku",
            "x-client-ver",
            "x-client-os",
        }


def test_a_server_that_is_not_trusted_gets_nothing(served: Served, certificate: ClientCertificate) -> None:
    with (
        credential(served, certificate, connection_verify=True, retry_total=0) as given,
        pytest.raises(ServiceRequestError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        given.get_token(STORAGE)
    assert not len(served[1].requests)


async def test_the_asynchronous_one_acquires_tokens_too(served: Served, certificate: ClientCertificate) -> None:
    server, entra, application = served
    async with AsyncMsalCertVarCredential(
        application.tenant_id,
        application.client_id,
        certificate,
        authority=server.url,
        disable_instance_discovery=True,
        connection_verify=server.ca_file,
    ) as given:
        tokens = await asyncio.gather(*(given.get_token(STORAGE) for _ in range(50)))
    assert len({token.token for token in tokens}) == 1
    assert len(entra.requests) == 1
    with pytest.raises(CredentialClosedError):
        await given.get_token(STORAGE)


def test_a_session_of_the_users_own_serves_and_stays_open(
    served: Served, certificate: ClientCertificate, session: requests.Session
) -> None:
    with credential(served, certificate, http_client=session) as given:
        given.get_token(STORAGE)

    assert len(served[1].requests) == 1
    assert session.get(f"{served[0].url}/common/discovery/keys").status_code == 200


SESSION_FAULTS: list[tuple[Fault, type[Exception], str]] = [
    (Fault.aadsts(700016), AuthenticationError, "AADSTS700016"),
    (Fault.server_error(), TemporarilyUnavailableError, "Server Error"),
    (Fault.throttled(30, json=False), TemporarilyUnavailableError, "wait 30 s"),
    (Fault.not_json(), ResponseFormatError, "text/html"),
    (Fault.reset_after(), ServiceResponseError, "http_client failed with ConnectionError"),
]


@pytest.mark.parametrize(("fault", "kind", "text"), SESSION_FAULTS, ids=[row[0].name for row in SESSION_FAULTS])
def test_failures_of_a_session_have_our_classes_and_hold_no_request(
    served: Served,
    certificate: ClientCertificate,
    session: requests.Session,
    fault: Fault,
    kind: type[Exception],
    text: str,
) -> None:
    served[1].inject(fault, times=None)
    with (
        credential(served, certificate, http_client=session, retry_total=0) as given,
        pytest.raises(kind, match=text) as caught,
    ):
        given.get_token(STORAGE)

    error = caught.value
    assert (error.__context__, error.__cause__) == (None, None)
    assert not any(isinstance(value, requests.PreparedRequest) for value in gc.get_referents(vars(error)))


def test_a_session_that_cannot_connect_says_so(served: Served, certificate: ClientCertificate) -> None:
    with (
        requests.Session() as untrusting,
        credential(served, certificate, http_client=untrusting) as given,
        pytest.raises(ServiceRequestError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        given.get_token(STORAGE)


class _Redirect(BaseHTTPRequestHandler):
    """Sends every request on to another host; counts what arrives there."""

    arrived: int = 0

    def do_POST(self) -> None:
        if self.path == "/there":
            type(self).arrived += 1
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(307)
        self.send_header("Location", "/there")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_session_does_not_carry_the_assertion_along_a_redirect() -> None:
    _Redirect.arrived = 0
    server = HTTPServer(("127.0.0.1", 0), _Redirect)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with requests.Session() as session:
            url = f"http://127.0.0.1:{server.server_port}/token"
            answer = ForeignClient(session).send(Send(url, {"client_assertion": "a.b.c"}, {}))
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
    assert isinstance(answer, Response)
    assert answer.status == 307
    assert _Redirect.arrived == 0


class Odd:
    """A client that runs a given function for each request."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self.act = act

    def post(self, url: str, **kwargs: Any) -> Any:
        return self.act()

    def get(self, url: str, **kwargs: Any) -> Any:
        tenant = url.split("/")[3]
        document = dict.fromkeys(("token_endpoint", "authorization_endpoint"), f"https://login.example/{tenant}/t")
        return type("Answer", (), {"status_code": 200, "text": json.dumps(document)})


def _raise() -> None:
    try:
        int("inner")
    except ValueError as error:
        raise RuntimeError("it broke") from error


@pytest.mark.parametrize(
    ("act", "kind", "text"),
    [
        (_raise, ServiceResponseError, "http_client failed with RuntimeError"),
        (lambda: None, ConfigurationError, "returned a NoneType"),
        (lambda: type("Answer", (), {"status_code": 200, "text": "{}", "headers": None}), ResponseFormatError, "token"),
        (lambda: type("Answer", (), {"status_code": 200, "text": "x" * (2 << 20)}), ResponseFormatError, "bytes"),
        (lambda: type("Answer", (), {"status_code": 200, "text": "{}"}), ResponseFormatError, "access_token"),
    ],
    ids=["raises", "returns nothing", "no headers", "too long", "no token"],
)
def test_odd_clients_are_their_owners_business_and_leak_nothing(
    certificate: ClientCertificate, act: Callable[[], Any], kind: type[Exception], text: str
) -> None:
    with (
        MsalCertVarCredential("contoso.example", "app", certificate, http_client=Odd(act), retry_total=0) as given,
        pytest.raises(kind, match=text) as caught,
    ):
        given.get_token(STORAGE)
    cause = caught.value.__cause__
    assert cause is None or cause.__traceback__ is None
    frames = [frame.f_globals["__name__"] for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    assert frames[-1] == "azure_certvar_credential.msal.applications"
