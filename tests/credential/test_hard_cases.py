"""What goes wrong only when two things happen at once."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import re
import threading
import traceback
import weakref
from time import perf_counter
from typing import Any

import pytest

from azure_certvar_credential import CertVarCredential, ClientCertificate
from azure_certvar_credential.exceptions import ResponseFormatError, TemporarilyUnavailableError
from azure_certvar_credential.testing import EntraEmulator, Fault
from azure_certvar_credential.testing.faults import Serve
from azure_certvar_credential.testing.http import Conditions, Response
from tests.credential.world import STORAGE, World

CHALLENGE = json.dumps({"access_token": {"nbf": {"essential": True, "value": "1"}}})
LIFE = 3599


async def test_a_refresh_that_began_before_a_challenge_does_not_replace_the_answer_to_it(world: World) -> None:
    driver = world.driver()
    await driver.get_token(STORAGE)
    world.clock.advance(LIFE - 200)
    world.entra.inject(Fault.hang(20))
    await driver.get_token(STORAGE)
    await world.hanging()

    challenged = await driver.get_token(STORAGE, claims=CHALLENGE)
    world.entra.release()
    await driver.settle()

    assert world.requests == 3
    assert await driver.get_token(STORAGE) is challenged


async def test_a_token_that_ends_while_the_computer_sleeps_is_asked_for_once_more(world: World) -> None:
    def answer_after_a_night(serve: Serve, conditions: Conditions) -> Response:
        response = serve(conditions)
        world.clock.advance(8 * 3600)
        return response

    world.entra.inject(Fault("sleep", answer_after_a_night))
    token = await world.driver().get_token(STORAGE)
    assert token.expires_on > world.clock.now
    assert world.requests == 2

    world.entra.inject(Fault("sleep", answer_after_a_night), times=2)
    token = await world.driver().get_token(STORAGE)
    assert token.expires_on < world.clock.now, "what the server calls good has an end that this clock may not know"
    assert world.requests == 4


@pytest.mark.parametrize("left", [300, 20])
async def test_in_the_last_five_minutes_a_hanging_server_is_waited_for_a_moment_only(world: World, left: int) -> None:
    driver = world.driver()
    first = await driver.get_token(STORAGE)
    world.clock.advance(LIFE - left)
    world.entra.inject(Fault.hang(20))

    start = perf_counter()
    assert await driver.get_token(STORAGE) is first
    assert 0.5 < perf_counter() - start < 5, "the caller did not wait a moment, or waited for the server"
    start = perf_counter()
    assert await driver.get_token(STORAGE) is first
    assert perf_counter() - start < 0.5, "the second caller waited as well"

    world.entra.release()
    await driver.settle()
    assert await driver.get_token(STORAGE) is not first
    assert world.requests == 2, "who left did not let the refresh go on"


async def test_a_pause_that_the_server_asks_for_outlasts_the_token(world: World) -> None:
    driver = world.driver()
    await driver.get_token(STORAGE)
    world.clock.advance(LIFE - 60)
    world.entra.inject(Fault.throttled(retry_after=3600))
    await driver.get_token(STORAGE)
    await driver.settle()
    world.clock.advance(61)

    with pytest.raises(TemporarilyUnavailableError) as caught:
        await driver.get_token(STORAGE)

    assert caught.value.retry_after == 3539
    assert world.requests == 2


async def test_a_pause_that_is_remembered_keeps_no_callers_variables_alive(world: World) -> None:
    class Large:
        pass

    def ask() -> None:
        outcome: Any = credential.get_token(STORAGE)
        if world.kind == "aio":
            asyncio.run(outcome)

    def call() -> None:
        large = Large()
        left.append(weakref.ref(large))
        with pytest.raises(TemporarilyUnavailableError):
            ask()

    world.entra.inject(Fault.throttled(retry_after=60))
    credential = world.driver().credential
    left: list[weakref.ref[Large]] = []
    # A thread of its own, for one of a pool keeps its last exception for a while.
    thread = threading.Thread(target=call)
    thread.start()
    await asyncio.to_thread(thread.join, 20)
    gc.collect()

    assert left[0]() is None


async def test_an_error_of_somebody_elses_class_keeps_its_text(world: World) -> None:
    class GatewayError(OSError):
        def __init__(self, *args: object, request: object = None) -> None:
            super().__init__(*args)
            self.request = request

    class Signer:
        public_key = world.certificate.signer.public_key
        broken = False

        def sign(self, message: bytes, algorithm: str) -> bytes:
            if self.broken:
                raise GatewayError("HSM gateway unreachable")
            return world.certificate.signer.sign(message, algorithm)

    signer = Signer()
    driver = world.driver(ClientCertificate(world.certificate.leaf, signer))
    signer.broken = True

    with pytest.raises(GatewayError, match="HSM gateway unreachable"):
        await driver.get_token(STORAGE)


async def test_expired_tokens_leave(world: World) -> None:
    driver = world.driver()
    for n in range(60):
        await driver.get_token(f"api://{n}/.default")
    world.clock.advance(LIFE + 1)
    for n in range(60, 130):
        await driver.get_token(f"api://{n}/.default")

    assert len(driver.credential._cached_tokens.store._entries) <= 2 * 70


async def test_no_traceback_shows_a_token_among_its_variables(world: World) -> None:
    world.entra.inject(Fault.token_type("DPoP"))

    with pytest.raises(ResponseFormatError) as caught:
        await world.driver().get_token(STORAGE)

    text = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "access_token': 'eyJ" not in text
    assert "client_assertion': 'eyJ" not in text


async def test_an_error_of_a_hook_passes_with_no_assertion_among_its_variables(world: World) -> None:
    def hook(_request: Any) -> None:
        raise LookupError("the hook objects")

    with pytest.raises(LookupError, match="the hook objects") as caught:
        await world.driver(raw_request_hook=hook).get_token(STORAGE)

    text = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert re.search(r"\beyJ", text) is None  # not the name PrivateKeyJwt


async def test_closing_during_a_request_leaves_nothing_behind(world: World) -> None:
    world.entra.inject(Fault.hang(20))
    driver = world.driver()
    caller = asyncio.create_task(driver.get_token(STORAGE))
    await world.hanging()

    await driver.close()
    world.entra.release()
    await asyncio.gather(caller, return_exceptions=True)

    assert driver.credential._cached_tokens.store._entries == {}


@pytest.mark.parametrize("world", ["sync"], indirect=True)
class TestThreads:
    """Threads only."""

    async def test_a_log_handler_that_uses_the_credential_is_told_so(self, world: World) -> None:
        credential = world.driver().credential
        failures: list[BaseException] = []

        class Exporter(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                try:
                    credential.get_token(STORAGE)
                except RuntimeError as error:
                    failures.append(error)

        logger, exporter = logging.getLogger("azure.core.pipeline.policies.http_logging_policy"), Exporter()
        logger.addHandler(exporter)
        before = logger.level
        logger.setLevel(logging.INFO)
        try:
            assert (await asyncio.wait_for(world.drivers[0].get_token(STORAGE), 20)).token
        finally:
            logger.removeHandler(exporter)
            logger.setLevel(before)

        assert failures
        assert "must not use the credential that calls it" in str(failures[0])


def test_a_copys_close_leaves_the_original_working(certificate: ClientCertificate) -> None:
    from copy import copy

    entra = EntraEmulator()
    application = entra.add_application(certificate)
    with entra.serve() as server:
        original = CertVarCredential(
            application.tenant_id,
            application.client_id,
            certificate,
            authority=server.authority,
            disable_instance_discovery=True,
            connection_verify=server.ca_file,
        )
        with copy(original) as other:
            assert other.get_token(STORAGE).token
        assert original.get_token(STORAGE).token
        original.close()
