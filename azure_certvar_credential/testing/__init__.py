"""A local Microsoft Entra ID, Key Vault and Instance Metadata Service for tests and demonstrations.

The local Entra verifies client assertions as Entra does, issues access tokens that real resource servers accept, and
fails on demand. It uses PyJWT and ``cryptography`` and shares no code with the rest of this package. Install it with
``pip install 'azure-certvar-credential[testing]'``.

>>> entra = EntraEmulator()
>>> application = entra.add_application(pem)
>>> with entra.serve() as server:
...     credential = CertVarCredential(application.tenant_id, application.client_id, pem, authority=server.authority,
...                                    disable_instance_discovery=True, connection_verify=server.ca_file)
...     token = credential.get_token("https://graph.microsoft.com/.default")

The other examples use an ``entra``, ``application`` and ``credential`` made in this way, and a ``vault`` with the
certificate ``app``.

``add_user`` and ``issue_user_token`` make the token that a front end presents to a middle tier; the middle tier
exchanges it on behalf of the user.

``TOKEN_CACHE_CONTRACT`` are checks for a token cache of one's own.

The package is also a pytest plugin, with the fixtures ``entra``, ``entra_server`` and ``key_vault``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from azure_certvar_credential.testing.entra.directory.model import Application, Tenant, User
    from azure_certvar_credential.testing.entra.emulator import EntraEmulator, EntraServer
    from azure_certvar_credential.testing.entra.protected import PROTECTED_RESOURCE
    from azure_certvar_credential.testing.entra.records import TokenRequest
    from azure_certvar_credential.testing.entra.settings import Settings
    from azure_certvar_credential.testing.faults import Fault
    from azure_certvar_credential.testing.http import Request, Response
    from azure_certvar_credential.testing.instance_metadata.emulator import (
        InstanceMetadataEmulator,
        InstanceMetadataServer,
    )
    from azure_certvar_credential.testing.key_vault.emulator import KeyVaultEmulator, KeyVaultServer
    from azure_certvar_credential.testing.key_vault.records import KeyVaultRequest
    from azure_certvar_credential.testing.token_cache import TOKEN_CACHE_CONTRACT
    from azure_certvar_credential.testing.transport import AsyncEmulatorTransport, EmulatorTransport

__all__ = [
    "PROTECTED_RESOURCE",
    "TOKEN_CACHE_CONTRACT",
    "Application",
    "AsyncEmulatorTransport",
    "EmulatorTransport",
    "EntraEmulator",
    "EntraServer",
    "Fault",
    "InstanceMetadataEmulator",
    "InstanceMetadataServer",
    "KeyVaultEmulator",
    "KeyVaultRequest",
    "KeyVaultServer",
    "Request",
    "Response",
    "Settings",
    "Tenant",
    "TokenRequest",
    "User",
]

# pytest loads the plugin, and with it this package, in every test run where the package is installed; so each name is
# imported on first use.
_HOMES = {
    "PROTECTED_RESOURCE": "entra.protected",
    "TOKEN_CACHE_CONTRACT": "token_cache",
    "Application": "entra.directory.model",
    "AsyncEmulatorTransport": "transport",
    "EmulatorTransport": "transport",
    "EntraEmulator": "entra.emulator",
    "EntraServer": "entra.emulator",
    "Fault": "faults",
    "InstanceMetadataEmulator": "instance_metadata.emulator",
    "InstanceMetadataServer": "instance_metadata.emulator",
    "KeyVaultEmulator": "key_vault.emulator",
    "KeyVaultRequest": "key_vault.records",
    "KeyVaultServer": "key_vault.emulator",
    "Request": "http",
    "Response": "http",
    "Settings": "entra.settings",
    "Tenant": "entra.directory.model",
    "TokenRequest": "entra.records",
    "User": "entra.directory.model",
}

# The modules of the ``testing`` extra.
_EXTRA = frozenset({"jwt", "trustme"})


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in _EXTRA:
            raise
        raise ImportError(
            f"the local Entra needs {error.name}: pip install 'azure-certvar-credential[testing]'", name=error.name
        ) from error


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
