"""The certificate is replaced in the vault while many call without pause, and the app registration lags behind."""

from __future__ import annotations

import asyncio
import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from azure_certvar_credential import CertVarCredential
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential
from tests.credential.world import Clock
from tests.keyvault.conftest import Scene
from tests.testing.key_vault.kit import pair

pytestmark = pytest.mark.usefixtures("uncovered")

CALLERS = {"sync": 50, "aio": 200}
ACTS = 6
# How many calls each caller makes at least before the next thing happens to the certificate, so that no acquisition
# spans more than two acts; and the pause of a caller between two calls (s).
CALLS, REST = 2, 0.05


@dataclass
class Play:
    """Callers that never stop, and what happens to the certificate meanwhile."""

    scene: Scene
    clock: Clock = field(default_factory=Clock)
    numbers: Iterator[int] = field(default_factory=itertools.count)
    outcomes: list[object] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    over: bool = False

    def __post_init__(self) -> None:
        # One time for everybody, or every jump would look like a wrong clock.
        self.scene.entra._clock = self.scene.vault._clock = self.clock

    def happens(self, number: int) -> None:
        """Let a minute and a half pass, and the world move on."""
        self.clock.advance(90)
        if number == 1:
            self.scene.vault.rotate("app", pair("next"))
        elif number == 3:
            self.scene.application.register(pair("next"))
        elif number == 5:
            self.scene.application.unregister(pair().thumbprint)

    def is_over(self, number: int, before: list[int]) -> bool:
        """Whether every caller has called, and the new certificate was tried before it is registered."""
        called = all(now >= then + CALLS for now, then in zip(self.calls, before, strict=True))
        return called and (
            number != 2 or any(request.error_codes == (700027,) for request in self.scene.entra.requests)
        )

    def caller(self, credential: CertVarCredential, me: int) -> None:
        while not self.over:
            try:
                self.outcomes.append(credential.get_token(f"api://{next(self.numbers)}/.default").token)
            except Exception as error:  # noqa: BLE001 - counted, and none is expected
                self.outcomes.append(error)
            self.calls[me] += 1
            time.sleep(REST)

    async def async_caller(self, credential: AsyncCertVarCredential, me: int) -> None:
        while not self.over:
            try:
                self.outcomes.append((await credential.get_token(f"api://{next(self.numbers)}/.default")).token)
            except Exception as error:  # noqa: BLE001 - counted, and none is expected
                self.outcomes.append(error)
            self.calls[me] += 1
            await asyncio.sleep(REST)

    def arguments(self, transport: Callable[[], Any]) -> dict[str, Any]:
        return {
            "tenant_id": self.scene.application.tenant_id,
            "client_id": self.scene.application.client_id,
            "certificate": self.scene.source(max_age=60),
            "transport": transport(),
            "_clock": self.clock,
        }

    def run(self) -> None:
        with CertVarCredential(**self.arguments(self.scene.entra.transport)) as credential:
            self.calls = [0] * CALLERS["sync"]
            callers = [threading.Thread(target=self.caller, args=(credential, me)) for me in range(CALLERS["sync"])]
            for thread in callers:
                thread.start()
            for number in range(ACTS):
                self.happens(number)
                before = list(self.calls)
                while not self.is_over(number, before):
                    time.sleep(0.01)
            self.over = True
            for thread in callers:
                thread.join(60)

    async def arun(self) -> None:
        async with AsyncCertVarCredential(**self.arguments(self.scene.entra.async_transport)) as credential:
            self.calls = [0] * CALLERS["aio"]
            callers = [asyncio.create_task(self.async_caller(credential, me)) for me in range(CALLERS["aio"])]
            for number in range(ACTS):
                self.happens(number)
                before = list(self.calls)
                while not self.is_over(number, before):  # noqa: ASYNC110 - the callers must not stop for an event
                    await asyncio.sleep(0.01)
            self.over = True
            await asyncio.gather(*callers)


def test_nobody_fails_and_the_log_tells_the_story(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "azure_certvar_credential")
    scene.vault.add_certificate("app", pair())
    play = Play(scene)

    if scene.kind == "sync":
        play.run()
    else:
        asyncio.run(play.arun())

    assert [outcome for outcome in play.outcomes if isinstance(outcome, BaseException)] == []
    assert len(play.outcomes) >= ACTS * CALLS * CALLERS[scene.kind]
    assert "the certificate changed from" in caplog.text
    assert "may not be known yet" in caplog.text
    assert pair().thumbprint in caplog.text
    assert pair("next").thumbprint in caplog.text
