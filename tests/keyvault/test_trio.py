"""The asynchronous classes with asyncio and with trio, on azure-core's transport for each; anyio runs one text."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import anyio
import pytest
from azure.core.pipeline.transport import AsyncioRequestsTransport, TrioRequestsTransport

from azure_certvar_credential import ClientCertificate, aio
from azure_certvar_credential.exceptions import ConfigurationError, KeyVaultUnavailableError
from azure_certvar_credential.keyvault.aio import KeyVaultCertificate
from azure_certvar_credential.testing import EntraEmulator, Fault, KeyVaultEmulator, KeyVaultServer
from tests.keyvault.conftest import GRAPH
from tests.testing.key_vault.kit import pair

TRANSPORTS = {"asyncio": AsyncioRequestsTransport, "trio": TrioRequestsTransport}


@dataclass
class Place:
    """A vault over TLS, and an event loop of either library."""

    library: str
    entra: EntraEmulator
    vault: KeyVaultEmulator
    server: KeyVaultServer
    certificate: ClientCertificate

    def __post_init__(self) -> None:
        application = self.entra.add_application(self.certificate)
        self.ids = application.tenant_id, application.client_id

    def transport(self, ca_file: str) -> Any:
        return TRANSPORTS[self.library](connection_verify=ca_file)

    def source(self, **options: Any) -> KeyVaultCertificate:
        credential = aio.CertVarCredential(*self.ids, pair("bootstrap"), transport=self.entra.async_transport())
        given = {"transport": self.transport(self.server.ca_file), "verify_challenge_resource": False, **options}
        return KeyVaultCertificate(self.server.vault_url, "app", credential, **given)

    def run(self, scenario: Callable[[], Awaitable[None]]) -> None:
        async def bounded() -> None:
            with anyio.fail_after(20):
                await scenario()

        anyio.run(bounded, backend=self.library)


@pytest.fixture(params=TRANSPORTS)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    entra = EntraEmulator()
    vault = KeyVaultEmulator(entra)
    with vault.serve() as server:
        yield Place(request.param, entra, vault, server, pair("bootstrap"))
        vault.release()


@pytest.mark.parametrize("exportable", [True, False])
def test_a_token_is_acquired_with_a_certificate_out_of_the_vault(place: Place, exportable: bool) -> None:
    place.vault.add_certificate("app", pair(), exportable=exportable)
    application = place.entra.add_application(pair())

    async def scenario() -> None:
        with place.entra.serve() as entra:
            credential = aio.CertVarCredential(
                application.tenant_id,
                application.client_id,
                place.source(),
                authority=entra.authority,
                disable_instance_discovery=True,
                transport=place.transport(entra.ca_file),
            )
            async with credential:
                assert (await credential.get_token(GRAPH)).token

    place.run(scenario)

    permissions = [request.permission for request in place.vault.requests]
    assert ("secrets/get" in permissions) is exportable
    assert ("keys/sign" in permissions) is not exportable


def test_the_deadline_ends_a_vault_that_is_silent(place: Place) -> None:
    place.vault.inject(Fault.hang(), times=None)

    async def scenario() -> None:
        begun = time.monotonic()
        with pytest.raises(KeyVaultUnavailableError):
            await place.source(timeout=0.3)()
        assert time.monotonic() - begun < 5

    place.run(scenario)


def test_a_caller_who_is_cancelled_is_not_held_up(place: Place) -> None:
    place.vault.inject(Fault.hang(), times=None)

    async def scenario() -> None:
        begun = time.monotonic()
        with anyio.move_on_after(0.2) as scope:
            await place.source()()
        assert scope.cancelled_caught
        assert time.monotonic() - begun < 5
        place.vault.release()

    place.run(scenario)


@pytest.mark.parametrize("place", ["trio"], indirect=True)
def test_under_trio_the_error_names_the_transport_before_anything_is_sent(place: Place) -> None:
    async def scenario() -> None:
        with pytest.raises(ConfigurationError, match="TrioRequestsTransport"):
            await place.source(transport=None)()

    place.run(scenario)

    assert not place.vault.requests
    assert not place.entra.requests
