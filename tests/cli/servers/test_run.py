"""``certvar run``, run as a program: the program in it gets tokens, and its signals and exit code are its own."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap

import pytest

from azure_certvar_credential.testing import EntraEmulator, EntraServer
from tests.cli.commands.kit import certvar
from tests.cli.commands.terminal import Terminal
from tests.cli.servers.conftest import Registered
from tests.cli.servers.programs import CERTVAR, SCOPE, run, sign_in_of
from tests.real.softhsm import ORDERS, PIN, SoftHsm, signer_of

# Nothing listens there.
DEAD_PROXY = "http://127.0.0.1:1"

CROWD = f"""
import asyncio, os, sys
import azure.identity, azure.identity.aio

async def token():
    async with azure.identity.aio.ManagedIdentityCredential() as credential:
        return (await credential.get_token({SCOPE!r})).token

async def crowd():
    return await asyncio.gather(*(token() for _ in range(25)))

tokens = asyncio.run(crowd())
with azure.identity.ManagedIdentityCredential() as credential:
    tokens += [credential.get_token({SCOPE!r}).token]
seen = sorted(name for name in os.environ if "CERTIFICATE" in name)
print(len(tokens), len(set(tokens)), seen, os.environ["AZURE_CLIENT_ID"])
"""

CURL = (
    'curl --silent --show-error --header "X-IDENTITY-HEADER: $IDENTITY_HEADER" '
    f'"$IDENTITY_ENDPOINT?api-version=2019-08-01&resource={SCOPE}"'
)

REPORTS_SIGNALS = """
import signal, sys
def report(number, frame):
    print(signal.Signals(number).name, flush=True)
    if number == signal.SIGTERM:
        sys.exit(7)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
    signal.signal(number, report)
print("ready", flush=True)
while True:
    signal.pause()
"""


def python(text: str) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(text)]


def test_a_crowd_in_the_program_is_one_request_and_never_sees_the_certificate(registered: Registered) -> None:
    proxies = [f"{name}={DEAD_PROXY}" for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY")]
    done = run([*CERTVAR, "run", "env", *proxies, *python(CROWD)], registered.variables)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"26 1 [] {registered.application.client_id}\n"
    assert len(registered.entra.requests) == 1


def test_curl_in_a_shell_gets_a_token_with_a_key_in_softhsm(
    softhsm: SoftHsm, entra: EntraEmulator, entra_server: EntraServer, capfd: pytest.CaptureFixture[str]
) -> None:
    with signer_of(softhsm, key_label="lent") as signer:
        application = entra.add_application(signer.certificate())
    uri = f"pkcs11:token={ORDERS};object=lent?module-path={softhsm.module}"
    script = f"{CURL}; echo; echo PIN=$PIN"
    ran = certvar(
        *("run", "-c", uri, "--password", "env:PIN", "--", "sh", "-c", script),
        **sign_in_of(application, entra_server),
        PIN=PIN,
    )

    assert (ran.code, ran.err) == (0, "")
    shown = capfd.readouterr().out
    assert application.client_id in shown
    assert shown.endswith("\nPIN=\n")


def test_signals_reach_the_program_and_its_exit_code_is_passed_on(registered: Registered) -> None:
    process = subprocess.Popen(
        [*CERTVAR, "run", "--", *python(REPORTS_SIGNALS)],
        env=registered.variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    for number in (signal.SIGUSR1, signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        process.send_signal(number)
        assert process.stdout.readline() == f"{number.name}\n"
    assert process.wait(60) == 7
    process.stdout.close()


def test_a_signal_that_is_ignored_stays_so(registered: Registered, capfd: pytest.CaptureFixture[str]) -> None:
    program = python("import os, signal; os.kill(os.getppid(), 1); print(signal.getsignal(1) == signal.SIG_IGN)")
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # what nohup does
    try:
        assert certvar("run", "--", *program, **registered.variables).code == 0
    finally:
        signal.signal(signal.SIGHUP, former)
    assert capfd.readouterr().out == "True\n"


def test_ctrl_c_on_a_terminal_reaches_the_program_once(registered: Registered) -> None:
    with Terminal("run", "--", *python(REPORTS_SIGNALS), **registered.variables) as terminal:
        terminal.wait_for("ready")
        # Two at the same time would be delivered as one: certvar gets its own after the program has handled its own.
        terminal.send(signal.SIGSTOP)
        terminal.interrupt()
        terminal.wait_for("SIGINT")
        terminal.send(signal.SIGCONT)
        terminal.send(signal.SIGUSR1)
        terminal.wait_for("SIGUSR1")
        terminal.send(signal.SIGTERM)
        ran = terminal.end()
    assert ran.code == 7
    assert ran.out.count("SIGINT") == 1


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["sh", "-c", "exit 0"], 0),
        (["sh", "-c", "exit 42"], 42),
        (["sh", "-c", "kill -KILL $$"], 128 + signal.SIGKILL),
        (["--", "sh", "-c", "exit 3", "--allow"], 3),
        (["no-such-program-anywhere"], 127),
        (["/etc/hostname"], 126),
        ([], 2),
    ],
    ids=["0", "42", "killed", "its own options", "not found", "not executable", "no program"],
)
def test_the_exit_code_is_that_of_a_shell(registered: Registered, command: list[str], code: int) -> None:
    ran = certvar("run", *command, **registered.variables)
    assert ran.code == code
    if code in {126, 127}:
        assert f"certvar: {command[0]}: " in ran.err


def test_a_missing_aiohttp_is_named(registered: Registered) -> None:
    program = """
        import sys
        sys.modules["aiohttp"] = None
        from azure_certvar_credential._cli import main
        sys.argv = ["certvar", "run", "true"]
        main()
    """
    done = run(python(program), registered.variables)
    assert done.returncode == 1
    assert done.stderr.endswith("azure-certvar-credential[cli]' (aiohttp is not installed)\n")


def test_a_certificate_that_cannot_be_used_is_named_before_the_program_starts(registered: Registered) -> None:
    variables = {**registered.variables, "AZURE_CLIENT_CERTIFICATE_PASSWORD": "wrong"}
    ran = certvar("run", "--", "sh", "-c", "exit 0", **variables)
    assert ran.code == 1
    assert "password" in ran.err


def test_a_refusal_is_shown_beside_the_programs_own_output(
    registered: Registered, capfd: pytest.CaptureFixture[str]
) -> None:
    registered.application.unregister(registered.certificate.thumbprint)
    ran = certvar("run", "--", "sh", "-c", CURL, **registered.variables)
    assert "AADSTS700027" in capfd.readouterr().out
    assert "AADSTS700027" in ran.err
