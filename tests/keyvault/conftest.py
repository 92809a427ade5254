"""A vault whose certificate an application signs in with; every scenario runs sync and async."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from azure_certvar_credential import CertVarCredential, ClientCertificate, aio
from azure_certvar_credential.keyvault import KeyVaultCertificate
from azure_certvar_credential.keyvault.aio import KeyVaultCertificate as AsyncKeyVaultCertificate
from azure_certvar_credential.testing import Application, EntraEmulator, KeyVaultEmulator
from tests.testing.key_vault.kit import pair

GRAPH = "https://graph.microsoft.com/.default"


@dataclass
class Scene:
    """A vault, an application that reads it, and an application whose certificate is in it.

    :ivar kind: which of the two interfaces is used.
    :ivar reader: may use the vault.
    :ivar application: signs in with the certificate out of the vault.
    """

    kind: Literal["sync", "aio"]
    entra: EntraEmulator
    vault: KeyVaultEmulator
    reader: Application
    application: Application

    def bootstrap(self) -> CertVarCredential | aio.CertVarCredential:
        """The credential that reaches the vault."""
        tenant_id, client_id = self.reader.tenant_id, self.reader.client_id
        if self.kind == "sync":
            return CertVarCredential(tenant_id, client_id, pair("bootstrap"), transport=self.entra.transport())
        transport = self.entra.async_transport()
        return aio.CertVarCredential(tenant_id, client_id, pair("bootstrap"), transport=transport)

    def vault_transport(self) -> Any:
        return self.vault.transport() if self.kind == "sync" else self.vault.async_transport()

    def source(self, name: str = "app", **options: Any) -> KeyVaultCertificate | AsyncKeyVaultCertificate:
        """A source for a certificate of the vault."""
        url = options.pop("vault_url", self.vault.vault_url)
        credential: Any = options.pop("credential", None) or self.bootstrap()
        options = {"transport": self.vault_transport(), **options}
        if self.kind == "sync":
            return KeyVaultCertificate(url, name, credential, **options)
        return AsyncKeyVaultCertificate(url, name, credential, **options)

    async def read(self, name: str = "app", **options: Any) -> ClientCertificate:
        """Read a certificate of the vault."""
        source = self.source(name, **options)
        if isinstance(source, KeyVaultCertificate):
            return await asyncio.to_thread(source)
        return await source()

    async def token(self, source: Any, **options: Any) -> str:
        """Sign in with the certificate out of the vault, and return the token."""
        tenant_id, client_id = self.application.tenant_id, self.application.client_id
        if self.kind == "sync":
            credential = CertVarCredential(tenant_id, client_id, source, transport=self.entra.transport(), **options)
            return (await asyncio.to_thread(credential.get_token, GRAPH)).token
        transport = self.entra.async_transport()
        async with aio.CertVarCredential(tenant_id, client_id, source, transport=transport, **options) as other:
            return (await other.get_token(GRAPH)).token

    @property
    def used(self) -> list[str]:
        """The permissions that were used in the vault."""
        return [request.permission for request in self.vault.requests if request.permission]


def scene_of(kind: Literal["sync", "aio"]) -> Scene:
    """Return a vault of a tenant of its own."""
    entra = EntraEmulator()
    vault = KeyVaultEmulator(entra)
    reader, application = entra.add_application(pair("bootstrap")), entra.add_application(pair())
    return Scene(kind, entra, vault, reader, application)


@pytest.fixture(params=["sync", "aio"])
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    made = scene_of(request.param)
    yield made
    made.vault.release()
    made.entra.release()
