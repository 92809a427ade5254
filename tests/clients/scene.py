"""Who signs in to the clients' services: an application in a local Entra, with both credentials."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from azure_certvar_credential import CertVarCredential, ClientCertificate
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential
from azure_certvar_credential.testing import Application, EntraEmulator, EntraServer

Credential: TypeAlias = CertVarCredential | AsyncCertVarCredential


@dataclass
class Clock:
    """This computer's clock, which a test may put forward.

    :ivar offset: seconds.
    """

    offset: int = 0

    def __call__(self) -> float:
        return time.time() + self.offset


@dataclass(frozen=True, slots=True)
class Scene:
    """An application in a local Entra on loopback TLS.

    :ivar clock: the time of the local Entra and of the credentials.
    :ivar ca_file: the authority of every other loopback server's TLS certificate, for ``connection_verify``.
    """

    clock: Clock
    entra: EntraEmulator
    server: EntraServer
    application: Application
    certificate: ClientCertificate
    ca_file: str

    @property
    def arguments(self) -> dict[str, Any]:
        return {
            "tenant_id": self.application.tenant_id,
            "client_id": self.application.client_id,
            "certificate": self.certificate.to_pem(),
            "authority": self.server.authority,
            "disable_instance_discovery": True,
            "connection_verify": self.server.ca_file,
            "_clock": self.clock,
        }

    @asynccontextmanager
    async def credential(self, kind: str) -> AsyncIterator[Credential]:
        """A credential of one kind; the local Entra has had no requests yet."""
        self.entra.requests.clear()
        if kind == "sync":
            with CertVarCredential(**self.arguments) as credential:
                yield credential
        else:
            async with AsyncCertVarCredential(**self.arguments) as asynchronous:
                yield asynchronous
