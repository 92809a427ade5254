"""Runs samples with ``--local`` and nothing set, as the first thing that a reader tries."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.docs.conftest import ROOT

_SECONDS = 110.0
# What a user's machine need not have, and what would lead a sample elsewhere.
_UNSET = ("AZURE_", "APP_", "REQUESTS_", "SSL_")


def nothing_set() -> dict[str, str]:
    """This process's environment without any variable that a sample reads."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_UNSET) and not name.lower().endswith("_proxy")
    }


def run_locally(program: Path) -> tuple[list[str], str]:
    """Run a sample with nothing set, and return what ``--local`` says stands in, and what the sample prints.

    :raises AssertionError: it did not end with exit code 0, or wrote to standard error.
    """
    command = [sys.executable, str(program), "--local"]
    result = subprocess.run(
        command, cwd=ROOT, env=nothing_set(), capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    assert result.returncode == 0, f"{program.name} failed:\n{result.stdout}\n{result.stderr}"
    assert not result.stderr, f"{program.name} complained:\n{result.stderr}"
    return split(result.stdout)


def split(output: str) -> tuple[list[str], str]:
    """Return the lines of ``--local``, without its name, and the others."""
    lines = output.splitlines(keepends=True)
    said = [line.removeprefix("--local: ").rstrip() for line in lines if line.startswith("--local: ")]
    return said, "".join(line for line in lines if not line.startswith("--local: "))


def docstring_of(sample: str) -> str:
    """What a sample says of itself."""
    docstring = ast.get_docstring(ast.parse((ROOT / "samples" / sample).read_text()))
    assert docstring
    return docstring


def promised(sample: str) -> str:
    """The output that a sample promises, as a regular expression; its dots of omission stand for anything."""
    if quoted := re.search(r'it prints "(.+)"\.', docstring_of(sample)):
        return re.escape(quoted[1]) + "\n"
    _, found, lines = docstring_of(sample).partition(":\n\n    ")[2].rpartition(":\n\n    ")
    assert found, f"samples/{sample} does not say what it prints"
    return "\n".join(re.escape(line.strip()).replace("…", ".*") for line in lines.splitlines()) + "\n"
