"""A local Entra, an application with both credentials, and a resource that verifies tokens."""

from __future__ import annotations

import ssl
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.testing import EntraEmulator
from tests.clients import versions
from tests.clients.broker import Broker
from tests.clients.playing import Player
from tests.clients.resource import KeyRing, Resource
from tests.clients.scene import Clock, Scene
from tests.clients.table import rows_of
from tests.real.fixtures import node_with
from tests.real.servers.tls import TlsFiles

_HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)  # before -m selects by mark
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder; what a client warns of is its makers' business, a connection left open is not."""
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.clients)
            for category in ("DeprecationWarning", "PendingDeprecationWarning", "FutureWarning", "UserWarning"):
                item.add_marker(pytest.mark.filterwarnings(f"ignore::{category}"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Name the last good version of the client whose test failed."""
    report = yield
    if report.failed and (rows := rows_of(item.path, getattr(item, "originalname", item.name))):
        # A test of several clients has the client's name in its own.
        named = [row for row in rows if row.client in item.name] or rows
        report.sections.append(("client versions", "\n".join(versions.compare(row.package) for row in named)))
    return report


@pytest.fixture(autouse=True, scope="module")
def _uncovered(uncovered: None) -> None:
    """Clients do what other tests cover."""


@pytest.fixture(scope="session")
def scene(server_tls: TlsFiles) -> Iterator[Scene]:
    """The application that every client signs in as."""
    certificate = ClientCertificate.self_signed("clients")
    clock = Clock()
    entra = EntraEmulator(clock=clock)
    application = entra.add_application(certificate)
    with entra.serve() as server:
        yield Scene(clock, entra, server, application, certificate, str(server_tls.ca))


@pytest.fixture(params=["sync", "aio"])
def kind(request: pytest.FixtureRequest) -> str:
    """The credential that a client gets."""
    return str(request.param)


@pytest.fixture
def player(scene: Scene, kind: str) -> Player:
    """Runs the table's lines with that credential."""
    return Player(scene, kind)


@pytest.fixture(scope="session")
def keys(scene: Scene) -> KeyRing:
    """Verifies the tokens of the scene's Entra."""
    return KeyRing(scene.server.url, ssl.create_default_context(cafile=scene.server.ca_file))


@pytest.fixture(scope="session")
def resource(keys: KeyRing, server_tls: TlsFiles) -> Iterator[Resource]:
    """The stand-in for a service; a test says which."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(server_tls.certificate, server_tls.key)
    resource = Resource(tls, keys)
    with resource.server:
        yield resource


@pytest.fixture(scope="module")
def broker(keys: KeyRing, server_tls: TlsFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A running broker, with the events of one file's tests."""
    broker = Broker(node_with("rhea"), server_tls, keys.key_set, tmp_path_factory.mktemp("broker"))
    yield broker
    broker.process.stop()


@pytest.fixture(autouse=True)
def _trusted(server_tls: TlsFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have clients that have no option for it trust the loopback servers, and pass by the machine's proxy."""
    # Made when aiohttp is imported, which is long before there is an authority.
    monkeypatch.setattr("aiohttp.connector._SSL_CONTEXT_VERIFIED", server_tls.context())
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(name, str(server_tls.ca))
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    # Monitor's exporter would report about itself to Microsoft, and at the end of the process once more.
    for name in ("STATSBEAT_DISABLED_ALL", "SDKSTATS_DISABLED", "CONTROLPLANE_DISABLED"):
        monkeypatch.setenv(f"APPLICATIONINSIGHTS_{name}", "true")
