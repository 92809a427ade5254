"""``certvar doctor`` names the cause of each fault, the step that meets it, and a remedy; and it tells no secret."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from socket import create_server

import pytest

from azure_certvar_credential import ClientCertificate
from tests.cli.commands.conftest import SignedUp, pfx
from tests.cli.commands.kit import certvar, documented
from tests.cli.commands.patients import PATIENTS, Patient, Scene

STEPS = [
    *("certificate", "policy", "arguments", "assertion", "name", "proxy", "TLS", "authority", "clock"),
    *("token", "audience", "roles"),
]
DOCUMENTED = documented("doctor")


@pytest.fixture
def proxy() -> Iterator[Callable[[bytes], str]]:
    """A proxy that answers every CONNECT with a status line, and closes."""
    servers = []

    def start(status: bytes) -> str:
        server = create_server(("127.0.0.1", 0))
        servers.append(server)

        def serve() -> None:
            with suppress(OSError):  # closed at the end of the test
                while True:
                    connection, _ = server.accept()
                    with connection:
                        connection.settimeout(5)
                        # Empty where only the port was tried.
                        if connection.recv(65536):
                            connection.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")

        threading.Thread(target=serve, daemon=True).start()
        return f"http://user:hunter2@127.0.0.1:{server.getsockname()[1]}"

    yield start
    for server in servers:
        server.close()


@pytest.mark.parametrize("patient", PATIENTS, ids=[patient.claim for patient in PATIENTS])
def test_it_names_the_cause(
    patient: Patient,
    signed_up: SignedUp,
    another: ClientCertificate,
    proxy: Callable[[bytes], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = Scene(signed_up, another, proxy, tmp_path, monkeypatch, dict(signed_up.environment))
    patient.breaks(scene)

    ran = certvar("doctor", "--json", *scene.arguments, **scene.environment)

    steps = ran.json["steps"]
    found = [step for step in steps if step["diagnosis"]]
    assert [(step["step"], step["diagnosis"]["cause"]) for step in found] == [(patient.step, patient.cause)]
    assert ran.code == patient.code
    assert {*steps[0], *found[0]["diagnosis"]} <= DOCUMENTED
    assert [step["step"] for step in steps] == STEPS
    diagnosis = found[0]["diagnosis"]
    assert diagnosis["remedy"] or patient.cause in ("no-certificate", "not-a-certificate", "wrong-argument")
    behind = STEPS[STEPS.index(patient.step) + 1 :]
    skipped = [step["step"] for step in steps if step["state"] == "skipped"]
    assert skipped == (behind if patient.code == 1 else [])
    for secret in ("hunter2", "right", "a-wrong-one"):
        assert f"{secret}@" not in ran.out
        assert f":{secret}" not in ran.out
    for request in signed_up.entra.requests:
        assert request.assertion is None or request.assertion.split(".")[2] not in ran.out


def test_there_are_at_least_25_faults_each_with_a_claim_of_its_own() -> None:
    assert len({patient.claim for patient in PATIENTS}) == len(PATIENTS) >= 25


def test_a_sign_in_that_works_passes_every_step(signed_up: SignedUp) -> None:
    ran = certvar("doctor", **signed_up.environment)

    assert ran.code == 0, ran.out
    assert ran.out.count("✔") == len(STEPS) - 1
    assert "· policy" in ran.out
    assert "User.Read.All" in ran.out
    assert "This certificate signs in." in ran.out
    assert signed_up.application.client_id in ran.out


def test_a_failure_shows_the_command_and_the_page_on_one_line_each(
    signed_up: SignedUp, another: ClientCertificate
) -> None:
    ran = certvar("doctor", "--certificate", "env:OTHER", **{**signed_up.environment, "OTHER": pfx(another)})

    client = signed_up.application.client_id
    lines = ran.out.splitlines()
    assert ran.code == 1
    assert any(line.startswith("✘ token") and line.rstrip().endswith("AADSTS700027") for line in lines)
    command = f"az ad app credential reset --id {client} --cert @app.cer --append"
    assert f"  $ certvar inspect --certificate env:OTHER --public >app.cer && {command}" in lines
    assert any(line.startswith("    https://entra.microsoft.com/") and line.endswith(client) for line in lines)
    assert "not tried: audience, roles" in ran.out


def test_azure_roles_are_left_to_the_resource(signed_up: SignedUp) -> None:
    signed_up.application.roles = ()

    ran = certvar("doctor", "--scope", "https://storage.azure.com/.default", "--json", **signed_up.environment)

    assert ran.code == 0
    assert "az role assignment list" in ran.json["steps"][-1]["detail"]
