"""Whom a connection trusts, and what it presents."""

from __future__ import annotations

import gc
import os
import select
import socket
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme
from azure.core.exceptions import ServiceRequestError

from azure_certvar_credential._core.exchange import Response
from azure_certvar_credential._transport.aio import AsyncSender
from azure_certvar_credential._transport.trust import ssl_context
from azure_certvar_credential.exceptions import ConfigurationError
from tests.transport.conftest import MakePoster
from tests.transport.loopback import serving, token
from tests.transport.posting import send

FOLDER = str(Path(__file__).parent)


@dataclass
class Authority:
    """A certificate authority with its files.

    :ivar ca: its certificate, PEM.
    :ivar client: a client certificate with its key, PEM, as one file and as two.
    """

    authority: trustme.CA
    ca: Path
    client: Path
    client_parts: tuple[Path, Path]

    def server(self, *, asks_for_client: bool = False, name: str = "127.0.0.1") -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # With TLS 1.3 a refused client certificate shows only after the request.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.authority.issue_cert(name).configure_cert(context)
        if asks_for_client:
            context.verify_mode = ssl.CERT_REQUIRED
            self.authority.configure_trust(context)
        return context


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    directory = tmp_path_factory.mktemp("authority")
    made = trustme.CA()
    files = Authority(
        made, directory / "ca.pem", directory / "client.pem", (directory / "cert.pem", directory / "key.pem")
    )
    made.cert_pem.write_to_path(str(files.ca))
    client = made.issue_cert("client.example")
    client.private_key_and_cert_chain_pem.write_to_path(str(files.client))
    client.cert_chain_pems[0].write_to_path(str(files.client_parts[0]))
    client.private_key_pem.write_to_path(str(files.client_parts[1]))
    return files


def reaches(poster: MakePoster, server: ssl.SSLContext, **options: Any) -> bool:
    """Say whether a token comes back over TLS."""
    with serving(token(), tls=server) as running:
        try:
            outcome = poster(**options).send(send(running.url))
        except ServiceRequestError:  # raised, not returned: it is not repeated
            assert running.received == []  # nothing is sent to a server that is not trusted
            return False
    assert isinstance(outcome, Response)
    assert outcome.status == 200
    return True


def test_a_server_of_an_unknown_authority_gets_no_request(poster: MakePoster, authority: Authority) -> None:
    assert not reaches(poster, authority.server())
    assert not reaches(poster, authority.server(), connection_verify=True)


def test_a_file_of_authorities_is_trusted(poster: MakePoster, authority: Authority) -> None:
    assert reaches(poster, authority.server(), connection_verify=str(authority.ca))


def test_a_directory_of_authorities_is_trusted_for_what_is_in_it(
    poster: MakePoster, authority: Authority, tmp_path: Path
) -> None:
    assert not reaches(poster, authority.server(), connection_verify=str(tmp_path))


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")  # urllib3's, and it is right
def test_verification_is_off_only_if_asked_for(poster: MakePoster, authority: Authority) -> None:
    assert reaches(poster, authority.server(), connection_verify=False)


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("parts", [True, False])
def test_a_client_certificate_is_presented(poster: MakePoster, authority: Authority, verify: bool, parts: bool) -> None:
    options = {
        "connection_verify": str(authority.ca) if verify else False,
        "connection_cert": tuple(map(str, authority.client_parts)) if parts else str(authority.client),
    }
    server = authority.server(asks_for_client=True)
    assert reaches(poster, server, **options)
    assert reaches(poster, server, **options)  # a second connection of its own


def test_an_ssl_context_is_taken_as_it_is(poster: MakePoster, authority: Authority) -> None:
    assert reaches(poster, authority.server(), connection_verify=ssl.create_default_context(cafile=str(authority.ca)))
    assert not reaches(poster, authority.server(), connection_verify=ssl.create_default_context())


def test_an_ssl_context_may_accept_another_name(poster: MakePoster, authority: Authority) -> None:
    context = ssl.create_default_context(cafile=str(authority.ca))
    assert not reaches(poster, authority.server(name="elsewhere.example"), connection_verify=context)
    context.check_hostname = False
    assert reaches(poster, authority.server(name="elsewhere.example"), connection_verify=context)


@pytest.mark.filterwarnings("error")
def test_a_connection_that_is_reset_before_tls_begins_is_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connection = socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        accepted.close()
        assert select.select([connection], [], [], 5)[0]  # the reset has come
        with pytest.raises(ConnectionResetError):
            ssl_context({}).wrap_socket(connection, server_hostname="login.example")
    gc.collect()  # what is left open warns here


@pytest.fixture
def no_variables(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Without the machine's variables of trust and proxies."""
    for name in os.environ:
        if name in VARIABLES or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    return monkeypatch


VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.mark.parametrize("name", VARIABLES[:3])
def test_a_variable_names_the_authorities(
    poster: MakePoster, authority: Authority, no_variables: pytest.MonkeyPatch, name: str
) -> None:
    no_variables.setenv(name, str(authority.ca))
    assert reaches(poster, authority.server(), use_env_settings=True)
    assert reaches(poster, authority.server(), use_env_settings=True, connection_verify=True)


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "SSL_CERT_DIR"])
def test_a_variable_names_a_directory_of_authorities(
    poster: MakePoster, authority: Authority, no_variables: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    no_variables.setenv(name, str(tmp_path))
    assert not reaches(poster, authority.server(), use_env_settings=True)
    # OpenSSL finds an authority by the hash of its name.
    subject = subprocess.run(
        ["openssl", "x509", "-hash", "-noout", "-in", authority.ca], check=True, capture_output=True, text=True
    )
    (tmp_path / f"{subject.stdout.strip()}.0").write_bytes(authority.ca.read_bytes())
    assert reaches(poster, authority.server(), use_env_settings=True)


@pytest.mark.parametrize("name", VARIABLES[:2])
def test_the_variables_of_requests_count_only_with_the_environments_settings(
    poster: MakePoster, authority: Authority, no_variables: pytest.MonkeyPatch, name: str
) -> None:
    no_variables.setenv(name, str(authority.ca))
    assert not reaches(poster, authority.server(), use_env_settings=False)


def test_the_first_variable_is_in_force_and_an_option_overrides_it(
    poster: MakePoster, authority: Authority, no_variables: pytest.MonkeyPatch
) -> None:
    other = authority.ca.with_name("other.pem")
    trustme.CA().cert_pem.write_to_path(str(other))
    no_variables.setenv("REQUESTS_CA_BUNDLE", str(other))
    no_variables.setenv("SSL_CERT_FILE", str(authority.ca))
    assert not reaches(poster, authority.server(), use_env_settings=True)
    assert reaches(poster, authority.server(), use_env_settings=True, connection_verify=str(authority.ca))


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_variable_that_names_no_authorities_is_an_error_that_says_so(
    poster: MakePoster, no_variables: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    bundle = tmp_path / "ca.pem"
    if content is not None:
        bundle.write_text(content)
    no_variables.setenv("CURL_CA_BUNDLE", str(bundle))
    with pytest.raises(ConfigurationError, match=r"^CURL_CA_BUNDLE names no PEM file"):
        poster(use_env_settings=True).send(send("https://127.0.0.1:1"))


UNTRUSTED: list[tuple[dict[str, str], dict[str, Any], str]] = [
    ({}, {}, "come from the system and certifi.* as connection_verify"),
    ({"SSL_CERT_FILE": "/nowhere.pem"}, {}, "variable SSL_CERT_FILE;.* as connection_verify"),
    ({"SSL_CERT_FILE": "/nowhere.pem"}, {"connection_verify": FOLDER}, "connection_verify decides"),
]


@pytest.mark.parametrize(("environment", "options", "text"), UNTRUSTED)
def test_the_error_says_where_the_authorities_come_from(
    poster: MakePoster,
    authority: Authority,
    no_variables: pytest.MonkeyPatch,
    environment: dict[str, str],
    options: dict[str, Any],
    text: str,
) -> None:
    for name, value in environment.items():
        no_variables.setenv(name, value)
    with serving(token(), tls=authority.server()) as server, pytest.raises(ServiceRequestError, match=text):
        poster(use_env_settings=True, **options).send(send(server.url))


def test_a_server_with_another_name_is_not_trusted_and_not_asked_again(
    poster: MakePoster, authority: Authority
) -> None:
    server = authority.server(name="elsewhere.example")
    with (
        serving(token(), tls=server) as running,
        pytest.raises(ServiceRequestError, match=r"CERTIFICATE_VERIFY_FAILED.*connection_verify"),
    ):
        poster(connection_verify=str(authority.ca)).send(send(running.url))


def test_without_aiohttp_the_async_way_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azure_certvar_credential._transport.aio.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"azure-certvar-credential\[aio\]"):
        AsyncSender({})
