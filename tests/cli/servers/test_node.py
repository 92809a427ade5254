"""Microsoft's clients for Node.js: managed identities from ``serve`` and in ``run``, certificates at ``emulator``."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import jwt
import pytest

from tests.cli.commands.kit import certvar
from tests.cli.servers.conftest import Registered
from tests.cli.servers.programs import CERTVAR, STORAGE, Server, environment, run
from tests.real.servers.node import Node

SCRIPT = Path(__file__).with_name("clients.mjs")
UNKNOWN = "5d1e7f3a-0000-4000-8000-000000000000"


def node(azure_for_node: Node, mode: str) -> list[str]:
    return [str(azure_for_node.program), str(SCRIPT), str(azure_for_node.modules), mode]


def answer(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def audience(token: str) -> str:
    return str(jwt.decode(token, options={"verify_signature": False})["aud"])


def test_run_lends_to_a_node_program(azure_for_node: Node, registered: Registered) -> None:
    done = run([*CERTVAR, "run", "--", *node(azure_for_node, "managed-identity")], registered.variables)

    assert (done.returncode, done.stderr) == (0, "")
    found = answer(done)
    assert (audience(found["token"]), found["distinct"]) == (STORAGE, 1)
    assert len(registered.entra.requests) == 1


def test_a_node_program_hears_why_there_is_no_token(
    azure_for_node: Node, registered: Registered, capfd: pytest.CaptureFixture[str]
) -> None:
    registered.application.unregister(registered.certificate.thumbprint)

    ran = certvar("run", "--", *node(azure_for_node, "managed-identity"), **registered.variables)

    assert ran.code == 1
    assert "AADSTS700027" in json.loads(capfd.readouterr().out)["error"]
    # Ten credentials have asked.
    assert ran.err.count("AADSTS700027") == 1
    assert "Hint: " in ran.err


def test_serve_lends_to_a_node_program_in_both_forms(azure_for_node: Node, registered: Registered) -> None:
    with Server(["serve", "--imds"], registered.variables) as serving:
        for names in (("IDENTITY_ENDPOINT", "IDENTITY_HEADER"), ("AZURE_POD_IDENTITY_AUTHORITY_HOST",)):
            lent = environment(**{name: serving.exports[name] for name in names})
            done = run(node(azure_for_node, "managed-identity"), lent)

            assert (done.returncode, done.stderr) == (0, "")
            assert answer(done)["distinct"] == 1
    assert len(registered.entra.requests) == 1


@pytest.mark.parametrize(
    ("mode", "changed", "code"),
    [
        ("certificate", {}, None),
        ("msal", {}, None),
        ("certificate", {"AZURE_CLIENT_ID": UNKNOWN}, 700016),
        ("msal", {"AZURE_CLIENT_ID": UNKNOWN}, 700016),
    ],
)
def test_the_emulator_takes_what_node_clients_send(
    emulating: Server, azure_for_node: Node, mode: str, changed: dict[str, str], code: int | None
) -> None:
    done = run(node(azure_for_node, mode), environment(**{**emulating.exports, **changed}))

    found = answer(done)
    if code is None:
        assert audience(found["token"]) == STORAGE
    else:
        assert f"AADSTS{code}" in found["error"]
        assert f"AADSTS{code}" in emulating.log


def test_it_refuses_a_certificate_that_it_does_not_know(emulating: Server, azure_for_node: Node) -> None:
    from azure_certvar_credential import ClientCertificate

    stranger = ClientCertificate.self_signed("stranger").to_pem()
    for mode in ("certificate", "msal"):
        variables = environment(**{**emulating.exports, "AZURE_CLIENT_CERTIFICATE": stranger})
        assert "AADSTS700027" in answer(run(node(azure_for_node, mode), variables))["error"]
