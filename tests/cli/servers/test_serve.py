"""``certvar serve``, run as a program: clients that nobody here wrote get tokens from it, and it ends cleanly."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import azure.identity
import azure.identity.aio
import pytest

from azure_certvar_credential.testing import EntraEmulator, EntraServer
from tests.cli.commands.kit import certvar
from tests.cli.commands.terminal import Terminal
from tests.cli.servers.conftest import Registered
from tests.cli.servers.programs import SCOPE, STORAGE, Server, environment, run, sign_in_of
from tests.real.softhsm import ORDERS, PIN, SoftHsm, signer_of

CROWD = 50


def set_variables(patch: pytest.MonkeyPatch, exports: dict[str, str], *names: str) -> None:
    """Set the named variables that lead to the endpoint, and none else."""
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "AZURE_POD_IDENTITY_AUTHORITY_HOST"):
        patch.delenv(name, raising=False)
    for name in names:
        patch.setenv(name, exports[name])


def python_token() -> str:
    with azure.identity.ManagedIdentityCredential() as credential:
        return str(credential.get_token(SCOPE).token)


async def python_token_async() -> str:
    async with azure.identity.aio.ManagedIdentityCredential() as credential:
        return str((await credential.get_token(SCOPE)).token)


def curl(url: str, header: str, *options: str) -> dict[str, Any]:
    url = f"{url}?api-version=2019-08-01&resource={STORAGE}"
    done = run(["curl", "--silent", "--show-error", "--header", header, *options, url], environment())
    assert (done.returncode, done.stderr) == (0, "")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_azure_identity_and_curl_share_one_token_from_a_pfx(
    registered: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(["serve", "--imds"], registered.variables) as serving:
        exports = serving.exports
        set_variables(monkeypatch, exports, "IDENTITY_ENDPOINT", "IDENTITY_HEADER")
        tokens = [python_token(), asyncio.run(python_token_async())]
        tokens.append(
            curl(exports["IDENTITY_ENDPOINT"], f"X-IDENTITY-HEADER: {exports['IDENTITY_HEADER']}")["access_token"]
        )
        set_variables(monkeypatch, exports, "AZURE_POD_IDENTITY_AUTHORITY_HOST")
        tokens += [python_token(), asyncio.run(python_token_async())]

        assert len(set(tokens)) == 1
        assert len(registered.entra.requests) == 1
        assert serving.end(signal.SIGINT) == 0
        lines = serving.log.splitlines()
        assert [line.split(" ", 1)[1] for line in lines] == [f"200 {STORAGE}"] * 5
        for secret in (tokens[0], exports["IDENTITY_HEADER"], exports["AZURE_POD_IDENTITY_AUTHORITY_HOST"]):
            assert secret not in serving.log


def test_a_key_in_softhsm_is_lent_too(softhsm: SoftHsm, entra: EntraEmulator, entra_server: EntraServer) -> None:
    with signer_of(softhsm, key_label="lent") as signer:
        application = entra.add_application(signer.certificate())
    variables = environment(**sign_in_of(application, entra_server), **softhsm.environment, PIN=PIN)
    uri = f"pkcs11:token={ORDERS};object=lent?module-path={softhsm.module}"
    with Server(["serve", "--certificate", uri, "--password", "env:PIN"], variables) as serving:
        exports = serving.exports
        answer = curl(exports["IDENTITY_ENDPOINT"], f"X-IDENTITY-HEADER: {exports['IDENTITY_HEADER']}")
        assert answer["client_id"] == application.client_id
        assert serving.end(signal.SIGTERM) == 0


def test_a_unix_socket_serves_curl_and_disappears(registered: Registered, tmp_path: Path) -> None:
    path = tmp_path / "identity"
    options = ["serve", "--socket", str(path), "--allow", SCOPE, "--json"]
    with Server(options, registered.variables) as serving:
        exports = json.loads(serving.output)["environment"]
        header = f"X-IDENTITY-HEADER: {exports['IDENTITY_HEADER']}"
        assert curl(exports["IDENTITY_ENDPOINT"], header, "--unix-socket", str(path))["resource"] == STORAGE
        assert serving.end(signal.SIGHUP) == 0  # the terminal was closed
    assert not path.exists()


def test_a_terminal_does_not_show_the_secret(registered: Registered) -> None:
    with Terminal("serve", **registered.variables) as terminal:
        terminal.wait_for("Not shown, because secret: IDENTITY_HEADER.")
        assert "export IDENTITY_ENDPOINT=http://127.0.0.1:" in terminal.text
        assert "IDENTITY_HEADER=" not in terminal.text
        terminal.interrupt()
        assert terminal.end().code == 0


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--socket", "/", "--allow", SCOPE], 1, "cannot listen at /"),
        (["--socket", "x", "--port", "8080"], 2, "choose --port or --socket"),
        (["--allow", "/.default"], 2, "a scope is empty"),
        (["--allow", "https://a.example https://b.example"], 2, "holds white space"),
        (["--port", "65536"], 2, "65535"),
        (["--certificate", "env:NOWHERE"], 1, "NOWHERE is not set"),
    ],
)
def test_what_cannot_work_ends_with_a_reason(
    registered: Registered, options: list[str], code: int, message: str
) -> None:
    ran = certvar("serve", *options, **registered.variables)
    assert (ran.code, ran.out) == (code, "")
    assert message in " ".join(ran.err.split())
