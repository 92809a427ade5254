"""Many callers, short lives, faults, cancellations, forks and clock jumps at once; a few seconds each, never more.

What must hold all the time: at most one request for a key is under way; no caller gets a token of another key, or one
that has expired; nobody waits for ever; the only errors are those of the faults.
"""

from __future__ import annotations

import asyncio
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import pytest
from azure.core.exceptions import AzureError

from azure_certvar_credential import CertVarCredential, ClientCertificate
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential
from azure_certvar_credential.testing import Application, EntraEmulator, Fault
from tests.credential.watching import AsyncWatchedTransport, Watch, WatchedTransport
from tests.credential.world import Clock

pytestmark = pytest.mark.usefixtures("uncovered")

SCOPES = [f"api://{n}/.default" for n in range(8)]
LIFE = 120
SEED = 20_261_123
# How often each caller calls, and after how many calls on average it causes trouble: counted and not timed, so that a
# slow computer sees as much as a fast one.
TURNS = 40
TROUBLE = 40


class Chaos:
    """What goes on around the callers: the clock jumps and the server fails, as a seeded generator says."""

    def __init__(self, entra: EntraEmulator, clock: Clock) -> None:
        self._entra, self._clock, self._random = entra, clock, random.Random(SEED)
        self._lock = threading.Lock()

    def strike(self) -> None:
        """Now and then do one bad thing, or let one pass."""
        with self._lock:
            if self._random.randrange(TROUBLE) == 0:
                self._strike(self._random.randrange(6))

    def _strike(self, kind: int) -> None:
        if kind == 0:
            self._clock.advance(self._random.choice([1, 20, 59, 100, LIFE, 10 * LIFE]))
        elif kind == 1:
            self._clock.advance(-self._random.choice([1, 10, 30]))
        elif kind == 2:
            self._entra.inject(
                self._random.choice(
                    [
                        Fault.server_error(503),
                        Fault.not_json(),
                        Fault.reset_after(),
                        Fault.reset_before(),
                        Fault.throttled(retry_after=2),
                        Fault.truncated(),
                        Fault.unknown_certificate(),
                    ]
                ),
                times=self._random.randrange(1, 6),
            )
        else:
            self._entra.faults.clear()


class JumpingClock(Clock):
    """A clock that remembers every time it has shown."""

    def __init__(self) -> None:
        super().__init__()
        self.shown = [self.now]

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        self.shown.append(self.now)


@pytest.fixture
def clock() -> JumpingClock:
    return JumpingClock()


@pytest.fixture
def entra(clock: JumpingClock) -> EntraEmulator:
    return EntraEmulator(clock=clock, token_lifetime=LIFE)


@pytest.fixture
def application(entra: EntraEmulator, certificate: ClientCertificate) -> Application:
    return entra.add_application(certificate)


@pytest.fixture
def watch() -> Iterator[Watch]:
    watch = Watch()
    yield watch
    assert watch.most == 1, f"{watch.most} requests of one key were under way at once"
    assert watch.requests > 5 * len(SCOPES), "the stress did not reach the server"


def _check(token: Any, scope: str, times: list[float]) -> None:
    """Check a token against its scope and the times that the clock has shown during the call."""
    audience = jwt.decode(token.token, options={"verify_signature": False})["aud"]
    assert f"{audience}/.default" == scope, "a token of another key"
    assert token.expires_on + 1 > min(times), "a token that had expired all the time"


def test_two_hundred_threads(
    entra: EntraEmulator, application: Application, certificate: ClientCertificate, clock: JumpingClock, watch: Watch
) -> None:
    credential = CertVarCredential(
        application.tenant_id,
        application.client_id,
        certificate,
        transport=WatchedTransport(entra.transport(), watch),
        retry_total=1,
        _clock=clock,
    )
    chaos = Chaos(entra, clock)

    def call(number: int) -> Counter[str]:
        chance, outcomes = random.Random(SEED + number), Counter[str]()
        for _ in range(TURNS):
            chaos.strike()
            scope, since = chance.choice(SCOPES), len(clock.shown) - 1
            try:
                _check(credential.get_token(scope), scope, clock.shown[since:])
                outcomes["token"] += 1
            except AzureError:
                outcomes["error"] += 1
            time.sleep(chance.random() * 0.04)
        return outcomes

    with ThreadPoolExecutor(200) as pool:
        callers = [pool.submit(call, number) for number in range(200)]
        total = sum((caller.result(60) for caller in callers), Counter[str]())

    assert total["token"] > 1000
    assert credential._single_flight._calls == {}


@pytest.mark.timeout(240)
async def test_a_thousand_tasks_some_of_them_cancelled(
    entra: EntraEmulator, application: Application, certificate: ClientCertificate, clock: JumpingClock, watch: Watch
) -> None:
    chance, chaos = random.Random(SEED), Chaos(entra, clock)
    outcomes: Counter[str] = Counter()

    async def call(number: int) -> None:
        own = random.Random(SEED + number)
        for _ in range(TURNS // 2):
            chaos.strike()
            scope, since = own.choice(SCOPES), len(clock.shown) - 1
            try:
                _check(await credential.get_token(scope), scope, clock.shown[since:])
                outcomes["token"] += 1
            except AzureError:
                outcomes["error"] += 1
            await asyncio.sleep(own.random() * 0.05)

    async with AsyncCertVarCredential(
        application.tenant_id,
        application.client_id,
        certificate,
        transport=AsyncWatchedTransport(entra.async_transport(), watch),
        retry_total=1,
        _clock=clock,
    ) as credential:
        tasks = [asyncio.create_task(call(number)) for number in range(1000)]
        for _ in range(100):
            chance.choice(tasks).cancel()
            await asyncio.sleep(0.01)
        done, pending = await asyncio.wait(tasks, timeout=200)  # ten times what it takes

    assert not pending, "tasks wait for ever"
    failures = [task.exception() for task in done if not task.cancelled() and task.exception() is not None]
    assert failures == []
    assert outcomes["token"] > 1000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:This process.*multi-threaded:DeprecationWarning")
def test_forks_in_the_middle_of_it(certificate: ClientCertificate) -> None:
    """Over real TLS: a child shares no connection or acquisition with its parent, whose threads wait for the server."""
    entra = EntraEmulator(token_lifetime=LIFE)
    application = entra.add_application(certificate)
    with entra.serve() as server:
        credential = CertVarCredential(
            application.tenant_id,
            application.client_id,
            certificate,
            authority=server.authority,
            disable_instance_discovery=True,
            connection_verify=server.ca_file,
        )
        # Python, requests and azure-core import modules during the first request, and a fork in the middle of an import
        # leaves the child with a lock that nobody releases: beyond what a library can mend.
        credential.get_token(SCOPES[0])
        entra.inject(Fault.hang(30), times=len(SCOPES) - 1)
        with ThreadPoolExecutor(len(SCOPES)) as pool:
            acquisitions = [pool.submit(credential.get_token, scope) for scope in SCOPES[1:]]
            entra.wait_for_hanging(len(acquisitions))
            statuses = [os.waitstatus_to_exitcode(_forked(credential)) for _ in range(5)]
            entra.release()
            tokens = {one.result(30).token for one in acquisitions}

    assert len(tokens) == len(acquisitions)
    assert statuses == [0] * 5


def _forked(credential: CertVarCredential) -> int:
    """Return the wait status of a child that gets a token of every scope; a child that hangs is ended by its alarm."""
    child = os.fork()
    if child == 0:
        try:
            import signal

            signal.alarm(20)
            tokens = {credential.get_token(scope).token for scope in SCOPES}
            os._exit(0 if len(tokens) == len(SCOPES) else 1)
        except BaseException:  # noqa: BLE001 - reported as an exit code
            os._exit(2)
    return os.waitpid(child, 0)[1]
