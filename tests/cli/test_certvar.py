"""The command line: the demo runs from end to end, help can be read, and a missing extra is named."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from azure_certvar_credential import __version__
from azure_certvar_credential._cli import main
from azure_certvar_credential._cli.app import app
from azure_certvar_credential._cli.demo import run_demo

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


def test_the_demo_ends_with_exit_code_0_as_a_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "azure_certvar_credential", "demo"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "Done." in done.stdout


def test_help_names_the_commands() -> None:
    result = CliRunner().invoke(app, ["--help"])

    assert result.exit_code == 0
    assert "demo" in result.output
    assert "certificate that lives in a variable" in " ".join(result.output.split())


def test_no_command_shows_the_help() -> None:
    result = CliRunner().invoke(app, [])

    assert "demo" in result.output


def test_the_version_is_the_packages() -> None:
    result = CliRunner().invoke(app, ["--version"])

    assert (result.exit_code, result.output) == (0, f"certvar {__version__}\n")


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
