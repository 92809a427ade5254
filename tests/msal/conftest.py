"""The world of the scenarios, once with the sync and once with the async credential."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.testing import EntraEmulator
from tests.credential.world import Clock, Kind
from tests.msal.world import MsalWorld, use_clock


@pytest.fixture(scope="session")
def certificate() -> ClientCertificate:
    """A certificate valid at the time of the scenarios' clock and today."""
    return ClientCertificate.self_signed("scenario", days=3650)


@pytest.fixture(params=["sync", "aio"])
async def world(
    request: pytest.FixtureRequest, certificate: ClientCertificate, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[MsalWorld]:
    """A strict local Entra that knows one application with one certificate; MSAL tells the time by the same clock."""
    kind: Kind = request.param
    # Threads enough for every caller of a scenario at once.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(max_workers=120))
    clock = Clock()
    use_clock(monkeypatch, clock)
    entra = EntraEmulator(strict=True, clock=clock)
    world = MsalWorld(kind, clock, entra, certificate, entra.add_application(certificate))
    yield world
    for driver in world.drivers:
        await driver.close()


@pytest.fixture(autouse=True)
def direct_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loopback is reached directly, and ``verify`` decides what is trusted: requests prefers the environment."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
