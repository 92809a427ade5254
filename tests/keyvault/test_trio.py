"""The asynchronous classes with asyncio and with trio, on azure-core's transport for each; anyio runs one text."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import pytest
from azure.core.pipeline.transport import AsyncioRequestsTransport, TrioRequestsTransport

from azure_certvar_credential import ClientCertificate, aio
from azure_certvar_credential.exceptions import ConfigurationError, KeyVaultUnavailableError
from azure_certvar_credential.keyvault.aio import KeyVaultCertificate
from azure_certvar_credential.testing import EntraEmulator, EntraServer, Fault, KeyVaultEmulator, KeyVaultServer
from tests.keyvault.conftest import GRAPH
from tests.testing.key_vault.kit import pair

TRANSPORTS = {"asyncio": AsyncioRequestsTransport, "trio": TrioRequestsTransport}


@dataclass
class Place:
    """A vault over TLS, and an event loop of either library."""

    library: str
    entra: EntraEmulator
    vault: KeyVaultEmulator
    sign_in: EntraServer
    server: KeyVaultServer

    def transport(self, ca_file: str) -> Any:
        return TRANSPORTS[self.library](connection_verify=ca_file)

    def credential(self, certificate: Any, registered: ClientCertificate) -> aio.CertVarCredential:
        application = self.entra.add_application(registered)
        return aio.CertVarCredential(
            application.tenant_id,
            application.client_id,
            certificate,
            authority=self.sign_in.authority,
            disable_instance_discovery=True,
            transport=self.transport(self.sign_in.ca_file),
        )

    @asynccontextmanager
    async def source(self, **options: Any) -> AsyncIterator[KeyVaultCertificate]:
        transport = self.transport(self.server.ca_file)
        given = {"transport": transport, "verify_challenge_resource": False, **options}
        async with transport, self.credential(pair("bootstrap"), pair("bootstrap")) as reader:
            yield KeyVaultCertificate(self.server.vault_url, "app", reader, **given)

    def run(self, scenario: Callable[[], Awaitable[None]]) -> None:
        async def bounded() -> None:
            with anyio.fail_after(20):
                await scenario()

        anyio.run(bounded, backend=self.library)


@pytest.fixture(params=TRANSPORTS)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    entra = EntraEmulator()
    vault = KeyVaultEmulator(entra)
    with entra.serve() as sign_in, vault.serve() as server:
        yield Place(request.param, entra, vault, sign_in, server)
        vault.release()


@pytest.mark.parametrize("exportable", [True, False])
def test_a_token_is_acquired_with_a_certificate_out_of_the_vault(place: Place, exportable: bool) -> None:
    place.vault.add_certificate("app", pair(), exportable=exportable)

    async def scenario() -> None:
        async with place.source() as source, place.credential(source, pair()) as credential:
            assert (await credential.get_token(GRAPH)).token

    place.run(scenario)

    permissions = [request.permission for request in place.vault.requests]
    assert ("secrets/get" in permissions) is exportable
    assert ("keys/sign" in permissions) is not exportable


def test_the_deadline_ends_a_vault_that_is_silent(place: Place) -> None:
    place.vault.inject(Fault.hang(), times=None)

    async def scenario() -> None:
        begun = time.monotonic()
        async with place.source(timeout=0.3) as source:
            with pytest.raises(KeyVaultUnavailableError):
                await source()
            assert time.monotonic() - begun < 5
            place.vault.release()

    place.run(scenario)


def test_a_caller_who_is_cancelled_is_not_held_up(place: Place) -> None:
    place.vault.inject(Fault.hang(), times=None)

    async def scenario() -> None:
        begun = time.monotonic()
        async with place.source() as source:
            with anyio.move_on_after(0.2) as scope:
                await source()
            assert scope.cancelled_caught
            assert time.monotonic() - begun < 5
            place.vault.release()

    place.run(scenario)


@pytest.mark.parametrize("place", ["trio"], indirect=True)
def test_under_trio_the_error_names_the_transport_before_anything_is_sent(place: Place) -> None:
    async def scenario() -> None:
        async with place.source(transport=None) as source:
            with pytest.raises(ConfigurationError, match="TrioRequestsTransport"):
                await source()

    place.run(scenario)

    assert not place.vault.requests
    assert not place.entra.requests
