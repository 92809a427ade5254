"""A refresh in the background that hangs for ever must not take those along who need a token later."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from azure_certvar_credential import CallbackSigner, CertVarCredential, ClientCertificate
from azure_certvar_credential._sync import single_flight
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential
from azure_certvar_credential.testing import EntraEmulator, Fault
from tests.credential.world import STORAGE, Clock, Driver, World

LIFE = 3599


class _HangsOnce:
    """A signer's function that hangs in one call, until it is let go."""

    def __init__(self, certificate: ClientCertificate) -> None:
        self._sign = certificate.signer.sign
        self.hangs = False
        self.reached = threading.Event()
        self.let_go = threading.Event()

    def __call__(self, message: bytes, algorithm: str) -> bytes:
        if self.hangs:
            self.hangs = False
            self.reached.set()
            self.let_go.wait(30)
        return self._sign(message, algorithm)


async def _hanging(world: World, **options: Any) -> tuple[Any, _HangsOnce, str]:
    """Return a credential whose refresh hangs and whose token has expired meanwhile."""
    sign = _HangsOnce(world.certificate)
    driver = world.driver(
        ClientCertificate(world.certificate.leaf, CallbackSigner(world.certificate.leaf, sign)), **options
    )
    first = await driver.get_token(STORAGE)
    sign.hangs = True
    world.clock.advance(LIFE - 200)
    assert await driver.get_token(STORAGE) is first
    await asyncio.to_thread(sign.reached.wait, 20)
    world.clock.advance(400)
    return driver, sign, first.token


async def test_a_caller_without_a_token_takes_over_at_the_refreshs_deadline(world: World) -> None:
    driver, sign, first = await _hanging(world, timeout=1.0)

    tokens = await asyncio.wait_for(
        asyncio.gather(*(driver.get_token(STORAGE, timeout=20) for _ in range(10))), timeout=10
    )

    assert len({token.token for token in tokens}) == 1
    assert tokens[0].token != first
    assert world.requests == 2
    # What hung comes back, with a token that was asked for earlier: the newer one stays.
    sign.let_go.set()
    await driver.settle()
    assert await driver.get_token(STORAGE) is tokens[0]


def test_an_interrupt_while_a_refresh_is_started_leaves_the_way_free(
    certificate: ClientCertificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal's handler may raise between any two instructions, as that of Celery's time limit does."""
    clock = Clock()
    entra = EntraEmulator(clock=clock)
    application = entra.add_application(certificate)
    credential = CertVarCredential(
        application.tenant_id, application.client_id, certificate, transport=entra.transport(), _clock=clock
    )
    first = credential.get_token(STORAGE)
    clock.advance(LIFE - 200)

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(single_flight, "in_background", interrupted)
        with pytest.raises(KeyboardInterrupt):
            credential.get_token(STORAGE)

    clock.advance(400)
    answer: list[str] = []
    caller = threading.Thread(target=lambda: answer.append(credential.get_token(STORAGE).token), daemon=True)
    caller.start()
    caller.join(20)
    assert answer
    assert answer[0] != first.token


def test_an_exit_during_a_refresh_leaves_it_to_the_next_caller(certificate: ClientCertificate) -> None:
    clock = Clock()
    entra = EntraEmulator(clock=clock)
    application = entra.add_application(certificate)
    exits: list[int] = []

    def sign(message: bytes, algorithm: str) -> bytes:
        if exits:
            raise SystemExit(exits.pop())
        return certificate.signer.sign(message, algorithm)

    credential = AsyncCertVarCredential(
        application.tenant_id,
        application.client_id,
        ClientCertificate(certificate.leaf, CallbackSigner(certificate.leaf, sign)),
        transport=entra.async_transport(),
        _clock=clock,
    )

    async def refreshed() -> None:
        await credential.get_token(STORAGE)
        await asyncio.gather(*(call.task for call in credential._single_flight._calls.values()))

    asyncio.run(refreshed())
    clock.advance(LIFE - 400)
    exits.append(3)
    with pytest.raises(SystemExit):
        asyncio.run(refreshed())
    asyncio.run(refreshed())

    assert len(entra.requests) == 2


async def test_a_caller_who_gives_up_does_not_end_it_for_one_who_hurries(certificate: ClientCertificate) -> None:
    """One has a token for some seconds more, the other none any more; the acquisition is the same."""
    clock = Clock()
    entra = EntraEmulator(clock=clock)
    application = entra.add_application(certificate)
    credential = AsyncCertVarCredential(
        application.tenant_id, application.client_id, certificate, transport=entra.async_transport(), _clock=clock
    )
    first = await credential.get_token(STORAGE)
    clock.advance(LIFE - 10)
    entra.inject(Fault.hang(20))
    hurried = asyncio.create_task(credential.get_token(STORAGE))
    await asyncio.to_thread(entra.wait_for_hanging)
    clock.advance(20)
    joined = asyncio.create_task(credential.get_token(STORAGE))
    await Driver(credential).joined(2)
    joined.cancel()
    await asyncio.wait([joined])
    entra.release()

    assert (await hurried).token != first.token
    await credential.close()
