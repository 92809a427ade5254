"""The emulator on a real socket, under clients that nobody here wrote."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
import requests
from cryptography import x509

from azure_certvar_credential.testing import EntraServer, Fault
from tests.testing.kit import NOW, World

Served = tuple[World, EntraServer]


def post(served: Served, session: Any = requests, **options: Any) -> requests.Response:
    world, server = served
    response: requests.Response = session.post(
        world.token_url, data=world.form(), verify=server.ca_file, timeout=options.pop("timeout", 30), **options
    )
    return response


def test_the_server_has_an_address_and_a_public_certificate(served: Served) -> None:
    _, server = served
    assert server.url == server.authority == f"https://localhost:{server.port}"
    assert Path(server.ca_file).read_bytes() == server.ca_pem
    assert b"PRIVATE" not in server.ca_pem
    authority = x509.load_pem_x509_certificate(server.ca_pem)
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert repr(server) == f"<EntraServer {server.url}>"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_token_comes_over_tls_and_verifies_with_the_published_keys(served: Served, host: str) -> None:
    world, server = served
    world.base = f"https://{host}:{server.port}"
    token = post(served).json()["access_token"]
    trust = ssl.create_default_context(cafile=server.ca_file)
    metadata = requests.get(
        f"{world.base}/{world.application.tenant_id}/.well-known/openid-configuration",
        verify=server.ca_file,
        timeout=30,
    ).json()
    keys = jwt.PyJWKClient(metadata["jwks_uri"], ssl_context=trust)
    claims = jwt.decode(
        token,
        keys.get_signing_key_from_jwt(token).key,
        algorithms=["RS256"],
        audience="https://storage.azure.com",
        issuer=metadata["issuer"],
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
    )
    assert claims["appid"] == world.application.client_id


def test_a_client_that_does_not_know_the_authority_refuses_it(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    world, _ = served
    with pytest.raises(requests.exceptions.SSLError):
        requests.post(world.token_url, data={}, timeout=30)
    assert post(served).status_code == 200
    assert capsys.readouterr().err == ""


def test_a_connection_is_kept_for_the_next_request(served: Served) -> None:
    world, server = served
    connection = http.client.HTTPSConnection(
        "localhost", server.port, context=ssl.create_default_context(cafile=server.ca_file), timeout=30
    )
    connection.connect()
    used = connection.sock
    for _ in range(3):
        connection.request(
            "POST",
            f"/{world.application.tenant_id}/oauth2/v2.0/token",
            urlencode(world.form()),
            {"Content-Type": "application/x-www-form-urlencoded"},
        )
        response = connection.getresponse()
        assert response.status == 200
        response.read()
        assert connection.sock is used
    connection.request("HEAD", "/protected")
    response = connection.getresponse()
    assert (response.status, response.read()) == (405, b"")
    connection.close()


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 411), ({"Content-Length": "many"}, 411), ({"Content-Length": str((1 << 20) + 1)}, 413)],
)
def test_a_body_without_a_sensible_length_is_not_read(served: Served, headers: dict[str, str], status: int) -> None:
    _, server = served
    connection = http.client.HTTPSConnection(
        "localhost", server.port, context=ssl.create_default_context(cafile=server.ca_file), timeout=30
    )
    connection.putrequest("POST", "/x/oauth2/v2.0/token")
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == status
    connection.close()


def test_fifty_threads_get_fifty_tokens(served: Served) -> None:
    world, _ = served
    with ThreadPoolExecutor(50) as pool:
        responses = list(pool.map(lambda _: post(served), range(50)))
    assert {response.status_code for response in responses} == {200}
    assert len({response.json()["access_token"] for response in responses}) == 50
    assert len(world.entra.requests) == 50


def test_two_hundred_connections_are_open_at_once(served: Served) -> None:
    _, server = served
    trust = ssl.create_default_context(cafile=server.ca_file)

    def connect(_: int) -> ssl.SSLSocket:
        return trust.wrap_socket(
            socket.create_connection(("127.0.0.1", server.port), timeout=60), server_hostname="localhost"
        )

    with ThreadPoolExecutor(200) as pool:
        connections = list(pool.map(connect, range(200)))
    for connection in connections:
        connection.sendall(b"GET /protected HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert {connection.recv(12) for connection in connections} == {b"HTTP/1.1 401"}
    for connection in connections:
        connection.close()


FAULTS: list[tuple[Fault, int]] = [
    (Fault.throttled(60, json=False), 429),
    (Fault.server_error(503, retry_after=2), 503),
    (Fault.server_error(500), 500),
    (Fault.aadsts(90033), 503),
    (Fault.unknown_certificate(), 401),
    (Fault.clock_skew(3600), 401),
    (Fault.not_json(200), 200),
    (Fault.not_an_object(), 200),
    (Fault.without_access_token(), 200),
    (Fault.expires_in(-1), 200),
    (Fault.oversized(), 200),
]


@pytest.mark.parametrize(("fault", "status"), FAULTS, ids=[fault.name for fault, _ in FAULTS])
def test_a_fault_reaches_a_real_client_as_it_was_made(served: Served, fault: Fault, status: int) -> None:
    world, _ = served
    world.entra.inject(fault)
    response = post(served)
    assert response.status_code == status
    assert len(response.content) == int(response.headers["Content-Length"])
    assert post(served).status_code == 200


def test_the_date_is_that_of_the_emulators_clock(served: Served) -> None:
    world, _ = served
    world.entra.inject(Fault.clock_skew(-86400))
    response = post(served)
    assert parsedate_to_datetime(response.headers["Date"]).astimezone(timezone.utc).timestamp() == NOW - 86400


@pytest.mark.parametrize(("fault", "recorded"), [(Fault.reset_before(), 0), (Fault.reset_after(), 1)])
def test_a_reset_connection_is_an_error_of_the_connection(served: Served, fault: Fault, recorded: int) -> None:
    world, _ = served
    world.entra.inject(fault)
    with pytest.raises(requests.exceptions.ConnectionError):
        post(served)
    assert len(world.entra.requests) == recorded
    assert post(served).status_code == 200


def test_a_truncated_body_is_noticed(served: Served) -> None:
    world, server = served
    world.entra.inject(Fault.truncated(), times=2)
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        post(served)
    connection = http.client.HTTPSConnection(
        "localhost", server.port, context=ssl.create_default_context(cafile=server.ca_file), timeout=30
    )
    connection.request("POST", f"/{world.application.tenant_id}/oauth2/v2.0/token", urlencode(world.form()))
    with pytest.raises(http.client.IncompleteRead) as raised:
        connection.getresponse().read()
    connection.close()
    assert len(raised.value.partial) > 0
    assert raised.value.expected is not None
    assert raised.value.expected > 0


def test_a_hanging_answer_times_out_and_the_server_goes_on(served: Served) -> None:
    world, _ = served
    world.entra.inject(Fault.hang(60))
    with pytest.raises(requests.exceptions.ReadTimeout):
        post(served, timeout=(30, 0.2))
    assert post(served).status_code == 200
    world.entra.release()


def test_a_hanging_answer_arrives_when_it_is_released(served: Served) -> None:
    world, _ = served
    world.entra.inject(Fault.hang(60))
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(post, served)
        world.entra.wait_for_hanging()
        assert not answer.done()
        world.entra.release()
        assert answer.result(30).status_code == 200


def test_a_hanging_answer_arrives_when_its_time_is_over(served: Served) -> None:
    world, _ = served
    world.entra.inject(Fault.hang(0.05))
    assert post(served).status_code == 200


def test_a_slow_answer_is_late(served: Served) -> None:
    world, _ = served
    world.entra.inject(Fault.latency(0.2))
    began = time.monotonic()
    assert post(served).status_code == 200
    assert time.monotonic() - began >= 0.2
