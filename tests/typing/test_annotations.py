"""Every public annotation of certificates and signers can be resolved at run time."""

from __future__ import annotations

import inspect
import subprocess
import sys
import typing
from pathlib import Path
from typing import Any

import pytest

import azure_certvar_credential
import azure_certvar_credential.keyvault.aio
import azure_certvar_credential.msal
import azure_certvar_credential.telemetry
from azure_certvar_credential import ClientCertificate, aio, certificates, exceptions, keyvault

ROOT = Path(__file__).parents[2]
MODULES = [azure_certvar_credential, aio, exceptions, keyvault, azure_certvar_credential.keyvault.aio]
MODULES += [azure_certvar_credential.msal, azure_certvar_credential.telemetry]


def functions(owner: Any) -> dict[str, Any]:
    """Return the functions of a public class by name, inherited ones too, or the function that a public name is."""
    if not isinstance(owner, type):
        return {owner.__name__: owner} if inspect.isfunction(owner) else {}
    found = {}
    for kind in reversed(owner.__mro__):
        if not kind.__module__.startswith(azure_certvar_credential.__name__):
            continue
        for name, member in vars(kind).items():
            function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
            if inspect.isfunction(function) and (name == "__init__" or not name.startswith("_")):
                found[name] = inspect.unwrap(function)
    return found


FUNCTIONS = [
    pytest.param(function, id=f"{module.__name__.removeprefix('azure_certvar_credential')}.{public}.{name}")
    for module in MODULES
    for public in module.__all__
    for name, function in functions(getattr(module, public)).items()
]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_annotations_of_a_public_function_resolve(function: Any) -> None:
    hints = typing.get_type_hints(function)
    parameters = inspect.signature(function, eval_str=True).parameters
    assert set(inspect.get_annotations(function)) == set(hints)
    assert not any(isinstance(each.annotation, str) for each in parameters.values())


def test_every_public_class_has_functions_among_them() -> None:
    names = {str(each.id) for each in FUNCTIONS}
    for name in (".CertVarCredential.__init__", ".aio.FederatedCredential.get_token", ".msal.client_credential"):
        assert any(each.startswith(name) for each in names), name


def test_load_takes_certificate_data_and_a_credential_a_source_too() -> None:
    assert typing.get_type_hints(ClientCertificate.load)["data"] == certificates.CertificateData
    forms = set(typing.get_args(certificates.CertificateData))
    assert {str, bytes, ClientCertificate} < forms
    taken = typing.get_type_hints(inspect.unwrap(azure_certvar_credential.CertVarCredential.__init__))["certificate"]
    assert forms < set(typing.get_args(taken))


def test_resolving_them_loads_no_optional_package() -> None:
    program = (
        "import sys, typing; from azure_certvar_credential.certificates import ClientCertificate;"
        "typing.get_type_hints(ClientCertificate.load); print(*sys.modules, sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True, timeout=60
    )
    loaded = set(done.stdout.split())
    assert "cryptography" in loaded
    assert not loaded & {"azure.keyvault", "msal", "pkcs11", "requests", "aiohttp"}
