"""Runs ``certvar``: in this process where its output is the point, and as a program where the program is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from typer.testing import CliRunner

from azure_certvar_credential._cli.app import app

PROGRAM = [sys.executable, "-m", "azure_certvar_credential"]
SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that has ended.

    :ivar code: its exit code.
    :ivar out: what it printed on standard output.
    :ivar err: what it printed on standard error.
    """

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its standard output as JSON."""
        return json.loads(self.out)


def foreign() -> list[str]:
    """Return the names of the variables of this process that would change what a command does."""
    return [
        name
        for name in os.environ
        if name.startswith(("AZURE_", "SSL_CERT_"))
        or name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "FORCE_COLOR", "NO_COLOR", "COLUMNS", "APP_CERT")
        or name.lower().endswith("_proxy")
    ]


def certvar(*arguments: str, stdin: str | bytes | None = None, **environment: str) -> Ran:
    """Run a command in this process, with these variables, and without those of this process that it would heed."""
    variables: dict[str, str | None] = {**dict.fromkeys(foreign()), **environment}
    result = CliRunner().invoke(app, list(arguments), input=stdin, env=variables)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)


def program(*arguments: str, stdin: str | None = None, **environment: str) -> Ran:
    """Run a command as a program, without a terminal."""
    done = subprocess.run(
        [*PROGRAM, *arguments],
        input=stdin or "",
        env=variables(environment),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a program: these variables, and this process's without those that it would heed."""
    without = set(foreign())
    return {name: value for name, value in os.environ.items() if name not in without} | dict(environment)


def documented(command: str) -> set[str]:
    """Return the members of a command's JSON that its help documents."""
    text = re.sub(r"\s+", " ", certvar(command, "--help").out).partition("With --json:")[2].partition("; after")[0]
    return set(re.findall(r"[a-z0-9_#A-Z]+", text))
