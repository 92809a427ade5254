"""Every sample runs as a program, and is short enough to be read at once."""

from __future__ import annotations

import ast
import base64
import re
import shlex
import socket
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import requests
from azure.storage.blob import BlobServiceClient, generate_container_sas
from cryptography.hazmat.primitives.serialization import Encoding

from azure_certvar_credential import CertVarCredential, ClientCertificate
from azure_certvar_credential.testing import TOKEN_CACHE_CONTRACT
from tests.docs.conftest import ROOT, SAMPLES, Stage
from tests.docs.installed import ALWAYS, NEEDED
from tests.docs.local_runs import docstring_of, promised
from tests.docs.providers import at_provider, run_with, server_context
from tests.real.servers.azurite import Azurite
from tests.real.servers.graph import USERS
from tests.real.servers.https import HttpsServer, Request, Response
from tests.real.servers.mcp_server import McpServer
from tests.real.servers.oidc_provider import OidcProvider
from tests.real.servers.tls import TlsFiles
from tests.real.softhsm import ORDERS, PIN, SoftHsm, certificate_for, signer_of

# The samples that are not one program; a notebook is JSON.
PROJECTS = [ROOT / "samples" / "github_actions.yml", *(ROOT / "samples" / "test_your_app").glob("*.*")]


def test_upload_blob(stage: Stage, azurite: Azurite) -> None:
    sample = ROOT / "samples" / "upload_blob.py"

    # The sample of a workflow may have made the container in the same Azurite.
    first = stage.play(sample, STORAGE_ACCOUNT_URL=azurite.account_url).stdout
    first = first.removeprefix("the container already exists\n")
    second = stage.play(sample, STORAGE_ACCOUNT_URL=azurite.account_url).stdout

    assert re.fullmatch(promised("upload_blob.py"), first)
    assert second == f"the container already exists\n{first}"


def test_graph_users(stage: Stage) -> None:
    output = stage.play(ROOT / "samples" / "graph_users.py").stdout

    assert output.splitlines() == list(USERS)


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

    assert re.fullmatch(promised("hsm_key.py"), output)
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

    assert re.fullmatch(promised("key_vault_certificate.py"), output)
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

    assert re.fullmatch(promised("rotate_without_restart.py"), result.stdout)
    assert re.findall("signing with (.+)", result.stdout) == [before.x5t_s256, after.x5t_s256]
    # One token was got with each certificate, and what was asked in between came from the cache.
    asked = [(entry.form["scope"], entry.assertion_header or {}, entry.status) for entry in stage.entra.requests]
    assert [(scope, header["x5t#S256"], status) for scope, header, status in asked] == [
        ("https://graph.microsoft.com/.default", before.x5t_s256, 200),
        ("https://management.azure.com/.default", after.x5t_s256, 200),
    ]


def test_openid_provider(fapi_provider: OidcProvider, server_tls: TlsFiles) -> None:
    variables = at_provider(fapi_provider, "api://orders/.default")

    def greet(request: Request) -> Response:
        claims = fapi_provider.verified_claims(request.headers["authorization"].removeprefix("Bearer "))
        return Response(200, {"Content-Type": "text/plain"}, f"hello {claims['client_id']}".encode())

    with HttpsServer(server_context(server_tls), greet) as api:
        output = run_with("openid_provider.py", {**variables, "API_URL": f"https://localhost:{api.port}/"})

    assert re.fullmatch(promised("openid_provider.py"), output)
    assert output.count(f"hello {variables['AZURE_CLIENT_ID']}") == 3


def test_mcp_client(fapi_provider: OidcProvider, server_tls: TlsFiles) -> None:
    with McpServer(fapi_provider, server_tls) as server:
        variables = at_provider(fapi_provider, f"{server.url}/.default")
        output = run_with("mcp_client.py", {**variables, "MCP_URL": server.url})

    assert re.fullmatch(promised("mcp_client.py"), output)
    assert output == "tools: orders\n"
    assert server.callers == {variables["AZURE_CLIENT_ID"]}


def test_cron_job_with_what_it_names(stage: Stage, tmp_path: Path) -> None:
    cache = {"TOKEN_CACHE": str(tmp_path / "private" / "tokens.db")}
    output = "".join(stage.play(ROOT / "samples" / "cron_job.py", **cache).stdout for _ in range(2))

    assert re.fullmatch(promised("cron_job.py"), output)
    assert len(stage.entra.requests) == 1


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


def test_own_token_cache(stage: Stage, azurite: Azurite) -> None:
    server = stage.entra.serve()
    with server:
        credential = CertVarCredential(
            stage.environment["AZURE_TENANT_ID"],
            stage.environment["AZURE_CLIENT_ID"],
            stage.environment["APP_CERT"],
            authority=server.authority,
            disable_instance_discovery=True,
            connection_verify=server.ca_file,
        )
        with (
            credential,
            BlobServiceClient(azurite.account_url, credential=credential, connection_verify=azurite.ca_file) as service,
        ):
            container = service.create_container("tokens")
            ends = datetime.now(timezone.utc) + timedelta(hours=1)
            sas = generate_container_sas(
                str(service.account_name),
                "tokens",
                user_delegation_key=service.get_user_delegation_key(datetime.now(timezone.utc), ends),
                permission="rcwd",
                expiry=ends,
            )

    output = stage.play(ROOT / "samples" / "own_token_cache.py", TOKEN_CONTAINER_URL=f"{container.url}?{sas}").stdout

    assert output == f"{len(TOKEN_CACHE_CONTRACT)} checks passed\n"


@pytest.mark.parametrize("sample", [*SAMPLES, *PROJECTS], ids=lambda path: path.name)
def test_a_sample_is_short(sample: Path) -> None:
    assert len(sample.read_text().splitlines()) <= 60


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_says_what_to_install(sample: Path) -> None:
    line = re.search(r"^    pip install (.+)$", docstring_of(sample.name), re.MULTILINE)
    assert line
    package, *others = shlex.split(line[1])
    extras = re.fullmatch(r"\.\[(.+)\]", package)
    assert extras
    installed = {*extras[1].split(","), *others}

    modules, names = set(), set()
    for node in ast.walk(ast.parse(sample.read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add(str(node.module))
            names |= {alias.name for alias in node.names}
    foreign = {module for module in modules if module.partition(".")[0] not in sys.stdlib_module_names}

    assert {module for module in foreign if not module.startswith(ALWAYS)} <= NEEDED.keys()
    assert installed == {NEEDED[name] for name in (modules | names) & NEEDED.keys()}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_says_which_variables_to_set(sample: Path) -> None:
    source = sample.read_text()
    read = set(re.findall(r"""(?:environ\[|environ\.get\(|EnvironmentCertificate\()["'](\w+)["']""", source))

    assert read
    assert read <= set(re.findall(r"\w+", docstring_of(sample.name)))
