"""However many callers want a token, one request is made, and all share its outcome."""

from __future__ import annotations

import asyncio
import gc
import threading

import pytest

from azure_certvar_credential import CertVarCredential, ClientCertificate
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential
from azure_certvar_credential.testing import EntraEmulator, Fault
from tests.credential.world import GRAPH, STORAGE, World


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


async def test_a_hanging_flight_does_not_hold_up_other_keys(world: World) -> None:
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

    async def test_closing_tells_whoever_waits(self, entra: EntraEmulator, credential: AsyncCertVarCredential) -> None:
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

    def test_an_interrupted_leader_frees_the_others(self, certificate: ClientCertificate) -> None:
        """A KeyboardInterrupt reaches one thread only: the others must not wait for it for ever."""
        entra = EntraEmulator()
        application = entra.add_application(certificate)
        credential = CertVarCredential(
            application.tenant_id, application.client_id, certificate, transport=entra.transport()
        )
        entered, interrupt = threading.Event(), threading.Event()
        sign = certificate.signer.sign
        outcomes: list[object] = []

        class Interrupted:
            """Signs; the first time, the user presses Ctrl-C meanwhile."""

            public_key = certificate.signer.public_key

            def sign(self, message: bytes, algorithm: str) -> bytes:
                if entered.is_set():
                    return sign(message, algorithm)
                entered.set()
                assert interrupt.wait(20)
                raise KeyboardInterrupt

        # Possession was proven with the real signer; this one only misbehaves when an assertion is signed.
        interrupted = ClientCertificate(certificate.leaf, certificate.signer)
        object.__setattr__(interrupted, "_signer", Interrupted())
        credential = CertVarCredential(
            application.tenant_id, application.client_id, interrupted, transport=entra.transport()
        )

        def call() -> None:
            try:
                outcomes.append(credential.get_token(STORAGE).token)
            except KeyboardInterrupt:
                outcomes.append(KeyboardInterrupt)

        leader = threading.Thread(target=call)
        leader.start()
        assert entered.wait(20)
        others = [threading.Thread(target=call) for _ in range(5)]
        for other in others:
            other.start()
        interrupt.set()
        for thread in [leader, *others]:
            thread.join(20)

        assert not any(thread.is_alive() for thread in [leader, *others])
        assert outcomes.count(KeyboardInterrupt) == 1
        assert len({outcome for outcome in outcomes if outcome is not KeyboardInterrupt}) == 1
        assert len(entra.requests) == 1


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
