"""The migration guide names every parameter of azure-identity's class, and what it says of each is so."""

from __future__ import annotations

import inspect
import re
from typing import Any

import azure.identity
import azure.identity.aio
import pytest

from azure_certvar_credential import CertVarCredential, ClientCertificate
from azure_certvar_credential.exceptions import UnknownOptionError
from tests.docs.tables import GUIDES, code, rows

TENANT, CLIENT = "contoso.onmicrosoft.com", "11111111-2222-3333-4444-555555555555"
PAGE = GUIDES / "migration.md"
ROWS = rows("## From azure-identity", PAGE)
# A value of each keyword that is the same here.
SAME: dict[str, Any] = {
    "password": "open sesame",
    "send_certificate_chain": True,
    "authority": "login.microsoftonline.us",
    "disable_instance_discovery": True,
    "additionally_allowed_tenants": ["fabrikam.onmicrosoft.com"],
    "proxies": {"https": "http://proxy.contoso.com:8080"},
    "connection_verify": False,
    "retry_total": 5,
    "policies": None,
    "transport": None,
}


def parameters(kind: type) -> set[str]:
    """The named parameters of a class, and the keywords that its documentation lists."""
    named = set(inspect.signature(kind).parameters) - {"kwargs"}
    return named | set(re.findall(r":keyword (?:[\w\[\]]+ )?(\w+):", inspect.getdoc(kind) or ""))


@pytest.mark.parametrize("module", [azure.identity, azure.identity.aio], ids=lambda module: module.__name__)
def test_every_parameter_has_a_row(module: Any) -> None:
    named = {name for row in ROWS for name in code(row[0])}

    found = parameters(module.CertificateCredential)

    assert {"tenant_id", "certificate_data", "cache_persistence_options"} <= found
    assert found <= named


@pytest.mark.parametrize("name", sorted({name for row in ROWS for name in code(row[0])} & SAME.keys()))
def test_what_is_the_same_is_taken(name: str) -> None:
    made = ClientCertificate.self_signed("migrated")
    data = made.to_pfx("open sesame" if name == "password" else None)

    CertVarCredential(TENANT, CLIENT, certificate_data=data, **{name: SAME[name]}).close()


@pytest.mark.parametrize("row", [row for row in ROWS if not row[1].startswith("the same")], ids=lambda row: row[0])
def test_what_is_not_the_same_says_what_to_write(row: list[str]) -> None:
    [name], [remedy, *_] = code(row[0]), code(row[1])

    with pytest.raises(UnknownOptionError) as refused:
        CertVarCredential(TENANT, CLIENT, **{name: "x"})  # type: ignore[arg-type]

    assert remedy.partition("(")[0].partition("path")[0].rstrip("(") in str(refused.value)


def test_no_row_is_without_a_test() -> None:
    same = {name for row in ROWS if row[1].startswith("the same") for name in code(row[0])}
    # The first two, and the certificate itself, are what every other test passes.
    assert same - {"tenant_id", "client_id", "certificate_data"} == SAME.keys()
