"""Importing the package costs little, and offers what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import azure_certvar_credential
from azure_certvar_credential import exceptions

ROOT = Path(__file__).parent.parent
# Measured by coverage, a program would load modules of coverage's, such as sqlite3.
UNMEASURED = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
HEAVY = ["msal", "requests", "aiohttp", "cryptography"]


def modules_after(statement: str) -> set[str]:
    """Return the modules that a new interpreter has loaded after a statement."""
    done = subprocess.run(
        [sys.executable, "-c", f"{statement}; import sys; print(*sorted(sys.modules), sep='\\n')"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        env=UNMEASURED,
    )
    return set(done.stdout.split())


def test_importing_the_package_loads_none_of_the_heavy_ones() -> None:
    loaded = modules_after("import azure_certvar_credential")
    assert "azure_certvar_credential" in loaded
    assert not loaded & set(HEAVY)


def test_a_credential_loads_neither_msal_nor_a_transport() -> None:
    loaded = modules_after("from azure_certvar_credential import CertVarCredential")
    assert "cryptography" in loaded
    assert not loaded & {"msal", "requests", "aiohttp"}


def test_the_check_would_see_a_heavy_import() -> None:
    assert "requests" in modules_after("import requests")


@pytest.mark.parametrize("module", [azure_certvar_credential, exceptions], ids=lambda module: module.__name__)
def test_the_public_names_are_sorted_and_there(module: object) -> None:
    names: list[str] = module.__all__  # type: ignore[attr-defined]
    assert names == sorted(names)
    assert len(set(names)) == len(names)
    for name in names:
        assert getattr(module, name) is not None


def test_a_name_is_the_same_object_each_time_and_where_it_is_defined() -> None:
    from azure_certvar_credential._credential import CertVarCredential
    from azure_certvar_credential.certificates import ClientCertificate
    from azure_certvar_credential.signers.protocol import Signer

    assert azure_certvar_credential.CertVarCredential is CertVarCredential
    assert azure_certvar_credential.ClientCertificate is ClientCertificate
    assert azure_certvar_credential.Signer is Signer
    assert azure_certvar_credential.exceptions is exceptions


def test_dir_lists_the_public_names_before_they_are_loaded() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import azure_certvar_credential as a; print(set(a.__all__) <= set(dir(a)), dir(a) == sorted(dir(a)))",
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split() == ["True", "True"]


def test_an_unknown_name_is_an_attribute_error_that_names_both() -> None:
    with pytest.raises(AttributeError, match="'azure_certvar_credential' has no attribute 'CertificateCredential'"):
        _ = azure_certvar_credential.CertificateCredential


def test_every_error_is_the_callers_the_servers_the_connections_or_a_use_after_closing() -> None:
    from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError, ServiceResponseTimeoutError

    others = (UserWarning, ServiceRequestError, ServiceResponseTimeoutError, exceptions.CredentialClosedError)

    for name in exceptions.__all__:
        kind = getattr(exceptions, name)
        assert issubclass(kind, (ValueError, ClientAuthenticationError, *others)), name
        assert kind.__doc__
