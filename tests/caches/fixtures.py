"""Redis servers as fixtures: one for the run that tests share, and the program for those that break theirs.

A test that takes one is marked ``real`` by that, and runs with every server that is installed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

from tests.caches.servers import SERVERS, RedisServer
from tests.real.servers.tls import TlsFiles

# Valkey where the machine has it: tests/run installs it where the distribution does.
_NAMES = [name for name in SERVERS if name == "redis-server" or shutil.which(name)]


@pytest.hookimpl(tryfirst=True)  # before -m selects by mark
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that takes a server."""
    for item in items:
        if isinstance(item, pytest.Function) and "redis_executable" in item.fixturenames:
            item.add_marker(pytest.mark.real)


@pytest.fixture(scope="session", params=_NAMES)
def redis_executable(request: pytest.FixtureRequest) -> str:
    """The path of a server's program."""
    name: str = request.param
    path = shutil.which(name)
    if path is None:
        reason = f"{name} is missing: run tests/run as root, or install it"
        if os.environ.get("CI"):
            pytest.fail(f"{reason} (nothing is skipped in CI)", pytrace=False)
        pytest.skip(reason)
    return path


@pytest.fixture(scope="session")
def redis_server(redis_executable: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A running server, for tests that leave it as it is."""
    with RedisServer(redis_executable, tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="session")
def redis_tls_server(
    redis_executable: str, server_tls: TlsFiles, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RedisServer]:
    """The same over TLS."""
    with RedisServer(redis_executable, tmp_path_factory.mktemp("redis-tls"), tls=server_tls) as server:
        yield server
