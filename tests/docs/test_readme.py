"""Every snippet of the README runs as it stands there, those of its tables too."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import azure.identity
import pytest
from azure.keyvault.secrets import KeyVaultSecret, SecretProperties
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

import azure_certvar_credential
import azure_certvar_credential.keyvault
from azure_certvar_credential import CertVarCredential, ClientCertificate
from tests.docs.conftest import ROOT, SAMPLES, Stage
from tests.real.servers.azurite import Azurite

README = ROOT / "README.md"
TENANT, CLIENT = "contoso.onmicrosoft.com", "11111111-2222-3333-4444-555555555555"


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    below = README.read_text().partition(f"\n{heading}\n")[2]
    table = re.search(r"(?:^\|.*\n)+", below, re.MULTILINE)
    assert table, heading
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table[0].splitlines()[2:]]


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_every_python_snippet_of_the_readme_runs(stage: Stage, azurite: Azurite) -> None:
    staged = replace(stage, names={**stage.names, "account_url": azurite.account_url})

    output = staged.play(README).stdout

    fenced = [number for number, line in enumerate(README.read_text().splitlines(), 1) if line == "```python"]
    ran = [int(line) for line in re.findall(r"^ran README\.md, line (\d+)$", output, re.MULTILINE)]
    assert fenced
    # More may run than a reader sees: set-up in comments.
    assert set(fenced) <= set(ran)
    # What the comments in the snippets say of their output.
    assert "the certificate looks like a file path" in output
    assert "\n(700027,) The certificate is not on the app registration" in output
    # What is Python to a reader and not to the parser would run nowhere, unseen.
    assert not re.search(r"^[ \t]*```[ \t]*(py|python3|pycon)\b|^[ \t]+```python", README.read_text(), re.MULTILINE)


@pytest.fixture(scope="module")
def made() -> ClientCertificate:
    return ClientCertificate.self_signed("readme")


@pytest.fixture
def names(made: ClientCertificate, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the code in the tables speaks of; every password in it is a dot of omission."""
    password = "…"
    pfx = made.to_pfx(password)
    loaded = pkcs12.load_pkcs12(pfx, password.encode())
    assert loaded.key is not None
    unprotected = base64.b64encode(made.to_pfx(None)).decode()
    for name in ("APP_CERT", "AZURE_CLIENT_CERTIFICATE"):
        monkeypatch.setenv(name, unprotected)
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)
    secret = KeyVaultSecret(SecretProperties(content_type="application/x-pkcs12"), unprotected)
    return {
        **{name: getattr(azure_certvar_credential, name) for name in azure_certvar_credential.__all__},
        "KeyVaultCertificate": azure_certvar_credential.keyvault.KeyVaultCertificate,
        "tenant_id": TENANT,
        "client_id": CLIENT,
        "pem": made.to_pem(),
        "encrypted_pem": made.to_pem(password),
        "pfx_bytes": pfx,
        "json_text": json.dumps({"contentType": "application/x-pkcs12", "value": unprotected}),
        "certificate_der": made.public_der(),
        "key_der": loaded.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        "leaf": made.leaf,
        "key": loaded.key,
        "others": [],
        "loaded": loaded,
        "secret_client": SimpleNamespace(get_secret=lambda _: secret),
        "sign": made.signer.sign,
        "vault_url": "https://contoso.vault.azure.net",
        "credential": CertVarCredential(TENANT, CLIENT, made),
        "os": __import__("os"),
    }


@pytest.mark.parametrize("row", rows("## Which input do I have?"), ids=lambda row: re.sub(r"\W+", " ", row[0]).strip())
def test_each_input_of_the_table_is_taken(row: list[str], names: dict[str, Any], made: ClientCertificate) -> None:
    expression = code(row[1])[0].replace("[…]", "others")
    if "encrypted" in row[0]:
        expression = expression.replace("pem", "encrypted_pem")

    value = eval(expression, names)  # noqa: S307 - the README's own

    if row[0] == "nothing yet":
        assert isinstance(value, ClientCertificate)
    else:
        assert isinstance(value, CertVarCredential)
        assert f"thumbprint={made.thumbprint}" in repr(value)


@pytest.mark.parametrize("row", rows("## Key Vault and HSM"), ids=lambda row: row[0])
def test_each_place_of_the_table_is_taken(row: list[str], names: dict[str, Any]) -> None:
    expression, extra = code(row[1])[0], code(row[2])
    assert set(extra) <= {cell for [cells, _] in rows("## Use it") for cell in code(cells)}
    if "Pkcs11Signer" in expression:
        return  # needs a module: samples/hsm_key.py has it

    value = eval(expression, names)  # noqa: S307 - the README's own

    credential = value if isinstance(value, CertVarCredential) else CertVarCredential(TENANT, CLIENT, value)
    assert CLIENT in repr(credential)


@pytest.mark.parametrize("row", rows("## Other clouds and other servers"), ids=lambda row: row[0])
def test_each_authority_of_the_table_is_taken(row: list[str], names: dict[str, Any]) -> None:
    arguments = [text for text in code(row[1]) if "=" in text]
    given: dict[str, Any] = eval(f"dict({', '.join(arguments)})", names)  # noqa: S307 - the README's own
    assert given

    CertVarCredential(given.pop("tenant_id", TENANT), CLIENT, names["pem"], **given)


def test_the_extras_of_the_table_are_the_packages() -> None:
    pyproject = (ROOT / "pyproject.toml").read_text()
    section = pyproject.partition("[project.optional-dependencies]\n")[2].partition("\n[")[0]
    extras = set(re.findall(r"^(\w+) = \[", section, re.MULTILINE))

    listed = [cell for [cells, _] in rows("## Use it") for cell in code(cells)]

    assert sorted(listed) == sorted(extras - {"test", "fuzz", "clients"})
    assert re.search(
        rf'^all = \["azure-certvar-credential\[{",".join(sorted(extras - {"test", "fuzz", "clients", "all"}))}\]"\]',
        section,
        re.MULTILINE,
    )


def test_every_class_of_the_errors_table_exists() -> None:
    for cells in rows("## Errors"):
        for name in code(cells[0]):
            assert issubclass(getattr(azure_certvar_credential.exceptions, name), Exception)


def test_every_sample_is_linked() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README.read_text())

    assert {f"samples/{sample.name}" for sample in SAMPLES} <= set(links)
    assert all((ROOT / link).is_file() for link in links)


@pytest.mark.parametrize("form", ["text", "base64"])
def test_azure_identity_takes_files_and_the_bytes_of_a_pem_or_pfx_only(form: str, made: ClientCertificate) -> None:
    for data in (made.to_pem().encode(), made.to_pfx(None)):
        azure.identity.CertificateCredential(TENANT, CLIENT, certificate_data=data).close()

    other: Any = made.to_pem() if form == "text" else base64.b64encode(made.to_pfx(None))
    with pytest.raises((TypeError, ValueError)):
        azure.identity.CertificateCredential(TENANT, CLIENT, certificate_data=other)
