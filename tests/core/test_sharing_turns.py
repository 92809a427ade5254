"""What a member does while another one requests the token, and with what that one has stored."""

from __future__ import annotations

from itertools import accumulate

import pytest

from azure_certvar_credential._core.effects import Shared, Token
from azure_certvar_credential._core.sharing import FIRST_PAUSE, Lease, Store
from tests.core.script import NOW, WRITE, Driver, Step, World, drive_async, drive_sync, flow, now, read_cache, wait
from tests.core.test_sharing import Complete, stored

IN_THE_CACHE: Token = stored(NOW, 3600)


@pytest.fixture(params=[drive_sync, drive_async], ids=["sync", "aio"])
def drive(request: pytest.FixtureRequest) -> Driver:
    """Either shell's way of driving a flow."""
    driver: Driver = request.param
    return driver


def shared(answer: object = None) -> Step:
    return Step(Shared, answer)


def test_a_member_whose_turn_finds_a_token_lets_the_next_one_have_its_turn(drive: Driver) -> None:
    nothing, turn = shared(), [shared(Lease("mine", True)), shared(IN_THE_CACHE), now()]
    world = World(read_cache(), shared("sealer"), nothing, now(), turn, shared(), WRITE)

    assert drive(flow(token_cache=Complete(), encryption_key=bytes(32)), world.perform).value == IN_THE_CACHE.value

    world.done()
    let_go = world.all(Shared)[-1].question
    assert isinstance(let_go, Store)
    assert (let_go.holder, let_go.token) == ("mine", None)


def test_who_waits_for_another_looks_again_after_pauses_that_grow_and_differ(drive: Driver) -> None:
    def looks(jitter: float, pause: float, found: Token | None) -> list[Step]:
        return [shared(Lease(None, True)), now(jitter=jitter), wait(pause), shared(found), now()]

    first = looks(0.0, FIRST_PAUSE / 2, None)
    second = looks(1.0, FIRST_PAUSE * 1.5 * 1.5, IN_THE_CACHE)
    world = World(read_cache(), shared("sealer"), shared(), now(), first, second, WRITE)

    assert drive(flow(token_cache=Complete(), encryption_key=bytes(32)), world.perform).value == IN_THE_CACHE.value

    world.done()


def test_who_waits_long_looks_four_times_a_second(drive: Driver) -> None:
    pauses = list(accumulate(range(9), lambda pause, _: min(pause * 1.5, 0.25), initial=0.02))
    assert pauses[-1] == 0.25
    looks = [[shared(Lease(None, True)), now(jitter=0.5), wait(pause), shared(), now()] for pause in pauses]
    turn = [shared(Lease("mine", True)), shared(IN_THE_CACHE), now()]
    world = World(read_cache(), shared("sealer"), shared(), now(), *looks, turn, shared(), WRITE)

    assert drive(flow(token_cache=Complete(), encryption_key=bytes(32)), world.perform).value == IN_THE_CACHE.value

    world.done()
