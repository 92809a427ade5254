"""One text for two credentials: a world in which a scenario runs, and a driver that makes either credential awaitable.

The synchronous credential is called in threads, so scenarios with many callers at once mean the same for both.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
import threading
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from azure.core.credentials import AccessToken, AccessTokenInfo

from azure_certvar_credential import CertVarCredential, ClientCertificate, FederatedCredential
from azure_certvar_credential._sync.single_flight import SingleFlight
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential
from azure_certvar_credential.aio import FederatedCredential as AsyncFederatedCredential
from azure_certvar_credential.testing import Application, EntraEmulator

Kind = Literal["sync", "aio"]

STORAGE = "https://storage.azure.com/.default"
GRAPH = "https://graph.microsoft.com/.default"


@dataclass
class Clock:
    """A clock that a test moves; shared by the credential and the local Entra."""

    now: float = field(default_factory=lambda: float(int(time.time())))

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class Driver:
    """A credential of either kind, awaitable.

    :ivar credential: the credential itself.
    """

    def __init__(self, credential: Any) -> None:
        self.credential = credential

    def for_user(self, user_assertion: Any) -> Driver:
        """Return the credential that acts for a user."""
        return Driver(self.credential.on_behalf_of(user_assertion))

    async def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        token: AccessToken = await self._call(self.credential.get_token, *scopes, **kwargs)
        return token

    async def get_token_info(self, *scopes: str, **kwargs: Any) -> AccessTokenInfo:
        info: AccessTokenInfo = await self._call(self.credential.get_token_info, *scopes, **kwargs)
        return info

    async def close(self) -> None:
        await self._call(self.credential.close)

    async def settle(self) -> None:
        """Wait until every refresh in the background has ended."""
        for thread in threading.enumerate():
            if thread.name == "certvar-background":
                await asyncio.to_thread(thread.join, 20)
                assert not thread.is_alive(), "a refresh hangs"
        credential = self.credential
        if isinstance(credential, (AsyncCertVarCredential, AsyncFederatedCredential)):
            tasks = [call.task for call in credential._single_flight._calls.values()]
            tasks += credential._effects._background._tasks
            await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 20)

    async def joined(self, callers: int) -> None:
        """Wait until so many callers wait for an acquisition."""
        for _ in range(10_000):
            if self._aboard() >= callers:
                return
            await asyncio.sleep(0.002)
        raise TimeoutError(f"{self._aboard()} of {callers} callers came")

    def _aboard(self) -> int:
        flights = self.credential._single_flight
        if isinstance(flights, SingleFlight):
            code = SingleFlight._join.__code__
            stacks = (traceback.walk_stack(frame) for frame in sys._current_frames().values())
            return sum(any(frame.f_code is code for frame, _ in stack) for stack in stacks)
        return sum(call.waiters for call in flights._calls.values())

    async def _call(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if not inspect.iscoroutinefunction(method):
            return await asyncio.to_thread(method, *args, **kwargs)
        awaitable: Awaitable[Any] = method(*args, **kwargs)
        return await awaitable


@dataclass
class World:
    """Everything a scenario needs.

    :ivar kind: which credential the scenario runs with.
    :ivar clock: the time of both sides.
    :ivar entra: the local Entra, in process.
    :ivar certificate: registered with the application.
    """

    kind: Kind
    clock: Clock
    entra: EntraEmulator
    certificate: ClientCertificate
    application: Application
    drivers: list[Driver] = field(default_factory=list)
    transport: Any = None

    @property
    def requests(self) -> int:
        """How many token requests the local Entra has seen."""
        return len(self.entra.requests)

    async def hanging(self, count: int = 1) -> None:
        """Wait until so many requests hang, so that a scenario knows they are under way."""
        await asyncio.to_thread(self.entra.wait_for_hanging, count)

    @property
    def sleeps(self) -> tuple[float, ...]:
        """The pauses of the last driver, in seconds."""
        sleeps: tuple[float, ...] = self.transport.sleeps
        return sleeps

    def driver(self, certificate: object = None, *, federated: bool = False, **options: Any) -> Driver:
        """Return a credential for the world's application, or one whose assertions come from a source."""
        self.transport = self.entra.transport() if self.kind == "sync" else self.entra.async_transport()
        arguments = (
            options.pop("tenant_id", self.application.tenant_id),
            options.pop("client_id", self.application.client_id),
            self.certificate if certificate is None else certificate,
        )
        options = {"transport": self.transport, "_clock": self.clock, **options}
        classes = {
            ("sync", False): CertVarCredential,
            ("aio", False): AsyncCertVarCredential,
            ("sync", True): FederatedCredential,
            ("aio", True): AsyncFederatedCredential,
        }
        driver = Driver(classes[self.kind, federated](*arguments, **options))
        self.drivers.append(driver)
        return driver
