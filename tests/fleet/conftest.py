"""What the fleets' tests share: the member processes, the local Entra, and a Redis of each test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from azure_certvar_credential.testing import EntraEmulator, EntraServer
from tests.caches.servers import RedisServer
from tests.fleet.fleet import Fleet, Processes


@pytest.fixture(scope="module")
def processes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """As many member processes as the module says in ``MEMBERS``."""
    processes = Processes(request.module.MEMBERS, tmp_path_factory.mktemp("fleet"))
    yield processes
    processes.stop()


@pytest.fixture(scope="module")
def entra_server() -> Iterator[EntraServer]:
    """The local Entra over loopback TLS."""
    with EntraEmulator().serve() as server:
        yield server


@pytest.fixture(params=["sync", "aio"])
def fleet(request: pytest.FixtureRequest, processes: Processes, entra_server: EntraServer) -> Fleet:
    """A fleet of either kind, unknown to every cache."""
    return Fleet(processes, entra_server, request.param, len(processes))


@pytest.fixture
def own_redis(redis_executable: str, tmp_path: Path) -> Iterator[RedisServer]:
    """A server that nobody else uses, running and empty."""
    with RedisServer(redis_executable, tmp_path / "redis") as server:
        yield server
