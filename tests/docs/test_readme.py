"""What the README says of the package's extras, samples and peers is so."""

from __future__ import annotations

import base64
import re
from typing import Any

import azure.core.exceptions
import azure.identity
import pytest

import azure_certvar_credential.exceptions
from azure_certvar_credential import ClientCertificate
from tests.docs import tables
from tests.docs.conftest import SAMPLES
from tests.docs.tables import GUIDES, ROOT, rows

TENANT, CLIENT = "contoso.onmicrosoft.com", "11111111-2222-3333-4444-555555555555"
# For those who work on the package itself.
OWN = {"benchmarks", "clients", "docs", "fuzz", "test"}


def test_the_extras_are_the_packages() -> None:
    pyproject = (ROOT / "pyproject.toml").read_text()
    section = pyproject.partition("[project.optional-dependencies]\n")[2].partition("\n[")[0]
    extras = set(re.findall(r"^(\w+) = \[", section, re.MULTILINE))

    assert sorted(tables.extras()) == sorted(extras - OWN)
    assert re.search(
        rf'^all = \["azure-certvar-credential\[{",".join(sorted(extras - OWN - {"all"}))}\]"\]',
        section,
        re.MULTILINE,
    )


def test_every_sample_is_linked() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / "samples" / "README.md").read_text(encoding="utf-8"))

    assert {sample.name for sample in SAMPLES} <= set(links)
    assert all((ROOT / "samples" / link).exists() for link in links)


def test_every_class_of_the_troubleshooting_guide_exists() -> None:
    for what, _ in rows("# Troubleshooting", GUIDES / "troubleshooting.md"):
        for name in re.findall(r"`(\w+Error)`", what):
            assert hasattr(azure_certvar_credential.exceptions, name) or hasattr(azure.core.exceptions, name), name


@pytest.mark.parametrize("form", ["text", "base64"])
def test_azure_identity_takes_files_and_the_bytes_of_a_pem_or_pfx_only(form: str) -> None:
    made = ClientCertificate.self_signed("readme")
    for data in (made.to_pem().encode(), made.to_pfx(None)):
        azure.identity.CertificateCredential(TENANT, CLIENT, certificate_data=data).close()

    other: Any = made.to_pem() if form == "text" else base64.b64encode(made.to_pfx(None))
    with pytest.raises((TypeError, ValueError)):
        azure.identity.CertificateCredential(TENANT, CLIENT, certificate_data=other)
