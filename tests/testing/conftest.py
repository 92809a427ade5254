"""Fixtures of the room: a world at a standing time, and the plugin's own fixtures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from azure_certvar_credential.testing import EntraEmulator, EntraServer
from tests.testing.kit import Clock, World, certificate, rsa_key


@pytest.fixture(autouse=True)
def direct_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loopback is reached directly, and ``verify=`` decides what is trusted: requests prefers the environment."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def make_world() -> Iterator[Callable[..., World]]:
    """Build a world; keyword arguments go to the emulator."""
    made: list[EntraEmulator] = []

    def make(**options: Any) -> World:
        clock = options.pop("clock", None) or Clock()
        entra = EntraEmulator(clock=clock, **options)
        made.append(entra)
        cert = certificate(rsa_key(), at=clock())
        return World(clock, entra, cert, entra.add_application(cert))

    yield make
    for entra in made:
        entra.release()


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()


@pytest.fixture
def strict_world(make_world: Callable[..., World]) -> World:
    return make_world(strict=True)


@pytest.fixture
def served(world: World) -> Iterator[tuple[World, EntraServer]]:
    """A world on a real socket."""
    with world.entra.serve() as server:
        world.base = server.url
        yield world, server


@pytest.fixture
def served_now(make_world: Callable[..., World]) -> Iterator[tuple[World, EntraServer]]:
    """A world on a real socket at the real time, which is the only one that Microsoft's clients know."""
    world = make_world(clock=time.time)
    with world.entra.serve() as server:
        world.base = server.url
        yield world, server
