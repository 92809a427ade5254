"""``certvar emulator``, run as a program: clients that nobody here wrote sign in, and it ends cleanly."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import urllib.request
from pathlib import Path
from typing import Any

import azure.identity
import msal
import pytest
from azure.core.exceptions import ClientAuthenticationError

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.keyvault import KeyVaultCertificate
from tests.cli.commands.kit import certvar
from tests.cli.servers.programs import CERTVAR, SCOPE, Server, environment, run

UNKNOWN = "5d1e7f3a-0000-4000-8000-000000000000"


def identity_client(exports: dict[str, str], **changed: str) -> azure.identity.CertificateCredential:
    found = {**exports, **changed}
    return azure.identity.CertificateCredential(
        found["AZURE_TENANT_ID"],
        found["AZURE_CLIENT_ID"],
        certificate_data=found["AZURE_CLIENT_CERTIFICATE"].encode(),
        authority=found["AZURE_AUTHORITY_HOST"],
        disable_instance_discovery=True,
        connection_verify=found["REQUESTS_CA_BUNDLE"],
    )


def msal_result(exports: dict[str, str], **changed: str) -> dict[str, Any]:
    found = {**exports, **changed}
    pem = found["AZURE_CLIENT_CERTIFICATE"]
    application = msal.ConfidentialClientApplication(
        found["AZURE_CLIENT_ID"],
        client_credential={
            "private_key": pem,
            "thumbprint": ClientCertificate.load(pem).thumbprint,
        },
        authority=f"{found['AZURE_AUTHORITY_HOST']}/{found['AZURE_TENANT_ID']}",
        instance_discovery=False,
        verify=found["REQUESTS_CA_BUNDLE"],
    )
    result: dict[str, Any] = application.acquire_token_for_client([SCOPE])
    return result


def page_of(exports: dict[str, str]) -> str:
    trust = ssl.create_default_context(cafile=exports["SSL_CERT_FILE"])
    with urllib.request.urlopen(exports["AZURE_AUTHORITY_HOST"], context=trust, timeout=20) as answer:  # noqa: S310
        text: str = answer.read().decode()
        return text


def test_python_clients_sign_in_and_their_faults_are_explained(
    emulating: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    exports = emulating.exports
    # requests prefers it to what a program says.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", exports["REQUESTS_CA_BUNDLE"])
    with identity_client(exports) as credential:
        assert credential.get_token(SCOPE).token
    assert msal_result(exports)["access_token"]

    with (
        identity_client(exports, AZURE_CLIENT_ID=UNKNOWN) as credential,
        pytest.raises(ClientAuthenticationError, match="AADSTS700016"),
    ):
        credential.get_token(SCOPE)
    stranger = ClientCertificate.self_signed("stranger").to_pem()
    assert msal_result(exports, AZURE_CLIENT_CERTIFICATE=stranger)["error_codes"] == [700027]

    lines = [line.split(" ", 1)[1] for line in emulating.log.splitlines() if "/oauth2/v2.0/token" in line]
    path = f"POST /{exports['AZURE_TENANT_ID']}/oauth2/v2.0/token"
    assert lines[-4:] == [f"200 {path}", f"200 {path}", f"400 {path} AADSTS700016", f"401 {path} AADSTS700027"]
    page = page_of(exports)
    assert exports["AZURE_CLIENT_ID"] in page
    assert "AADSTS700027: The certificate with identifier used to sign the client assertion is not registered" in page
    assert "PRIVATE KEY" not in page + emulating.log


def test_the_key_vault_has_the_certificate(emulating: Server) -> None:
    exports = emulating.exports
    with identity_client(exports) as credential:
        source = KeyVaultCertificate(
            exports["KEY_VAULT_URL"],
            "app",
            credential,
            verify_challenge_resource=False,
            connection_verify=exports["REQUESTS_CA_BUNDLE"],
        )
        loaded = source()
    assert loaded.thumbprint == ClientCertificate.load(exports["AZURE_CLIENT_CERTIFICATE"]).thumbprint


def test_a_shell_evaluates_its_variables_and_ends_it(tmp_path: Path) -> None:
    command = " ".join(CERTVAR)
    script = f"""
        eval "$({command} emulator --env 2>log &)"
        {command} run -- sh -c 'echo "$IDENTITY_ENDPOINT [$AZURE_CLIENT_CERTIFICATE]"; exit 9'
        echo "exit code $?"
        curl --silent "$AZURE_AUTHORITY_HOST/nothing"; echo
        kill "$CERTVAR_EMULATOR_PID"
        while [ -e "$SSL_CERT_FILE" ]; do sleep 0.05; done
    """
    done = run(["sh", "-c", script], environment(), cwd=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("http://127.0.0.1:")
    assert lines[0].endswith("/msi/token []")
    assert lines[1:] == ["exit code 9", '{"error": "not_found"}']
    assert (tmp_path / "log").read_text().split(" ", 1)[1] == "404 GET /nothing not_found\n"


def test_a_registered_certificate_keeps_its_key_to_itself(tmp_path: Path) -> None:
    certificate = ClientCertificate.self_signed("mine")
    public = tmp_path / "app.cer"
    public.write_bytes(certificate.public_der())
    options = ["emulator", "--register", str(public), "--client", UNKNOWN, "--role", "Orders.Read", "--json"]
    with Server(options, environment()) as server:
        exports: dict[str, str] = json.loads(server.output)["environment"]
        assert "AZURE_CLIENT_CERTIFICATE" not in exports
        assert exports["AZURE_CLIENT_ID"] == UNKNOWN
        assert "Orders.Read" in page_of(exports)
        with identity_client({**exports, "AZURE_CLIENT_CERTIFICATE": certificate.to_pem()}) as credential:
            assert credential.get_token(SCOPE).token
        assert server.end(signal.SIGINT) == 0
        assert not Path(exports["SSL_CERT_FILE"]).exists()


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--register", "missing.cer"], 2, "missing.cer: No such file"),
        (["--register", __file__], 1, "cannot be registered"),
        (["--client", "not a GUID"], 1, "cannot be registered"),
        (["--tenant", "not a GUID"], 1, "cannot be registered"),
    ],
)
def test_what_cannot_work_ends_with_a_reason(options: list[str], code: int, message: str) -> None:
    ran = certvar("emulator", *options)
    assert ran.code == code
    assert message in " ".join(ran.err.split())


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = certvar("emulator", "--port", str(port))
    assert ran.code == 1
    assert f"cannot listen at port {port}: Address already in use" in " ".join(ran.err.split())
