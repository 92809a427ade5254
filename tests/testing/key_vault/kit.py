"""A vault, an application that may reach it, and Azure's own clients for it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from azure.keyvault.certificates import CertificateClient
from azure.keyvault.keys.crypto import CryptographyClient
from azure.keyvault.secrets import SecretClient

from azure_certvar_credential import CertVarCredential, ClientCertificate
from azure_certvar_credential.testing import Application, EntraEmulator, KeyVaultEmulator


@functools.cache
def pair(name: str = "stored") -> ClientCertificate:
    """One certificate for each name in the whole run: making keys is what takes time."""
    return ClientCertificate.self_signed(name, key="EC-P256" if name.startswith("ec") else "RSA-2048")


@dataclass
class Scene:
    """A vault with an application that signs in to it, all in process.

    :ivar entra: the local Entra.
    :ivar vault: the local Key Vault.
    :ivar application: may use the vault.
    """

    entra: EntraEmulator
    vault: KeyVaultEmulator
    application: Application

    def credential(self) -> CertVarCredential:
        """A credential that the vault takes."""
        app = self.application
        return CertVarCredential(app.tenant_id, app.client_id, pair("bootstrap"), transport=self.entra.transport())

    def options(self, **more: Any) -> dict[str, Any]:
        """What each of Azure's clients takes beside the URL."""
        return {"credential": self.credential(), "transport": self.vault.transport(), **more}

    def certificates(self, **more: Any) -> CertificateClient:
        return CertificateClient(self.vault.vault_url, **self.options(**more))

    def secrets(self, **more: Any) -> SecretClient:
        return SecretClient(self.vault.vault_url, **self.options(**more))

    def cryptography(self, key_id: str, **more: Any) -> CryptographyClient:
        return CryptographyClient(key_id, **self.options(**more))


def scene(**options: Any) -> Scene:
    """Set one up; keyword arguments go to the vault."""
    entra = EntraEmulator()
    application = entra.add_application(pair("bootstrap"))
    return Scene(entra, KeyVaultEmulator(entra, **options), application)
