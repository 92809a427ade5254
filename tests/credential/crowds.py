"""A crowd of callers who all need the same metadata document before the first token, each for a scope of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from azure_certvar_credential._runtime.serialized_attempts import SerializedAttempts
from azure_certvar_credential.testing import Fault, Request
from azure_certvar_credential.testing.http import Conditions, Hold, Response
from tests.credential.world import Driver, World

CROWD = 20


class CountedAttempts(SerializedAttempts):
    """Counts who has come to wait, so that a scenario knows when all have."""

    came = 0

    @property
    def number(self) -> int:
        type(self).came += 1
        return self._number

    @number.setter
    def number(self, value: int) -> None:
        self._number = value


class Documents:
    """The requests for metadata documents.

    :ivar asked: how many there were.
    """

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, request: Request) -> bool:
        """Choose them, and count."""
        chosen = request.path.endswith("/.well-known/openid-configuration")
        self.asked += chosen
        return chosen


def failing_late() -> Fault:
    """A server that is unavailable and slow to say so."""
    fails = Fault.server_error()

    def apply(serve: Callable[[Conditions], Response], conditions: Conditions) -> Response:
        response = fails.apply(serve, conditions)
        return replace(response, delivery=replace(response.delivery, hold=Hold(30)))

    return Fault("fails late", apply)


async def outcomes(world: World, driver: Driver) -> list[Any]:
    """Return what each of a crowd gets after the first has met the fault that is queued."""
    CountedAttempts.came = 0
    callers = [asyncio.create_task(driver.get_token(f"api://orders-{n}/.default")) for n in range(CROWD)]
    await world.hanging()
    for _ in range(10_000):
        # Twice by the caller that makes the attempt, once by each other; then each waits for the lock.
        if CountedAttempts.came > CROWD:
            break
        await asyncio.sleep(0.002)
    else:
        raise TimeoutError(f"{CountedAttempts.came - 1} of {CROWD} callers came")
    world.entra.release()
    return await asyncio.gather(*callers, return_exceptions=True)
