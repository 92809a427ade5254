"""Code that hangs keeps its thread; callers that ask again and again leave a bounded number of them."""

from __future__ import annotations

import asyncio
import inspect
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from azure_certvar_credential import CallbackSigner, CertVarCredential, ClientCertificate
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential
from azure_certvar_credential.aio import MsalCertVarCredential as AsyncMsalCertVarCredential
from azure_certvar_credential.exceptions import AcquisitionTimeoutError
from azure_certvar_credential.msal import MsalCertVarCredential
from azure_certvar_credential.testing import EntraEmulator
from tests.credential.world import Clock
from tests.transport.raw_server import CERTIFICATE, CLIENT, TENANT

KINDS: dict[str, Any] = {
    "sync": CertVarCredential,
    "aio": AsyncCertVarCredential,
    "MSAL": MsalCertVarCredential,
    "aio MSAL": AsyncMsalCertVarCredential,
}
CALLS = 50
# Eight for each of: the credential's acquisitions, and what these start in turn.
MOST = 16


class Hanging:
    """A function that hangs on request, until the test is over.

    :ivar entered: how many threads are in it.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._let_go = threading.Event()
        self.hangs = True
        self.entered = 0

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        if self.hangs:
            self.entered += 1
            self._let_go.wait(30)
        return self._function(*arguments, **options)

    def let_go(self) -> None:
        """End every call, and let the next ones pass."""
        self.hangs = False
        self._let_go.set()


@contextmanager
def hanging(function: Callable[..., Any]) -> Iterator[Hanging]:
    made = Hanging(function)
    try:
        yield made
    finally:
        made.let_go()
        for thread in _threads():
            thread.join(20)


def _threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("certvar")]


async def _asked(credential: Any, method: str = "get_token", argument: str = "api://one/.default") -> Any:
    """Return what a method returns or raises, sync or async."""
    try:
        given = getattr(credential, method)(argument)
        return await given if inspect.isawaitable(given) else given
    except AcquisitionTimeoutError as error:
        return error


async def _fifty(credential: Any, method: str = "get_token") -> list[Any]:
    began = time.monotonic()
    outcomes = [await _asked(credential, method) for _ in range(CALLS)]
    assert all(isinstance(outcome, AcquisitionTimeoutError) for outcome in outcomes)
    # Those beyond the bound fail at once.
    assert time.monotonic() - began < 5
    return outcomes


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Which credential asks."""
    name: str = request.param
    return name


async def _closed(credential: Any) -> None:
    given = credential.close()
    if inspect.isawaitable(given):
        await given


async def test_a_source_that_hangs_keeps_few_threads_and_serves_again_when_it_comes_back(kind: str) -> None:
    entra = EntraEmulator()
    application = entra.add_application(CERTIFICATE)
    transport = entra.async_transport() if kind == "aio" else entra.transport()
    with hanging(lambda: CERTIFICATE) as source:
        credential = KINDS[kind](
            application.tenant_id, application.client_id, source, transport=transport, timeout=0.05
        )
        outcomes = await _fifty(credential)
        assert 1 <= source.entered <= MOST
        assert len(_threads()) <= MOST
        assert "as 8 threads still do, so that no other is started" in str(outcomes[-1])
        source.let_go()
        for thread in _threads():
            await asyncio.to_thread(thread.join, 20)
        credential = KINDS[kind](application.tenant_id, application.client_id, source, transport=transport)
        assert (await _asked(credential)).token
        await _closed(credential)


async def test_a_signer_that_hangs_keeps_few_threads(kind: str) -> None:
    with hanging(CERTIFICATE.signer.sign) as sign:
        sign.hangs = False
        certificate = ClientCertificate(CERTIFICATE.leaf, CallbackSigner(CERTIFICATE.leaf, sign))
        sign.hangs = True
        credential = KINDS[kind](TENANT, CLIENT, certificate, timeout=0.05)
        await _fifty(credential)
        assert 1 <= sign.entered <= MOST
        assert len(_threads()) <= MOST


@pytest.mark.parametrize("name", ["sync", "aio"])
async def test_assertions_for_others_keep_few_threads(name: str) -> None:
    with hanging(lambda: CERTIFICATE) as source:
        credential = KINDS[name](TENANT, CLIENT, source, timeout=0.05)
        await _fifty(credential, "client_assertion")
        assert 1 <= source.entered <= MOST
        assert len(_threads()) <= MOST


async def test_a_name_that_cannot_be_looked_up_keeps_few_threads(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with hanging(socket.getaddrinfo) as resolve:
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        credential = KINDS[kind](
            TENANT,
            CLIENT,
            CERTIFICATE,
            authority="https://login.example",
            disable_instance_discovery=True,
            use_env_settings=False,
            timeout=0.05,
        )
        await _fifty(credential)
        assert 1 <= resolve.entered <= MOST
        assert len(_threads()) <= MOST
        monkeypatch.undo()


async def test_callers_that_are_cancelled_leave_few_threads() -> None:
    """Their deadline is far: what counts is that nobody waits any more."""
    with hanging(lambda: CERTIFICATE) as source:
        credential = AsyncCertVarCredential(TENANT, CLIENT, source)
        outcomes = []
        for _ in range(CALLS):
            try:
                outcomes.append(await asyncio.wait_for(_asked(credential), 0.02))
            except asyncio.TimeoutError:
                outcomes.append(None)
        assert 1 <= source.entered <= MOST
        assert isinstance(outcomes[-1], AcquisitionTimeoutError)


def test_many_calls_at_once_that_do_not_hang_are_not_bounded() -> None:
    entra = EntraEmulator()
    application = entra.add_application(CERTIFICATE)
    gate = threading.Barrier(CALLS, timeout=20)

    class Signer:
        """Signs when all callers are here."""

        public_key = CERTIFICATE.signer.public_key
        together = False

        def sign(self, message: bytes, algorithm: str) -> bytes:
            if self.together:
                gate.wait()
            return CERTIFICATE.signer.sign(message, algorithm)

    signer = Signer()
    certificate = ClientCertificate(CERTIFICATE.leaf, signer)
    signer.together = True
    credential = CertVarCredential(
        application.tenant_id, application.client_id, certificate, transport=entra.transport()
    )
    scopes = [f"api://{number}/.default" for number in range(CALLS)]
    with ThreadPoolExecutor(CALLS) as pool:
        tokens = list(pool.map(credential.get_token, scopes))
    assert len({token.token for token in tokens}) == CALLS


@pytest.mark.parametrize("name", ["sync", "aio"])
async def test_a_reading_in_the_background_that_hangs_does_not_keep_the_next_from_its_turn(name: str) -> None:
    clock = Clock()
    entra = EntraEmulator(clock=clock)
    application = entra.add_application(CERTIFICATE)
    with hanging(lambda: CERTIFICATE) as source:
        source.hangs = False
        credential = KINDS[name](
            application.tenant_id,
            application.client_id,
            source,
            transport=entra.transport() if name == "sync" else entra.async_transport(),
            timeout=0.3,
            _clock=clock,
        )
        await _asked(credential, argument="api://one/.default")
        source.hangs = True
        clock.advance(7200)
        assert (await _asked(credential, argument="api://two/.default")).token
        await asyncio.sleep(0.5)
        source.hangs = False
        readings = credential._parts.certificates.readings
        clock.advance(7200)
        assert (await _asked(credential, argument="api://three/.default")).token
        for _ in range(200):
            if credential._parts.certificates.readings > readings:
                break
            await asyncio.sleep(0.01)
        assert credential._parts.certificates.readings > readings
        await _closed(credential)
