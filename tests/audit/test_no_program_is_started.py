"""A first token starts no program: that takes longer than the request, and sandboxes forbid it."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import asyncio, sys
from azure_certvar_credential import ClientCertificate
from {module} import {name}
from azure_certvar_credential.testing import EntraEmulator

STARTS = {{"subprocess.Popen", "os.posix_spawn"}}
sys.addaudithook(lambda event, given: print(event, given) if event in STARTS else None)
certificate, entra = ClientCertificate.self_signed("example"), EntraEmulator()
application = entra.add_application(certificate.leaf)
arguments = application.tenant_id, application.client_id, certificate.to_pem()
with entra.serve() as server:
    options = {{"authority": server.authority, "connection_verify": server.ca_file, "disable_instance_discovery": True}}
    credential = {name}(*arguments, **options)
    {get_token}
print(len(entra.requests))
"""
ASYNC = """async def main():
        async with credential:
            await credential.get_token("https://storage.azure.com/.default")
    asyncio.run(main())"""
SYNC = """with credential:
        credential.get_token("https://storage.azure.com/.default")"""
PACKAGE = "azure_certvar_credential"


@pytest.mark.parametrize(
    ("module", "name", "get_token"),
    [
        (PACKAGE, "CertVarCredential", SYNC),
        (f"{PACKAGE}.aio", "CertVarCredential", ASYNC),
        (f"{PACKAGE}.msal", "MsalCertVarCredential", SYNC),
        (f"{PACKAGE}.aio", "MsalCertVarCredential", ASYNC),
    ],
    ids=["sync", "aio", "MSAL", "aio MSAL"],
)
def test_a_first_token_starts_no_program(module: str, name: str, get_token: str) -> None:
    text = PROGRAM.format(module=module, name=name, get_token=get_token)
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("1\n", "")
