"""However many callers want a token, one request is made, and all share its outcome."""

from __future__ import annotations

import asyncio
import gc
import signal
import threading

import pytest

from azure_certvar_credential import CertVarCredential, ClientCertificate
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential
from azure_certvar_credential.testing import EntraEmulator, Fault
from tests.credential.world import GRAPH, STORAGE, Clock, World

# Of a token of the local Entra, in seconds.
LIFE = 3599


def refused(_: threading.Thread) -> None:
    raise RuntimeError("can't create new thread at interpreter shutdown")


async def test_a_hundred_callers_on_a_cold_cache_cause_one_request(world: World) -> None:
    world.entra.inject(Fault.hang(20))
    driver = world.driver()

    callers = [asyncio.create_task(driver.get_token(STORAGE)) for _ in range(100)]
    await world.hanging()
    await driver.joined(100)
    world.entra.release()
    tokens = await asyncio.gather(*callers)

    assert len({token.token for token in tokens}) == 1
    assert world.requests == 1


async def test_a_hanging_acquisition_does_not_hold_up_other_keys(world: World) -> None:
    world.entra.inject(Fault.hang(20), when=lambda request: "storage" in request.body.decode())
    driver = world.driver()
    held = asyncio.create_task(driver.get_token(STORAGE))
    await world.hanging()

    assert (await driver.get_token(GRAPH)).token
    assert not held.done()

    world.entra.release()
    await held


async def test_a_flight_that_fails_leaves_nothing_behind(world: World) -> None:
    world.entra.inject(Fault.aadsts(700016))
    driver = world.driver()

    with pytest.raises(Exception, match="700016"):
        await driver.get_token(STORAGE)

    assert driver.credential._single_flight._calls == {}
    assert (await driver.get_token(STORAGE)).token


class TestAsync:
    """What only asyncio can do to a flight."""

    @pytest.fixture
    def entra(self) -> EntraEmulator:
        return EntraEmulator()

    @pytest.fixture
    def credential(self, entra: EntraEmulator, certificate: ClientCertificate) -> AsyncCertVarCredential:
        application = entra.add_application(certificate)
        return AsyncCertVarCredential(
            application.tenant_id, application.client_id, certificate, transport=entra.async_transport()
        )

    async def test_a_cancelled_caller_does_not_cancel_the_flight_of_the_others(
        self, entra: EntraEmulator, credential: AsyncCertVarCredential
    ) -> None:
        entra.inject(Fault.hang(20))
        callers = [asyncio.create_task(credential.get_token(STORAGE)) for _ in range(3)]
        await asyncio.to_thread(entra.wait_for_hanging)

        callers[0].cancel()
        await asyncio.wait(callers[:1])
        entra.release()
        first, second = await asyncio.gather(*callers[1:])

        assert callers[0].cancelled()
        assert first is second
        assert len(entra.requests) == 1

    async def test_the_last_cancelled_caller_cancels_the_flight(
        self, entra: EntraEmulator, credential: AsyncCertVarCredential
    ) -> None:
        entra.inject(Fault.hang(20))
        callers = [asyncio.create_task(credential.get_token(STORAGE)) for _ in range(3)]
        await asyncio.to_thread(entra.wait_for_hanging)
        (flight,) = credential._single_flight._calls.values()

        for caller in callers:
            caller.cancel()
        await asyncio.gather(*callers, return_exceptions=True)
        await asyncio.wait({flight.task}, timeout=10)

        assert flight.task.cancelled()
        assert (await credential.get_token(STORAGE)).token

    async def test_a_caller_that_comes_as_the_flight_is_cancelled_gets_a_flight_of_its_own(
        self, entra: EntraEmulator, credential: AsyncCertVarCredential
    ) -> None:
        entra.inject(Fault.hang(20))
        first = asyncio.create_task(credential.get_token(STORAGE))
        await asyncio.to_thread(entra.wait_for_hanging)

        first.cancel()
        late = asyncio.create_task(credential.get_token(STORAGE))

        assert (await late).token
        assert first.cancelled()

    async def test_closing_ends_the_wait_of_every_caller(
        self, entra: EntraEmulator, credential: AsyncCertVarCredential
    ) -> None:
        entra.inject(Fault.hang(20))
        caller = asyncio.create_task(credential.get_token(STORAGE))
        await asyncio.to_thread(entra.wait_for_hanging)

        await credential.close()

        with pytest.raises(RuntimeError, match="closed"):
            await caller

    def test_event_loops_one_after_another_share_the_token(
        self, entra: EntraEmulator, credential: AsyncCertVarCredential
    ) -> None:
        tokens = [asyncio.run(credential.get_token(STORAGE)) for _ in range(3)]

        assert tokens[0] is tokens[1] is tokens[2]
        assert len(entra.requests) == 1

    def test_event_loops_in_several_threads_work_at_once(
        self, entra: EntraEmulator, credential: AsyncCertVarCredential
    ) -> None:
        async def work() -> None:
            for n in range(20):
                assert (await credential.get_token(f"api://{n}/.default")).token

        threads = [threading.Thread(target=asyncio.run, args=(work(),)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

        assert not any(thread.is_alive() for thread in threads)
        assert 20 <= len(entra.requests) <= 80

    def test_a_loop_that_ends_during_a_refresh_leaves_the_token_to_the_next(
        self, entra: EntraEmulator, credential: AsyncCertVarCredential
    ) -> None:
        async def cancelled() -> None:
            caller = asyncio.create_task(credential.get_token(STORAGE))
            await asyncio.to_thread(entra.wait_for_hanging)
            assert not caller.done()

        entra.inject(Fault.hang(20))
        asyncio.run(cancelled())
        entra.release()

        assert asyncio.run(credential.get_token(STORAGE)).token


class TestThreads:
    """What only threads can do to a flight."""

    def test_ctrl_c_ends_the_wait_of_its_thread_only(self, certificate: ClientCertificate) -> None:
        entra = EntraEmulator()
        application = entra.add_application(certificate)
        credential = CertVarCredential(
            application.tenant_id, application.client_id, certificate, transport=entra.transport()
        )
        entra.inject(Fault.hang(20))
        outcomes: list[str] = []
        others = [
            threading.Thread(target=lambda: outcomes.append(credential.get_token(STORAGE).token)) for _ in range(5)
        ]
        for other in others:
            other.start()
        entra.wait_for_hanging()

        # A shell ignores SIGINT for what it runs in the background, and Python then installs no handler.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        alarm = threading.Timer(0.2, signal.pthread_kill, [threading.get_ident(), signal.SIGINT])
        alarm.start()
        try:
            with pytest.raises(KeyboardInterrupt):
                credential.get_token(STORAGE)
        finally:
            signal.signal(signal.SIGINT, before)

        entra.release()
        for other in others:
            other.join(20)
        assert len(outcomes) == 5
        assert len(set(outcomes)) == 1
        assert len(entra.requests) == 1

    def test_an_exit_that_a_source_asks_for_reaches_every_caller(self, certificate: ClientCertificate) -> None:
        entra = EntraEmulator()
        application = entra.add_application(certificate)
        exits = [True]

        def source() -> ClientCertificate:
            if exits:
                raise SystemExit(3)
            return certificate

        credential = CertVarCredential(
            application.tenant_id, application.client_id, source, transport=entra.transport()
        )
        with pytest.raises(SystemExit):
            credential.get_token(STORAGE)
        exits.clear()

        assert credential.get_token(STORAGE).token

    def test_a_crowd_starts_one_thread(self, certificate: ClientCertificate) -> None:
        entra = EntraEmulator()
        application = entra.add_application(certificate)
        credential = CertVarCredential(
            application.tenant_id, application.client_id, certificate, transport=entra.transport()
        )
        entra.inject(Fault.hang(20))
        callers = [threading.Thread(target=credential.get_token, args=(STORAGE,)) for _ in range(20)]
        for caller in callers:
            caller.start()
        entra.wait_for_hanging()

        assert [thread.name for thread in threading.enumerate()].count("certvar-background") == 1
        entra.release()
        for caller in callers:
            caller.join(20)

    def test_where_no_thread_can_be_started_the_caller_acquires_the_token_itself(
        self, certificate: ClientCertificate, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As from an atexit handler, since Python 3.12."""
        entra = EntraEmulator()
        application = entra.add_application(certificate)
        credential = CertVarCredential(
            application.tenant_id, application.client_id, certificate, transport=entra.transport()
        )

        monkeypatch.setattr(threading.Thread, "start", refused)

        assert credential.get_token(STORAGE).token

    def test_a_refresh_for_which_no_thread_can_be_started_is_postponed(
        self, certificate: ClientCertificate, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        clock = Clock()
        entra = EntraEmulator(clock=clock)
        application = entra.add_application(certificate)
        credential = CertVarCredential(
            application.tenant_id, application.client_id, certificate, transport=entra.transport(), _clock=clock
        )
        token = credential.get_token(STORAGE)
        clock.advance(LIFE - 400)
        monkeypatch.setattr(threading.Thread, "start", refused)

        assert [credential.get_token(STORAGE) for _ in range(3)] == [token] * 3
        assert caplog.text.count("next attempt in 30 s: RuntimeError: can't create new thread") == 1


def test_a_loop_that_ends_takes_its_connections_with_it(certificate: ClientCertificate) -> None:
    """Nobody closes the credential between the loops, and still no connection is left open."""
    entra = EntraEmulator()
    application = entra.add_application(certificate)
    with entra.serve() as server:
        credential = AsyncCertVarCredential(
            application.tenant_id,
            application.client_id,
            certificate,
            authority=server.authority,
            disable_instance_discovery=True,
            connection_verify=server.ca_file,
        )
        for n in range(3):
            assert asyncio.run(credential.get_token(f"api://{n}/.default")).token
        gc.collect()
        assert list(credential._effects._sender._opened.values()) == []

    assert len(entra.requests) == 3
