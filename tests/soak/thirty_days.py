"""Thirty days of a credential for twenty tenants, by a clock that is handed in."""

from __future__ import annotations

import gc
import inspect
import logging
import os
import threading
import tracemalloc
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azure_certvar_credential import CertificateSource, ClientCertificate
from azure_certvar_credential.testing import EntraEmulator, Fault
from tests.credential.world import STORAGE, Clock, Driver

TENANTS, DAYS = 20, 30
# Seconds. Every tenant's token is asked for once in a step.
STEP, HOUR, DAY = 3600, 3600, 86400
# Half of a token's life passes before it is refreshed.
LIFETIME = DAY
# By day: the certificate is replaced, Entra is unavailable for some hours, and the process forks.
ROTATIONS = (8, 16, 24)
OUTAGE = 4 * HOUR
# With the requests that a call sends then, of those that arrive, if it may retry once.
OUTAGES: dict[int, tuple[Fault, int]] = {
    3: (Fault.server_error(), 2),
    6: (Fault.throttled(retry_after=60), 1),
    11: (Fault.reset_after(), 2),
    13: (Fault.truncated(), 2),
    19: (Fault.reset_before(), 0),
    27: (Fault.not_json(), 1),
}
FORKS = (5, 15, 25)


@dataclass(frozen=True)
class Footprint:
    """What the process holds.

    :ivar memory: octets that this package, without the local Entra, has allocated.
    :ivar objects: how many instances of its classes there are.
    :ivar threads: how many run.
    :ivar descriptors: how many are open.
    """

    memory: int
    objects: int
    threads: int
    descriptors: int


@dataclass
class Diary:
    """What happened.

    :ivar footprints: one for every five days.
    :ivar answers: how many requests brought a ``token``, were ``refused``, or met an ``outage``.
    :ivar warnings: the first words of all warnings.
    """

    footprints: list[Footprint] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)


class _Warnings(logging.Handler):
    def __init__(self, diary: Diary) -> None:
        super().__init__(logging.WARNING)
        self._diary = diary

    def emit(self, record: logging.LogRecord) -> None:
        self._diary.warnings[" ".join(str(record.msg).split()[:5])] += 1


class Life:
    """A credential in its world.

    :param make: the class of the credential.
    :param transport: makes its transport to the local Entra.
    """

    def __init__(self, make: Callable[..., Any], transport: Callable[[EntraEmulator], Any]) -> None:
        self.clock, self.diary = Clock(), Diary()
        self._turns = iter([ClientCertificate.self_signed(f"turn {turn}", days=3650) for turn in range(4)])
        self._certificate = next(self._turns)
        self._entra = EntraEmulator(clock=self.clock, token_lifetime=LIFETIME)
        self._application = self._entra.add_application(self._certificate)
        self._tenants = [self._entra.add_tenant() for _ in range(TENANTS)]
        for tenant in self._tenants:
            self._application.add_service_principal(tenant)
        self._driver = Driver(
            make(
                self._application.tenant_id,
                self._application.client_id,
                # So seldom read anew that a rotation shows when Entra refuses.
                CertificateSource(lambda: self._certificate, max_age=10 * DAYS * DAY),
                additionally_allowed_tenants=[tenant.tenant_id for tenant in self._tenants],
                transport=transport(self._entra),
                retry_total=1,
                _clock=self.clock,
            )
        )

    async def run(self) -> Diary:
        """Let the days pass."""
        handler = _Warnings(self.diary)
        logging.getLogger().addHandler(handler)
        tracemalloc.start()
        began = self.clock.now
        try:
            for second in range(0, DAYS * DAY, STEP):
                self.clock.now = began + second
                self._arrange(second)
                # One tenant more with every step, so that every outage meets some of them.
                for tenant in self._tenants[: second // STEP + 1]:
                    token = self._driver.credential.get_token(STORAGE, tenant_id=tenant.tenant_id)
                    if inspect.isawaitable(token):
                        await token
                    # No two refreshes at once: after a rotation each of them would be refused.
                    await self._driver.settle()
                self._count()
                if second and second % (5 * DAY) == 0:
                    self.diary.footprints.append(_footprint())
        finally:
            tracemalloc.stop()
            logging.getLogger().removeHandler(handler)
            await self._driver.close()
        return self.diary

    def _arrange(self, second: int) -> None:
        """Do what is due: rotate, begin or end an outage, fork."""
        day, rest = divmod(second, DAY)
        if rest == OUTAGE and day in OUTAGES:
            self._entra.faults.clear()
        if rest:
            return
        if day in ROTATIONS:
            self._application.unregister(self._certificate.thumbprint)
            self._certificate = next(self._turns)
            self._application.register(self._certificate)
        if day in OUTAGES:
            self._entra.inject(OUTAGES[day][0], times=None)
        if day in FORKS and hasattr(os, "fork"):
            self._fork()

    def _fork(self) -> None:
        """Let a child see that it has every token, and that it may close the credential without harm."""
        credential = self._driver.credential
        child = os.fork()
        if child == 0:
            keys = [((STORAGE,), tenant.tenant_id, False) for tenant in self._tenants]
            os._exit(0 if all(credential._cached_tokens.store.get(key) for key in keys) else 1)
        assert os.waitpid(child, 0)[1] == 0

    def _count(self) -> None:
        for request in self._entra.requests:
            kind = "outage" if request.fault else "token" if request.status == 200 else "refused"
            self.diary.answers[kind] += 1
        self._entra.requests.clear()


def needed() -> tuple[Counter[str], int]:
    """Return how many requests are needed, by how they end, and how many calls fail in the background.

    A token is refreshed in the first step after half of its life; in an outage, again in the next step.
    """
    answers, failures = Counter({"refused": len(ROTATIONS)}), 0
    for tenant in range(TENANTS):
        due = tenant * STEP
        while due < DAYS * DAY:
            day, rest = divmod(due, DAY)
            if day in OUTAGES and rest < OUTAGE:
                answers["outage"] += OUTAGES[day][1]
                failures += 1
                due += STEP
            else:
                answers["token"] += 1
                due += LIFETIME // 2 + STEP
    return answers, failures


def _footprint() -> Footprint:
    # A thread hands over its result before it ends.
    for thread in threading.enumerate():
        if thread.name.startswith("certvar-"):
            thread.join(timeout=10)
    gc.collect()
    package = [
        tracemalloc.Filter(True, "*/azure_certvar_credential/*"),
        tracemalloc.Filter(False, "*/azure_certvar_credential/testing/*"),
    ]
    statistics = tracemalloc.take_snapshot().filter_traces(package).statistics("filename")
    rooms = Counter(type(one).__module__.split(".")[:2][-1] for one in gc.get_objects() if _is_ours(one))
    return Footprint(
        sum(one.size for one in statistics),
        rooms.total() - rooms["testing"],
        # Without those of the loop's executor, which starts one more when none is idle yet.
        sum(not thread.name.startswith("asyncio_") for thread in threading.enumerate()),
        len(list(Path("/dev/fd").iterdir())),
    )


def _is_ours(one: object) -> bool:
    return str(type(one).__module__).startswith("azure_certvar_credential.")
