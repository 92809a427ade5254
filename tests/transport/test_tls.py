"""Whom a connection trusts, and what it presents."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme
from azure.core.exceptions import ServiceRequestError

from azure_certvar_credential._core.effects import Unanswered
from azure_certvar_credential._core.exchange import Response
from azure_certvar_credential._transport.aio import AsyncSender
from tests.transport.conftest import MakePoster
from tests.transport.loopback import serving, token
from tests.transport.posting import QUIET, AsyncPoster, send


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

    def server(self, *, asks_for_client: bool = False) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # With TLS 1.3 a refused client certificate shows only after the request.
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.authority.issue_cert("127.0.0.1").configure_cert(context)
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
        outcome = poster(**options).send(send(running.url))
        if isinstance(outcome, Unanswered):
            assert isinstance(outcome.error, ServiceRequestError)
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


def test_an_ssl_context_is_taken_as_it_is(authority: Authority) -> None:
    made = AsyncPoster({**QUIET, "connection_verify": ssl.create_default_context(cafile=str(authority.ca))})
    with serving(token(), tls=authority.server()) as server:
        assert isinstance(made.send(send(server.url)), Response)
    made.close()


def test_without_aiohttp_the_async_way_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azure_certvar_credential._transport.aio.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"azure-certvar-credential\[aio\]"):
        AsyncSender({})
