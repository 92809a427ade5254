"""One reading or signature has one deadline, over its calls, their retries and the waits that the vault demands."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import pytest

from azure_certvar_credential.exceptions import ConfigurationError, KeyVaultUnavailableError
from azure_certvar_credential.keyvault import clients, retries
from azure_certvar_credential.testing import Fault
from azure_certvar_credential.testing.transport import AsyncEmulatorTransport, EmulatorTransport
from tests.keyvault.conftest import Scene
from tests.testing.key_vault.kit import pair
from tests.transport.raw_server import TRUSTED, dripping, raw_server


@dataclass
class Clock:
    """Stands for the time module of the modules that watch the deadline."""

    now: float = 1000.0

    def monotonic(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(clients, "time", made)
    monkeypatch.setattr(retries, "time", made)
    return made


def transport_of(scene: Scene, clock: Clock) -> Any:
    cls = EmulatorTransport if scene.kind == "sync" else AsyncEmulatorTransport
    return cls(scene.vault, advance=clock.advance)


async def test_a_wait_that_ends_after_the_deadline_is_not_begun(scene: Scene, clock: Clock) -> None:
    scene.vault.add_certificate("app", pair())
    scene.vault.throttle(300, times=None)
    transport = transport_of(scene, clock)

    with pytest.raises(KeyVaultUnavailableError, match="throttles requests for 300 s") as caught:
        await scene.read(transport=transport)

    assert caught.value.status_code == 429
    assert transport.sleeps == ()


async def test_waits_add_up_to_the_deadline(scene: Scene, clock: Clock) -> None:
    scene.vault.add_certificate("app", pair())
    scene.vault.throttle(12, times=None)
    transport = transport_of(scene, clock)

    with pytest.raises(KeyVaultUnavailableError, match="throttles requests for 12 s"):
        await scene.read(transport=transport, retry_total=100, retry_status=100)

    assert transport.sleeps == (12, 12)


async def test_back_off_ends_at_the_deadline(scene: Scene, clock: Clock) -> None:
    scene.vault.add_certificate("app", pair())
    scene.vault.inject(Fault.server_error(), times=None)
    transport = transport_of(scene, clock)

    with pytest.raises(KeyVaultUnavailableError, match="503"):
        await scene.read(
            transport=transport,
            timeout=7,
            retry_total=100,
            retry_status=100,
            retry_backoff_factor=1,
            retry_mode="fixed",
        )

    assert sum(transport.sleeps) == 6


async def test_the_calls_of_one_reading_share_the_deadline(scene: Scene, clock: Clock) -> None:
    scene.vault.add_certificate("app", pair())
    scene.vault.inject(Fault.latency(20), times=None)
    transport = transport_of(scene, clock)
    begun = clock.now

    with pytest.raises(KeyVaultUnavailableError, match="could not read the private key out of the secret"):
        await scene.read(transport=transport)

    assert clock.now - begun == 30


@dataclass
class Slow:
    """A credential that takes its time."""

    inner: Any
    clock: Clock

    def get_token(self, *scopes: str, **options: Any) -> Any:
        self.clock.advance(60)
        return self.inner.get_token(*scopes, **options)

    async def __aexit__(self, *_: object) -> None: ...

    def __exit__(self, *_: object) -> None: ...


async def test_no_call_begins_after_the_deadline(scene: Scene, clock: Clock) -> None:
    scene.vault.add_certificate("app", pair())

    with pytest.raises(KeyVaultUnavailableError, match=r"read the private key .* within timeout=30 s"):
        await scene.read(credential=Slow(scene.bootstrap(), clock))

    assert scene.used == ["certificates/get"]


async def test_a_vault_that_is_silent_holds_nobody_up(scene: Scene) -> None:
    scene.vault.add_certificate("app", pair())
    scene.vault.inject(Fault.hang(), times=None)
    begun = time.monotonic()

    with pytest.raises(KeyVaultUnavailableError):
        await scene.read(timeout=0.2)

    assert time.monotonic() - begun < 5


# Never done, and never silent for as long as a read timeout.
DRIPPING = {
    "a header field without end": dripping(b"HTTP/1.1 200 OK\r\nX: ", b"a"),
    "a body, an octet at a time": dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n", b" "),
    "a redirect without end": dripping(b"HTTP/1.1 302 Found\r\nLocation: ", b"a"),
}


@pytest.mark.parametrize("response", DRIPPING)
async def test_a_response_in_small_pieces_ends_at_the_deadline(scene: Scene, response: str) -> None:
    begun = time.monotonic()

    with raw_server(DRIPPING[response]) as server, pytest.raises(KeyVaultUnavailableError) as caught:
        await scene.read(vault_url=server.authority, transport=None, connection_verify=str(TRUSTED), timeout=0.3)

    assert time.monotonic() - begun < 5
    assert "did not answer within timeout=0.3 s" in str(caught.value)


@pytest.mark.parametrize("timeout", [0, -1, "30", True, float("nan"), float("inf")])
async def test_what_is_no_time_is_named(scene: Scene, timeout: object) -> None:
    with pytest.raises(ConfigurationError, match="timeout must be a number of seconds"):
        scene.source(timeout=timeout)


async def test_none_stands_for_the_default(scene: Scene) -> None:
    scene.vault.add_certificate("app", pair())

    assert await scene.read(timeout=None, read_timeout=None, connection_timeout=None, retry_total=None) == pair()
