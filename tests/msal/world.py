"""The world of the scenarios with credentials that delegate to MSAL; see :mod:`tests.credential.world`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import msal
import pytest

from azure_certvar_credential.aio import MsalCertVarCredential as AsyncMsalCertVarCredential
from azure_certvar_credential.msal import MsalCertVarCredential
from azure_certvar_credential.testing import EntraEmulator
from azure_certvar_credential.testing.http import Request
from tests.credential.world import Driver, World

Credential = MsalCertVarCredential | AsyncMsalCertVarCredential

_VERSION = tuple(map(int, msal.__version__.split(".")[:2]))
TELLS_CALLABLE = _VERSION >= (1, 37)
KNOWS_FMI_PATH = _VERSION >= (1, 36)
# Client claims are from 1.38 on, and the grant of an agent's user from 1.37.
needs_msal_1_38 = pytest.mark.skipif(_VERSION < (1, 38), reason="this MSAL has no client claims and no agents' users")


class MsalDriver(Driver):
    """A credential of either kind, awaitable.

    :ivar given: the credential itself.
    """

    def __init__(self, credential: Credential) -> None:
        self.given = credential
        super().__init__(credential)

    async def settle(self) -> None:
        """Wait until every refresh in the background has ended."""
        for thread in threading.enumerate():
            if thread.name in {"certvar-background", "certvar-work"}:
                await asyncio.to_thread(thread.join, 20)
                assert not thread.is_alive(), "a refresh hangs"
        if isinstance(self.given, AsyncMsalCertVarCredential):
            tasks = [flight.task for flight in self.given._single_flight._calls.values()]
            await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 20)

    async def _call(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if isinstance(self.given, MsalCertVarCredential):
            return await asyncio.to_thread(method, *args, **kwargs)
        awaitable: Awaitable[Any] = method(*args, **kwargs)
        return await awaitable


class MsalWorld(World):
    """Everything a scenario needs."""

    def driver(self, certificate: Any = None, **options: Any) -> MsalDriver:
        """Return a credential for the world's application."""
        self.transport = self.entra.transport()
        arguments = (
            options.pop("tenant_id", self.application.tenant_id),
            options.pop("client_id", self.application.client_id),
            self.certificate if certificate is None else certificate,
        )
        if "http_client" not in options:
            options = {"transport": self.transport, **options}
        kind = MsalCertVarCredential if self.kind == "sync" else AsyncMsalCertVarCredential
        driver = MsalDriver(kind(*arguments, _clock=self.clock, **options))
        self.drivers.append(driver)
        return driver


class PlainClient:
    """An HTTP client of MSAL's kind that asks the local Entra in process.

    :ivar urls: what was asked for.
    """

    def __init__(self, entra: EntraEmulator) -> None:
        self._entra = entra
        self.urls: list[str] = []

    def post(self, url: str, data: dict[str, Any], headers: dict[str, str], **_: Any) -> Any:
        content = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._answer(Request("POST", url, {**headers, **content}, urlencode(data).encode()))

    def get(self, url: str, params: Any = None, headers: Any = None, **_: Any) -> Any:
        return self._answer(Request("GET", f"{url}?{urlencode(params)}" if params else url, headers or {}, b""))

    def _answer(self, request: Request) -> Any:
        self.urls.append(request.url)
        answer = self._entra.handle(request)
        return SimpleNamespace(
            status_code=answer.status,
            text=answer.body.decode(),
            headers=dict(answer.headers),
            raise_for_status=lambda: None,
        )


def use_clock(patch: pytest.MonkeyPatch, clock: Callable[[], float]) -> None:
    """Let MSAL tell the time by a clock: it asks the module ``time`` where it stands in each of these."""
    for module in ("application", "token_cache", "individual_cache"):
        patch.setattr(f"msal.{module}.time", SimpleNamespace(time=clock))
