"""A vault that hangs in a token's last five minutes holds a caller up for one second, and only the first callers."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Iterator
from typing import Any

import pytest

from azure_certvar_credential import CertVarCredential, aio, keyvault, msal
from azure_certvar_credential._runtime.cached_tokens import PATIENCE
from azure_certvar_credential.keyvault import aio as keyvault_aio
from azure_certvar_credential.testing import EntraEmulator, Fault, KeyVaultEmulator
from tests.credential.world import Clock
from tests.keyvault.conftest import GRAPH
from tests.msal.world import use_clock
from tests.testing.key_vault.kit import pair

LAST_MINUTES = 3599 - 300
CREDENTIALS: dict[str, Any] = {
    "sync": CertVarCredential,
    "aio": aio.CertVarCredential,
    "msal": msal.MsalCertVarCredential,
    "msal-aio": aio.MsalCertVarCredential,
}


class Place:
    """A vault, and a credential whose certificate or key is in it.

    :param kind: which credential.
    """

    def __init__(self, kind: str, clock: Clock) -> None:
        self.kind, self.clock = kind, clock
        self.entra = EntraEmulator(clock=clock)
        self.vault = KeyVaultEmulator(self.entra)
        self.hangs = False
        self.vault.inject(Fault.hang(20), times=None, when=lambda _: self.hangs)
        self.reader, self.application = (
            self.entra.add_application(pair("bootstrap")),
            self.entra.add_application(pair()),
        )

    def credential(self, **options: Any) -> Any:
        # MSAL is synchronous: its asynchronous credential calls it, and the source, in threads.
        asynchronous = self.kind == "aio"
        kind = aio.CertVarCredential if asynchronous else CertVarCredential
        transport = self.entra.async_transport() if asynchronous else self.entra.transport()
        reader = kind(self.reader.tenant_id, self.reader.client_id, pair("bootstrap"), transport=transport)
        vault = self.vault.async_transport() if asynchronous else self.vault.transport()
        room: Any = keyvault_aio if asynchronous else keyvault
        source = room.KeyVaultCertificate(self.vault.vault_url, "app", reader, transport=vault, **options)
        return CREDENTIALS[self.kind](
            self.application.tenant_id,
            self.application.client_id,
            source,
            transport=self.entra.async_transport() if asynchronous else self.entra.transport(),
            _clock=self.clock,
        )


@pytest.fixture(params=CREDENTIALS)
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    clock = Clock()
    use_clock(monkeypatch, clock)
    place = Place(request.param, clock)
    yield place
    place.vault.release()
    place.entra.release()


async def token(credential: Any) -> str:
    method = credential.get_token
    got = method(GRAPH) if inspect.iscoroutinefunction(method) else asyncio.to_thread(method, GRAPH)
    return str((await got).token)


async def closed(credential: Any) -> None:
    closing = credential.close()
    if inspect.isawaitable(closing):
        await closing


@pytest.mark.parametrize("part", ["key", "certificate"])
async def test_a_vault_that_hangs_is_waited_for_a_second(place: Place, part: str) -> None:
    place.vault.add_certificate("app", pair(), exportable=part == "certificate")
    credential = place.credential()
    first = await token(credential)
    place.clock.advance(LAST_MINUTES)
    place.hangs = True
    if part == "certificate":
        place.entra.inject(Fault.unknown_certificate())  # then the source is read at once

    start = time.perf_counter()
    tokens = await asyncio.gather(*(token(credential) for _ in range(5)))
    waited = time.perf_counter() - start
    later = await token(credential)

    assert {*tokens, later} == {first}
    assert PATIENCE / 2 < waited < 3 * PATIENCE
    assert time.perf_counter() - start - waited < PATIENCE / 2, "the next caller waited as well"
    place.hangs = False
    place.vault.release()
    for _ in range(100):
        place.clock.advance(1)
        if await token(credential) != first:
            break
        await asyncio.sleep(0.02)
    assert await token(credential) != first
    await closed(credential)


async def test_a_certificate_that_is_read_again_holds_up_nobody(place: Place) -> None:
    place.vault.add_certificate("app", pair())
    credential = place.credential(max_age=60)
    first = await token(credential)
    place.clock.advance(LAST_MINUTES)
    place.hangs = True

    start = time.perf_counter()

    assert await token(credential) != first
    assert time.perf_counter() - start < PATIENCE / 2
    place.vault.release()
    await closed(credential)
