"""Where the scenarios of event loops play: a local Entra over TLS, and a source that hangs until it is opened."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
from azure.core.pipeline.transport import AsyncioRequestsTransport, TrioRequestsTransport

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.aio import CertVarCredential
from azure_certvar_credential.testing import Application, EntraEmulator, EntraServer
from tests.credential.world import Clock

TRANSPORTS: dict[str, Any] = {"asyncio": AsyncioRequestsTransport, "trio": TrioRequestsTransport}
if sys.platform != "win32":
    TRANSPORTS["uvloop"] = None  # this package's own, with aiohttp


class Place:
    """A local Entra that is reached over TLS through azure-core's own transport for the library, or this package's.

    :param library: what runs the scenario.
    """

    def __init__(self, library: str, certificate: ClientCertificate) -> None:
        self.library, self.clock, self.certificate = library, Clock(), certificate
        self.entra = EntraEmulator(clock=self.clock)
        self.application: Application = self.entra.add_application(certificate)
        self.server: EntraServer = self.entra.serve()

    def credential(self, certificate: Any = None, **options: Any) -> CertVarCredential:
        kind, verify = TRANSPORTS[self.library], {"connection_verify": self.server.ca_file}
        transport = {"transport": kind(**verify)} if kind else verify
        return CertVarCredential(
            self.application.tenant_id,
            self.application.client_id,
            self.certificate if certificate is None else certificate,
            authority=self.server.url,
            **{"disable_instance_discovery": True, **transport, "_clock": self.clock, **options},
        )

    def run(self, scenario: Callable[[], Awaitable[None]]) -> None:
        async def bounded() -> None:
            assert self.library == "trio" or type(asyncio.get_running_loop()).__module__.startswith(self.library)
            with anyio.fail_after(20):
                await scenario()

        if self.library == "uvloop":
            anyio.run(bounded, backend="asyncio", backend_options={"use_uvloop": True})
        else:
            anyio.run(bounded, backend=self.library)


class Source:
    """An asynchronous source that hangs until it is opened, in a task group of its own."""

    max_age = 60

    def __init__(self, certificate: ClientCertificate) -> None:
        self.certificate = certificate
        self.calls = 0
        self.called, self.opened, self.ended = anyio.Event(), anyio.Event(), anyio.Event()

    async def __call__(self) -> ClientCertificate:
        self.calls += 1
        self.called.set()
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self.opened.wait)
        finally:
            self.ended.set()
        return self.certificate
