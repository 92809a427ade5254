"""The asynchronous credential with asyncio, uvloop and trio: each scenario is one text, which anyio runs with each."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from copy import copy

import anyio
import anyio.lowlevel
import pytest

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.aio import CertVarCredential
from azure_certvar_credential.exceptions import (
    AcquisitionTimeoutError,
    CertificateSourceError,
    ConfigurationError,
    CredentialClosedError,
)
from azure_certvar_credential.testing import Fault
from tests.credential.places import TRANSPORTS, Place, Source
from tests.credential.world import GRAPH, STORAGE

# The local Entra's tokens live 3599 s. From ten minutes before their end on they are refreshed, jitter included, and
# callers wait only in the last five.
REFRESH = 3599 - 330


@pytest.fixture(scope="module")
def certificate() -> ClientCertificate:
    return ClientCertificate.self_signed("trio", days=3650)


@pytest.fixture(params=TRANSPORTS)
def place(request: pytest.FixtureRequest, certificate: ClientCertificate) -> Iterator[Place]:
    place = Place(request.param, certificate)
    with place.server:
        yield place


def test_a_token_is_cached_and_signed_for_off_the_loop(place: Place) -> None:
    threads: list[threading.Thread] = []

    class Signer:
        public_key = place.certificate.signer.public_key

        def sign(self, message: bytes, algorithm: str) -> bytes:
            threads.append(threading.current_thread())
            return place.certificate.signer.sign(message, algorithm)

    async def scenario() -> None:
        async with place.credential(ClientCertificate(place.certificate.leaf, Signer())) as credential:
            threads.clear()  # of the proof at construction
            token = await credential.get_token(STORAGE)
            assert await credential.get_token(STORAGE) is token

    place.run(scenario)

    assert len(place.entra.requests) == 1
    assert threads
    assert threading.main_thread() not in threads


def test_a_server_error_is_repeated(place: Place) -> None:
    place.entra.inject(Fault.server_error(503))

    async def scenario() -> None:
        async with place.credential() as credential:
            assert (await credential.get_token(STORAGE)).token

    place.run(scenario)

    assert len(place.entra.requests) == 2


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_source_may_be_of_either_kind(place: Place, kind: str) -> None:
    threads: list[threading.Thread] = []

    def source() -> ClientCertificate:
        threads.append(threading.current_thread())
        return place.certificate

    async def asynchronous() -> ClientCertificate:
        await anyio.lowlevel.checkpoint()
        return source()

    async def scenario() -> None:
        async with place.credential(source if kind == "sync" else asynchronous) as credential:
            assert (await credential.get_token(STORAGE)).token

    place.run(scenario)

    assert [thread is threading.main_thread() for thread in threads] == [kind == "async"]


def test_callers_share_an_acquisition(place: Place) -> None:
    async def scenario() -> None:
        source, tokens = Source(place.certificate), []
        credential = place.credential(source)

        async def caller() -> None:
            tokens.append(await credential.get_token(STORAGE))

        async with credential:
            async with anyio.create_task_group() as group:
                for _ in range(10):
                    group.start_soon(caller)
                await source.called.wait()
                await anyio.wait_all_tasks_blocked()
                source.opened.set()
            assert len(tokens) == 10
            assert all(token is tokens[0] for token in tokens)
            assert source.calls == 1

    place.run(scenario)

    assert len(place.entra.requests) == 1


def test_a_caller_who_is_cancelled_leaves_it_to_the_others_and_the_last_one_ends_it(place: Place) -> None:
    async def scenario() -> None:
        source = Source(place.certificate)
        async with place.credential(source) as credential, anyio.create_task_group() as group:
            scopes = [anyio.CancelScope() for _ in range(3)]

            async def caller(scope: anyio.CancelScope) -> None:
                with scope:
                    await credential.get_token(STORAGE)

            for scope in scopes:
                group.start_soon(caller, scope)
            await source.called.wait()
            await anyio.wait_all_tasks_blocked()
            for scope in scopes[:2]:
                scope.cancel()
            await anyio.wait_all_tasks_blocked()
            assert not source.ended.is_set()
            scopes[2].cancel()
            await source.ended.wait()
            assert source.calls == 1

    place.run(scenario)

    assert not place.entra.requests


def test_the_deadline_ends_a_source_that_hangs(place: Place) -> None:
    async def scenario() -> None:
        source = Source(place.certificate)
        async with place.credential(source) as credential:
            with pytest.raises(AcquisitionTimeoutError):
                await credential.get_token(STORAGE, timeout=0.05)
            await source.ended.wait()
            source.opened.set()
            assert (await credential.get_token(STORAGE)).token

    place.run(scenario)


def test_a_token_is_refreshed_while_nobody_waits(place: Place) -> None:
    async def scenario() -> None:
        async with place.credential() as credential:
            first = await credential.get_token(STORAGE)
            place.clock.advance(REFRESH)
            assert await credential.get_token(STORAGE) is first
            while await credential.get_token(STORAGE) is first:  # noqa: ASYNC110 - nothing tells when it has come
                await anyio.sleep(0.005)

    place.run(scenario)

    assert len(place.entra.requests) == 2


def test_closing_ends_what_is_under_way(place: Place) -> None:
    async def scenario() -> None:
        source = Source(place.certificate)
        credential = place.credential(source)

        async def caller() -> None:
            with pytest.raises(CredentialClosedError):
                await credential.get_token(STORAGE)

        async with anyio.create_task_group() as group:
            group.start_soon(caller)
            await source.called.wait()
            await credential.close()
            assert source.ended.is_set()

    place.run(scenario)


def test_a_source_is_read_again_in_the_background_and_the_end_of_the_program_ends_that(place: Place) -> None:
    ended: list[anyio.Event] = []

    async def scenario() -> None:
        source = Source(place.certificate)
        source.opened.set()
        credential = place.credential(source)
        await credential.get_token(STORAGE)
        place.clock.advance(source.max_age)
        source.called, source.opened, source.ended = anyio.Event(), anyio.Event(), anyio.Event()
        await credential.get_token(GRAPH)
        await source.called.wait()
        assert not source.ended.is_set()
        ended.append(source.ended)

    place.run(scenario)

    assert ended[0].is_set()


def test_a_source_that_uses_its_own_credential_is_an_error(place: Place) -> None:
    async def scenario() -> None:
        credentials: list[CertVarCredential] = []

        async def source() -> ClientCertificate:
            await credentials[0].get_token(STORAGE)
            return place.certificate

        async with place.credential(source) as credential:
            credentials.append(credential)
            with pytest.raises(CertificateSourceError, match="by the very code"):
                await credential.get_token(STORAGE)

    place.run(scenario)


def test_a_client_assertion_is_bounded_too(place: Place) -> None:
    async def scenario() -> None:
        async with place.credential() as credential:
            assert (await credential.client_assertion()).count(".") == 2
        source = Source(place.certificate)
        async with place.credential(source, timeout=0.05) as credential:
            with pytest.raises(AcquisitionTimeoutError):
                await credential.client_assertion()
            await source.ended.wait()

    place.run(scenario)


def test_a_credential_serves_one_run_after_the_other(place: Place) -> None:
    credential = copy(place.credential())  # which leaves the transport open

    async def scenario() -> None:
        await credential.get_token(STORAGE)

    async def another() -> None:
        await credential.get_token(STORAGE)
        await credential.get_token(GRAPH)
        await credential.close()

    place.run(scenario)
    place.run(another)

    assert len(place.entra.requests) == 2


class TestTrio:
    """trio only."""

    @pytest.fixture
    def place(self, certificate: ClientCertificate) -> Iterator[Place]:
        place = Place("trio", certificate)
        with place.server:
            yield place

    def test_without_a_transport_the_error_names_the_one_to_pass(self, place: Place) -> None:
        async def scenario() -> None:
            async with place.credential(transport=None) as credential:
                with pytest.raises(ConfigurationError, match="TrioRequestsTransport"):
                    await credential.get_token(STORAGE)

        place.run(scenario)

    def test_a_source_that_exits_does_so_in_the_caller(self, place: Place) -> None:
        """In a system task, trio would call it an internal error."""

        async def source() -> ClientCertificate:
            raise SystemExit(7)

        async def scenario() -> None:
            async with place.credential(source) as credential:
                with pytest.raises(SystemExit):
                    await credential.get_token(STORAGE)

        place.run(scenario)
