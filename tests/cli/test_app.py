"""What all commands share: help, wrong usage, failures, what is imported, completion, and a missing extra."""

from __future__ import annotations

import base64
import io
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from rich.console import Console

from azure_certvar_credential import ClientCertificate, __version__
from azure_certvar_credential._cli import main
from azure_certvar_credential._cli.app import COMMANDS
from azure_certvar_credential._cli.demo import run_demo
from tests.certificates import making
from tests.cli.commands.kit import certvar
from tests.test_import import modules_after

JWT = re.compile(r"eyJ[\w-]{20,}")


def test_the_demo_tells_the_whole_story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    console = Console(record=True, width=120, file=io.StringIO())

    run_demo(console)

    text = console.export_text()
    for fact in (
        "CN=certvar demo",
        '"PS256"',
        "x5t#S256",
        "https://sts.windows.net/",
        "ms to build",
        "1 request",
        "the same token",
        "HTTP 200",
        "keys/sign",
        "CN=certvar demo vault",
        "Done.",
    ):
        assert fact in text
    assert not JWT.search(text), "an assertion or token is printed whole"
    assert list(tmp_path.iterdir()) == []


def test_help_names_the_commands_and_the_exit_codes() -> None:
    shown = " ".join(certvar("--help").out.split())

    assert [name for name in COMMANDS if f"│ {name} " not in shown] == []
    assert "Exit codes: 0 good, 1 refused or failed, 2 wrong usage, 3 needs attention" in shown


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_a_help_with_examples_in_80_columns(name: str) -> None:
    ran = certvar(name, "--help")

    assert ran.code == 0
    assert "Examples:" in ran.out
    assert f"certvar {name}" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80


def test_a_file_that_cannot_be_written_is_a_failure() -> None:
    ran = certvar("new", "app", "--key", "EC-P256", "--public", "/no/such/folder/app.cer")

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "error: /no/such/folder/app.cer: No such file or directory\n"


def test_no_command_shows_the_help() -> None:
    ran = certvar()

    assert ran.code == 2
    assert "demo" in ran.out + ran.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["inspct"], "Did you mean 'inspect'"),
        (["inspect", "--nonsense"], "No such option"),
        (["inspect", "--needs-renewal", "soon"], "30d, 12h, 4w"),
        (["inspect", "-c", "MIIKhunter2"], "may be a secret"),
        (["inspect", "-c", "env:"], "may be a secret"),
        (["inspect", "-c", "keyvault:http://vault/certificates/app"], "keyvault:https://"),
        (["inspect", "-c", "keyvault:https://vault/secrets/app"], "keyvault:https://"),
        (["inspect", "-c", "pkcs11:object=app"], "must name the token"),
        (["inspect", "-c", "pkcs11:token=t?module-path=m&pin-value=hunter2"], "has a PIN in it"),
        (["inspect", "-c", "pkcs11:token=t;serial=1?module-path=m"], "serial"),
        (["inspect", "--password", "hunter2"], "never the password itself"),
        (["inspect", "--password", "env:NOT_SET"], "NOT_SET is not set"),
        (["token"], "--scope"),
        (["token", "--scope", "s", "--output", "xml"], "xml"),
        (["token", "--scope", "s", "--ca-file", "/no/such/file"], "/no/such/file"),
        (["explain"], "CODE"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_wrong_usage_ends_with_2_and_repeats_no_secret(arguments: list[str], said: str) -> None:
    ran = certvar(*arguments)

    assert (ran.code, ran.out) == (2, "")
    assert said in re.sub(r"[\s│]+", " ", ran.err)
    assert "hunter2" not in ran.err


def test_a_failure_ends_with_1_and_says_what_to_do() -> None:
    ran = certvar("inspect", "-c", "env:NOT_SET")

    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error: the environment variable NOT_SET is not set")


@pytest.mark.parametrize("command", [("token", "--scope", "s"), ("doctor",)], ids=" ".join)
def test_a_remedy_is_an_option_of_the_command(command: tuple[str, ...]) -> None:
    pfx = ClientCertificate.self_signed("app").to_pfx(None)
    known = {
        "AZURE_TENANT_ID": "contoso.example",
        "AZURE_CLIENT_ID": "app",
        "AZURE_CLIENT_CERTIFICATE": base64.b64encode(pfx).decode(),
    }

    foreign = certvar(*command, AZURE_AUTHORITY_HOST="login.example", **known)
    bundle = certvar(*command, AZURE_AUTHORITY_HOST="localhost:1", REQUESTS_CA_BUNDLE="/no/such/file", **known)

    assert "if you know and trust it, pass --trust-authority" in " ".join((foreign.out + foreign.err).split())
    assert "correct it, or pass --ca-file" in " ".join((bundle.out + bundle.err).split())


def test_an_empty_password_is_named_by_its_option() -> None:
    ran = certvar("new", "app", "--password", "env:EMPTY", EMPTY="")

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "error: the password is empty: set it, or leave --password out\n"


@pytest.mark.filterwarnings("default::azure_certvar_credential.exceptions.CertificateWarning")
def test_a_warning_is_a_line() -> None:
    key = making.rsa_key()
    expired = making.self_signed("leaf", key, begins=making.NOW - 2 * making.YEAR, ends=making.NOW - making.YEAR)

    ran = certvar(
        "assertion",
        *("--tenant", "contoso.example", "--client", "app"),
        AZURE_CLIENT_CERTIFICATE=(making.pem(expired) + making.key_bytes(key)).decode(),
    )

    assert ran.code == 0
    assert ran.err.startswith("warning: the certificate 'CN=leaf'")
    assert ran.err.count("\n") == 1


def test_starting_it_imports_typer_and_nothing_that_a_command_may_not_need() -> None:
    before, after = (
        modules_after(f"import {name}") for name in ("azure_certvar_credential", "azure_certvar_credential._cli.app")
    )

    assert "typer" in after
    heavy = {"aiohttp", "azure", "cryptography", "jwt", "msal", "pkcs11", "requests", "rich", "trustme", "urllib3"}
    assert not heavy & {name.partition(".")[0] for name in after - before}
    assert {name for name in after - before if name.startswith("azure_certvar_credential")} == {
        f"azure_certvar_credential._cli{name}" for name in ("", ".app", ".extra", ".output")
    }


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands_and_options(shell: str) -> None:
    for typed, offered in (("certvar ins", "inspect"), ("certvar inspect --needs", "--needs-renewal")):
        ran = certvar(
            _CERTVAR_COMPLETE=f"complete_{shell}",
            COMP_WORDS=typed,
            COMP_CWORD=str(typed.count(" ")),
            _TYPER_COMPLETE_ARGS=typed,
            _TYPER_COMPLETE_FISH_ACTION="get-args",
        )
        assert offered in ran.out


def test_the_version_is_the_packages() -> None:
    ran = certvar("--version")

    assert (ran.code, ran.out) == (0, f"certvar {__version__}\n")


def test_the_entry_point_runs_the_app(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["certvar", "--version"])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 0
    assert capsys.readouterr().out == f"certvar {__version__}\n"


@pytest.mark.parametrize("missing", ["typer", "rich", "jwt", "trustme"])
def test_a_missing_extra_is_named(missing: str) -> None:
    program = f"""
        import sys
        sys.modules[{missing!r}] = None
        from azure_certvar_credential._cli import main
        sys.argv = ["certvar", "demo"]
        main()
    """

    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 1
    assert done.stderr == (
        f"certvar needs the extra 'cli': pip install 'azure-certvar-credential[cli]' ({missing} is not installed)\n"
    )
