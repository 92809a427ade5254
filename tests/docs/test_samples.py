"""Every sample runs as a program, and is short enough to be read at once."""

from __future__ import annotations

import ast
import base64
import socket
from pathlib import Path

import pytest
import requests
from cryptography.hazmat.primitives.serialization import Encoding

from azure_certvar_credential import ClientCertificate
from tests.docs.conftest import ROOT, Stage
from tests.real.servers.azurite import Azurite
from tests.real.servers.graph import USERS
from tests.real.softhsm import ORDERS, PIN, SoftHsm, certificate_for, signer_of

SAMPLES = sorted((ROOT / "samples").glob("*.py"))


def test_upload_blob(stage: Stage, azurite: Azurite) -> None:
    sample = ROOT / "samples" / "upload_blob.py"

    first = stage.play(sample, STORAGE_ACCOUNT_URL=azurite.account_url).stdout
    second = stage.play(sample, STORAGE_ACCOUNT_URL=azurite.account_url).stdout

    assert "Hello from a certificate in a variable." in first
    assert "the container is there already" not in first
    assert "the container is there already" in second


def test_graph_users(stage: Stage) -> None:
    assert stage.play(ROOT / "samples" / "graph_users.py").stdout.splitlines() == list(USERS)


def test_hsm_key(stage: Stage, azurite: Azurite, softhsm: SoftHsm) -> None:
    with signer_of(softhsm, key_label="app") as signer:
        leaf = certificate_for(signer.public_key)
    application = stage.entra.add_application(leaf)

    output = stage.play(
        ROOT / "samples" / "hsm_key.py",
        **softhsm.environment,
        AZURE_TENANT_ID=application.tenant_id,
        AZURE_CLIENT_ID=application.client_id,
        APP_CERT_PUBLIC=leaf.public_bytes(Encoding.PEM).decode(),
        PKCS11_MODULE=softhsm.module,
        PKCS11_TOKEN=ORDERS,
        PKCS11_KEY="app",
        PKCS11_PIN=PIN,
        STORAGE_ACCOUNT_URL=azurite.account_url,
    ).stdout

    assert "signed in with <Pkcs11Signer RSA 2048, token 'orders', key 'app'>" in output
    assert " containers: " in output
    assert PIN not in output


@pytest.mark.parametrize("exportable", [True, False])
def test_key_vault_certificate(stage: Stage, exportable: bool) -> None:
    certificate = ClientCertificate.self_signed("stored")
    application = stage.entra.add_application(certificate)
    stage.vault.add_certificate("app", certificate, exportable=exportable)
    environment = {
        "VAULT_CLIENT_ID": stage.environment["AZURE_CLIENT_ID"],
        "AZURE_CLIENT_ID": application.client_id,
        "KEY_VAULT_CERTIFICATE": "app",
    }

    output = stage.play(ROOT / "samples" / "key_vault_certificate.py", **environment).stdout

    assert certificate.thumbprint in output
    assert f"signs {'in memory' if exportable else 'in the vault'}" in output
    assert stage.entra.requests[-1].form["client_id"] == application.client_id
    assert stage.entra.requests[-1].status == 200


def test_rotate_without_restart(stage: Stage) -> None:
    before, after = ClientCertificate.self_signed("before"), ClientCertificate.self_signed("after")
    application = stage.entra.add_application(before, after)

    result = stage.play(
        ROOT / "samples" / "rotate_without_restart.py",
        AZURE_CLIENT_ID=application.client_id,
        APP_CERT=before.to_pem(),
        APP_CERT_NEXT=base64.b64encode(after.to_pfx(None)).decode(),
    )

    assert f"none failed; {before.thumbprint} was replaced by {after.thumbprint}" in result.stdout
    assert f"thumbprint={after.thumbprint}" in result.stdout
    assert "the certificate changed from" in result.stderr


def free_port() -> int:
    """Return a port that nobody listens on; older versions of aiohttp do not tell which one they were given for 0."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def test_on_behalf_of(stage: Stage) -> None:
    application = stage.application
    user = stage.entra.add_user("Adele Vance")

    def ask(url: str, authorization: str | None) -> requests.Response:
        headers = {} if authorization is None else {"Authorization": authorization}
        with requests.Session() as session:
            session.trust_env = False  # the machine's proxies are no part of a test
            return session.get(f"{url}/orders", headers=headers, timeout=30)

    with stage.serve(
        ROOT / "samples" / "on_behalf_of.py",
        PORT=str(free_port()),
        ORDERS_URL="https://orders.contoso.example/protected/user/Orders.Read",
        ORDERS_SCOPE="api://protected/Orders.Read",
    ) as url:
        token = stage.entra.issue_user_token(user, application)
        answers = [ask(url, f"Bearer {token}") for _ in range(3)]
        nobody, garbage = ask(url, None), ask(url, "Bearer hello")
        expired = ask(url, f"Bearer {stage.entra.issue_user_token(user, application, lifetime=-600)}")
        stage.entra.require_step_up("api://protected")
        demanded = ask(url, f"Bearer {stage.entra.issue_user_token(user, application)}")

    for answer in answers:
        assert answer.status_code == 200, answer.text
        # The next API has verified the exchanged token, and tells whom it is for and who calls.
        assert (answer.json()["oid"], answer.json()["appid"]) == (user.object_id, application.client_id)
        assert answer.json()["scp"] == "Orders.Read"
    assert (nobody.status_code, garbage.status_code, expired.status_code, demanded.status_code) == (401, 401, 401, 401)
    assert expired.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert 'error="insufficient_claims", claims="' in demanded.headers["WWW-Authenticate"]
    exchanges = [request for request in stage.entra.requests if request.form.get("requested_token_use")]
    assert [request.status for request in exchanges] == [200, 400, 400], "what is no token is not sent"


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_short_and_has_a_test(sample: Path) -> None:
    source = sample.read_text()

    assert len(source.splitlines()) <= 60
    assert ast.get_docstring(ast.parse(source))
    assert f"test_{sample.stem}" in globals(), f"no test runs {sample.name}: add test_{sample.stem} to this module"
