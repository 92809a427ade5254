"""``certvar new`` makes a certificate that signs in; its private half goes where it is asked to, and nowhere else."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from cryptography import x509

from azure_certvar_credential import CertVarCredential, ClientCertificate
from azure_certvar_credential.testing import EntraEmulator
from tests.cli.commands.conftest import GRAPH
from tests.cli.commands.kit import certvar, documented


def test_the_halves_it_makes_sign_in(tmp_path: Path) -> None:
    cer = tmp_path / "app.cer"

    ran = certvar("new", "my app", "--key", "RSA-2048", "--public", str(cer))

    assert ran.code == 0
    assert ran.out.count("\n") == 1
    loaded = ClientCertificate.load(ran.out)
    assert cer.read_text() == loaded.public_pem()
    entra = EntraEmulator()
    application = entra.add_application(cer.read_bytes())
    with CertVarCredential(
        application.tenant_id, application.client_id, ran.out, transport=entra.transport()
    ) as credential:
        assert credential.get_token(f"{GRAPH}/.default").token


def test_it_says_what_to_do_with_each_half_without_showing_the_private_one(tmp_path: Path) -> None:
    ran = certvar("new", "my app", "--key", "RSA-2048", "--public", str(tmp_path / "app.cer"))

    said = " ".join(ran.err.split())
    command = f"az ad app credential reset --id CLIENT_ID --cert @{tmp_path / 'app.cer'} --append"
    # Lines are wrapped at 80 columns, a long path too.
    assert command.replace(" ", "") in said.replace(" ", "")
    assert "Certificates & secrets" in said
    assert "certvar doctor" in said
    assert ran.out.strip() not in ran.err
    assert [file.name for file in tmp_path.iterdir()] == ["app.cer"]
    assert "PRIVATE" not in (tmp_path / "app.cer").read_text()


def test_a_password_encrypts_the_private_half() -> None:
    ran = certvar("new", "app", "--key", "EC-P256", "--password", "env:PASSWORD", PASSWORD="hunter2")

    assert ClientCertificate.load(ran.out, "hunter2").subject == "CN=app"
    assert "hunter2" not in ran.err


@pytest.mark.parametrize(
    ("arguments", "finding"),
    [(["--days", "365"], "long-lived"), (["--key", "EC-P256"], "not-rsa"), (["--days", "180"], None)],
    ids=["a year", "an EC key", "Microsoft's recommendation"],
)
def test_it_warns_of_what_a_tenants_policy_refuses(arguments: list[str], finding: str | None) -> None:
    key = [] if "--key" in arguments else ["--key", "RSA-2048"]

    ran = certvar("new", "app", *key, *arguments)

    assert ran.code == 0
    for name in ("long-lived", "not-rsa"):
        assert (name in ran.err) == (name == finding)


def test_json_has_the_private_half_only_by_name() -> None:
    refused = certvar("new", "app", "--key", "EC-P256", "--json")
    shown = certvar("new", "app", "--key", "EC-P256", "--json", "--show-key", "--form", "graph")

    assert refused.code == 2
    assert "--show-key" in refused.json["error"]["hint"]
    assert list(shown.json) == ["subject", "thumbprint", "not_after", "public", "private", "findings"]
    assert set(shown.json) <= documented("new")
    assert ClientCertificate.load(shown.json["private"]).thumbprint == shown.json["thumbprint"]
    member = json.loads(shown.json["public"])
    assert x509.load_der_x509_certificate(base64.b64decode(member["key"])).subject.rfc4514_string() == "CN=app"


@pytest.mark.parametrize(
    "arguments",
    [
        ["app", "--days", "0"],
        ["app", "--days", "40000"],
        ["app", "--key", "RSA-512"],
        ["CN=app"],
        ["n" * 65],
        ["app", "--to", "github:repo"],
        ["app", "--to", "keyvault:https://contoso.vault.azure.net/secrets/app"],
        ["app", "--to", "keyvault:https://contoso.vault.azure.net/certificates/app/0123"],
        ["app", "--password", "hunter2"],
        ["app", "--password", "env:NOT_SET"],
    ],
    ids=lambda arguments: " ".join(arguments)[:40],
)
def test_bad_input_is_wrong_usage_and_is_not_repeated_where_it_may_be_a_secret(arguments: list[str]) -> None:
    ran = certvar("new", *arguments)

    assert (ran.code, ran.out) == (2, "")
    assert "hunter2" not in ran.err
