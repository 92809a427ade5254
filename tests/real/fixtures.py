"""Real servers as fixtures for every test: started when first asked for, ended with the run.

A test that takes ``oidc_provider``, ``azurite`` or ``azure_for_node`` is marked ``real`` by that. Where a component is
missing, the test is skipped with a reason that names it; under ``CI`` it fails instead, so that nothing is left out
unseen.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.real.servers.azurite import Azurite
from tests.real.servers.node import MissingComponentError, Node
from tests.real.servers.oidc_provider import OidcProvider
from tests.real.servers.tls import TlsFiles

_SERVERS = ("oidc_provider", "fapi_provider", "azurite")
_COMPONENTS = (*_SERVERS, "azure_for_node")


@pytest.hookimpl(tryfirst=True)  # before -m selects by mark
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that takes a server or is beside this file, where the large clients are."""
    here = Path(__file__).parent
    for item in items:
        taken = item.fixturenames if isinstance(item, pytest.Function) else ()
        if not set(_COMPONENTS).isdisjoint(taken) or here in item.path.parents:
            item.add_marker(pytest.mark.real)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show a server's output with the test that failed on it."""
    report = yield
    if call.excinfo is not None and report.failed and isinstance(item, pytest.Function):
        for name in _SERVERS:
            server = item.funcargs.get(name)
            if isinstance(server, OidcProvider | Azurite):
                report.sections.append((f"output of {server.process.name}", server.process.log))
    return report


@pytest.fixture(scope="session")
def server_tls(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    """TLS files that the servers share."""
    return TlsFiles.issue(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def oidc_provider(server_tls: TlsFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OidcProvider]:
    """A running oidc-provider."""
    server = OidcProvider(node_with("oidc-provider"), server_tls, tmp_path_factory.mktemp("oidc_provider"))
    yield server
    server.process.stop()


@pytest.fixture(scope="session")
def fapi_provider(server_tls: TlsFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OidcProvider]:
    """A running oidc-provider that takes assertions for its issuer alone, as FAPI 2.0 wants."""
    node, directory = node_with("oidc-provider"), tmp_path_factory.mktemp("fapi_provider")
    server = OidcProvider(node, server_tls, directory, "issuer")
    yield server
    server.process.stop()


@pytest.fixture(scope="session")
def azurite(server_tls: TlsFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """A running Azurite."""
    server = Azurite(node_with("azurite"), server_tls, tmp_path_factory.mktemp("azurite"))
    yield server
    server.process.stop()


@pytest.fixture(scope="session")
def azure_for_node() -> Node:
    """Node.js with Microsoft's clients: ``@azure/identity`` and ``@azure/msal-node``."""
    node_with("@azure/identity")
    return node_with("@azure/msal-node")


def node_with(package: str) -> Node:
    """Node.js and an npm package, or the end of the test that asks for it."""
    try:
        return Node.find(package)
    except MissingComponentError as missing:
        reason = str(missing)
    if os.environ.get("CI"):
        pytest.fail(f"{reason} (nothing is skipped in CI)", pytrace=False)
    pytest.skip(reason)
