"""Credentials that get their tokens with each other: an error at once, where waiting would never end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from azure_certvar_credential import CertVarCredential, ClientCertificate
from azure_certvar_credential.testing import EntraEmulator, Fault
from tests.credential.world import GRAPH, STORAGE, Driver, World

EXCHANGE = "api://AzureADTokenExchange/.default"


def circle(world: World, length: int) -> list[Driver]:
    """Return credentials of which each takes the next one's token as its assertion, and the last the first one's."""
    drivers: list[Driver] = []

    def source(number: int) -> Callable[[], Any]:
        def sync() -> str:
            return str(drivers[(number + 1) % length].credential.get_token(EXCHANGE).token)

        async def asynchronous() -> str:
            return str((await drivers[(number + 1) % length].credential.get_token(EXCHANGE)).token)

        return sync if world.kind == "sync" else asynchronous

    for number in range(length):
        application = world.entra.add_application()
        drivers.append(world.driver(source(number), federated=True, client_id=application.client_id))
    return drivers


@pytest.mark.parametrize("length", [1, 2, 3])
async def test_a_circle_of_federated_credentials_is_told_so(world: World, length: int) -> None:
    drivers = circle(world, length)

    with pytest.raises(RuntimeError, match="by the very code"):
        await asyncio.wait_for(drivers[0].get_token(EXCHANGE), 20)

    assert world.requests == 0
    # Nothing is left over: the next call finds the same, and does not wait for the one before.
    with pytest.raises(RuntimeError, match="by the very code"):
        await asyncio.wait_for(drivers[-1].get_token(EXCHANGE), 20)


async def test_two_callers_who_close_a_circle_between_them_are_told_so(world: World) -> None:
    """Neither asks its own credential twice; each waits for the acquisition that the other leads."""
    met = threading.Barrier(2, timeout=20)
    drivers: list[Driver] = []

    def source(other: int) -> Callable[[], Any]:
        def sync() -> str:
            met.wait()
            return str(drivers[other].credential.get_token(EXCHANGE).token)

        async def asynchronous() -> str:
            await asyncio.to_thread(met.wait)
            return str((await drivers[other].credential.get_token(EXCHANGE)).token)

        return sync if world.kind == "sync" else asynchronous

    drivers += [world.driver(source(1), federated=True), world.driver(source(0), federated=True)]

    callers = [asyncio.create_task(driver.get_token(EXCHANGE)) for driver in drivers]
    outcomes = await asyncio.wait_for(asyncio.gather(*callers, return_exceptions=True), 20)

    assert all(isinstance(outcome, RuntimeError) for outcome in outcomes), outcomes
    assert any("not even through another credential" in str(outcome) for outcome in outcomes)
    assert world.requests == 0


async def test_a_chain_whose_links_share_their_first_is_no_circle(world: World) -> None:
    """Two credentials wait for the same acquisition of a third, which waits for nobody."""
    first = world.driver()
    application = world.entra.add_application()
    application.trust_federated(
        issuer=f"https://login.microsoftonline.com/{world.application.tenant_id}/v2.0",
        subject=world.application.object_ids[world.application.tenant_id],
        audience="api://AzureADTokenExchange",
    )
    source = first.credential.as_assertion_source(EXCHANGE)
    links = [world.driver(source, federated=True, client_id=application.client_id) for _ in range(2)]

    tokens = await asyncio.gather(*(link.get_token(scope) for link in links for scope in (STORAGE, GRAPH)))

    assert len({token.token for token in tokens}) == 4
    assert world.requests == 5


def test_a_caller_whose_call_has_just_finished_is_not_taken_for_its_leader(certificate: ClientCertificate) -> None:
    """A thread gets a token that another waits for inside a source, and then asks for what the other is getting."""
    entra = EntraEmulator()
    application = entra.add_application(certificate)

    def credential(given: Any) -> CertVarCredential:
        return CertVarCredential(application.tenant_id, application.client_id, given, transport=entra.transport())

    bootstrap, entered = credential(certificate), threading.Event()

    def source() -> ClientCertificate:
        entered.set()
        bootstrap.get_token(EXCHANGE)
        return certificate

    outer = credential(source)
    outcomes: list[object] = []

    def call(*credentials: CertVarCredential) -> None:
        try:
            for one, scope in zip(credentials, (EXCHANGE, STORAGE), strict=False):
                outcomes.append(one.get_token(scope if one is bootstrap else STORAGE).expires_on)
        except RuntimeError as error:
            outcomes.append(error)

    entra.inject(Fault.hang(20))
    first = threading.Thread(target=call, args=(bootstrap, outer))
    first.start()
    entra.wait_for_hanging()
    second = threading.Thread(target=call, args=(outer,))
    second.start()
    assert entered.wait(20)
    entra.release()
    for thread in (first, second):
        thread.join(20)

    assert [type(outcome) for outcome in outcomes] == [int, int, int]
