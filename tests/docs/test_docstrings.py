"""The examples in the docstrings of the public names run, and every class that users make has one."""

from __future__ import annotations

import re
from dataclasses import replace

from tests.docs.conftest import Stage
from tests.real.servers.azurite import Azurite
from tests.real.softhsm import PIN, SoftHsm

# By the module that shows it; CertVarCredential and the emulators stand in the docstrings of their modules.
WITH_EXAMPLE = {
    "": ["CertificateSource", "CallbackSigner", "AsyncCallbackSigner", "ClientCertificate", "CredentialStatus"],
    ".aio": ["RedisTokenCache"],
    ".keyvault": ["KeyVaultSigner"],
    ".msal": ["client_credential"],
    ".testing": [],
}


def test_the_examples_run(stage: Stage, azurite: Azurite, softhsm: SoftHsm) -> None:
    more = {
        "account_url": azurite.account_url,
        "module": softhsm.module,
        "pin": PIN,
    }
    played = replace(stage, names={**stage.names, **more}).play(
        "--docstrings", AZURE_CLIENT_CERTIFICATE=stage.environment["APP_CERT"], **softhsm.environment
    )

    ran = set(re.findall(r"^ran docstring (\S+)$", played.stdout, re.MULTILINE))
    for module, names in WITH_EXAMPLE.items():
        assert f"azure_certvar_credential{module}" in ran
        assert {f"azure_certvar_credential{module}.{name}" for name in names} <= ran
