"""What goes wrong only in event loops, when two things happen at once."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any

import pytest

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential
from azure_certvar_credential.testing import EntraEmulator
from tests.credential.world import GRAPH, STORAGE


class TestAsyncio:
    """Event loops only."""

    @pytest.fixture
    def entra(self) -> EntraEmulator:
        return EntraEmulator()

    def credential(self, entra: EntraEmulator, certificate: Any) -> AsyncCertVarCredential:
        leaf = ClientCertificate.self_signed("asyncio")
        application = entra.add_application(leaf)
        given = leaf if certificate is None else certificate
        return AsyncCertVarCredential(
            application.tenant_id, application.client_id, given, transport=entra.async_transport()
        )

    async def test_a_source_that_raises_stop_iteration_is_an_error_and_no_hang(self, entra: EntraEmulator) -> None:
        nothing: list[str] = []
        credential = self.credential(entra, lambda: next(iter(nothing)))

        with pytest.raises(ValueError, match="StopIteration"):
            await asyncio.wait_for(credential.get_token(STORAGE), 20)

    async def test_a_source_that_raises_a_cancellation_is_an_error(self, entra: EntraEmulator) -> None:
        async def source() -> str:
            raise asyncio.CancelledError

        credential = self.credential(entra, source)
        if not hasattr(asyncio.Task, "cancelling"):
            pytest.skip("Python 3.10 does not tell who cancelled")

        with pytest.raises(RuntimeError, match="was cancelled"):
            await asyncio.wait_for(credential.get_token(STORAGE), 20)

    async def test_a_full_default_executor_does_not_hold_up_the_signature(self, entra: EntraEmulator) -> None:
        loop, credential = asyncio.get_running_loop(), self.credential(entra, None)
        loop.set_default_executor(ThreadPoolExecutor(2))

        def work() -> str:
            return asyncio.run_coroutine_threadsafe(credential.get_token(STORAGE), loop).result(20).token

        tokens = await asyncio.gather(*(asyncio.to_thread(work) for _ in range(4)))

        assert len(set(tokens)) == 1

    def test_a_signer_that_hangs_does_not_hold_up_the_end_of_the_loop(self, entra: EntraEmulator) -> None:
        certificate, release = ClientCertificate.self_signed("hanging"), threading.Event()

        class Signer:
            public_key = certificate.signer.public_key
            hangs = False

            def sign(self, message: bytes, algorithm: str) -> bytes:
                if self.hangs:
                    release.wait(20)
                return certificate.signer.sign(message, algorithm)

        signer = Signer()
        credential = self.credential(entra, ClientCertificate(certificate.leaf, signer))
        signer.hangs = True

        async def work() -> None:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(credential.get_token(STORAGE), 0.05)

        start = perf_counter()
        asyncio.run(work())
        took = perf_counter() - start
        release.set()
        assert took < 10

    async def test_a_source_that_uses_the_credential_is_told_so(self, entra: EntraEmulator) -> None:
        async def source() -> object:
            return await credential.get_token(STORAGE)

        credential = self.credential(entra, source)

        with pytest.raises(ValueError, match="must not use the credential that calls it"):
            await asyncio.wait_for(credential.get_token(STORAGE), 20)

    def test_loops_that_were_closed_without_a_word_are_let_go(self, entra: EntraEmulator) -> None:
        credential = self.credential(entra, None)
        for n in range(5):
            loop = asyncio.new_event_loop()
            loop.run_until_complete(credential.get_token(f"api://{n}/.default"))
            loop.close()

        asyncio.run(credential.get_token(GRAPH))

        assert len(credential._effects._sender._opened) <= 1
