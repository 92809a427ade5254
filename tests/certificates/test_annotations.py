"""Every public annotation of certificates and signers can be resolved at run time."""

from __future__ import annotations

import inspect
import subprocess
import sys
import typing
from pathlib import Path
from typing import Any

import pytest

from azure_certvar_credential import certificates
from azure_certvar_credential.certificates.sources import Certificate
from azure_certvar_credential.signers.callback import AsyncCallbackSigner, CallbackSigner
from azure_certvar_credential.signers.pkcs11 import Pkcs11Signer
from azure_certvar_credential.signers.protocol import AsyncSigner, RemoteSigner, Signer

ROOT = Path(__file__).parents[2]
CLASSES = [
    certificates.CertificateSource,
    certificates.ClientCertificate,
    certificates.DescriptorCertificate,
    certificates.EnvironmentCertificate,
    AsyncCallbackSigner,
    AsyncSigner,
    CallbackSigner,
    Pkcs11Signer,
    RemoteSigner,
    Signer,
]


def functions(kind: type) -> list[tuple[str, Any]]:
    """Return the functions of a class by name, those behind properties and class methods included."""
    found = []
    for name, member in vars(kind).items():
        function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        if inspect.isfunction(function):
            found.append((name, function))
    return found


@pytest.mark.parametrize(
    "function", [pytest.param(each, id=f"{kind.__name__}.{name}") for kind in CLASSES for name, each in functions(kind)]
)
def test_the_annotations_of_a_function_resolve(function: Any) -> None:
    hints = typing.get_type_hints(function)
    parameters = inspect.signature(function, eval_str=True).parameters
    assert set(inspect.get_annotations(function)) == set(hints)
    assert not any(isinstance(each.annotation, str) for each in parameters.values())


def test_load_takes_certificate_data_and_a_credential_a_source_too() -> None:
    assert typing.get_type_hints(certificates.ClientCertificate.load)["data"] == certificates.CertificateData
    forms = set(typing.get_args(certificates.CertificateData))
    assert {str, bytes, certificates.ClientCertificate} < forms < set(typing.get_args(Certificate))


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
