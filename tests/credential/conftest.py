"""The world of the scenarios, once with the sync and once with the async credential."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.testing import EntraEmulator
from tests.credential.shared_caches import AsyncMemoryCache, MemoryCache
from tests.credential.world import Clock, Kind, World


@pytest.fixture(scope="session")
def certificate() -> ClientCertificate:
    """A certificate valid at the time of the scenarios' clock and today."""
    return ClientCertificate.self_signed("scenario", days=3650)


@pytest.fixture(params=["sync", "aio"])
async def world(request: pytest.FixtureRequest, certificate: ClientCertificate) -> AsyncIterator[World]:
    """A local Entra that knows one application with one certificate."""
    kind: Kind = request.param
    # Threads enough for every caller of a scenario at once.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(max_workers=120))
    clock = Clock()
    entra = EntraEmulator(clock=clock)
    world = World(kind, clock, entra, certificate, entra.add_application(certificate))
    yield world
    for driver in world.drivers:
        await driver.close()


@pytest.fixture
def cache(world: World) -> MemoryCache:
    """A cache that several credentials share."""
    return (MemoryCache if world.kind == "sync" else AsyncMemoryCache)(world.clock)
