"""Type checkers accept what the documentation shows, and find the mistakes that users make."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.real.servers.node import Node

ROOT = Path(__file__).parents[2]
SNIPPETS = Path(__file__).parent / "snippets"


Check = Callable[[str], dict[int, str]]


def refused_lines(name: str) -> set[int]:
    lines = (SNIPPETS / name).read_text(encoding="utf-8").splitlines()
    return {number for number, line in enumerate(lines, 1) if line.endswith("# refused")}


def mypy(name: str) -> dict[int, str]:
    """Return the errors that mypy finds, by line."""
    command = [sys.executable, "-m", "mypy", "--no-error-summary", f"tests/typing/snippets/{name}"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=110)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return {int(number): text for number, text in re.findall(r"^[^:]+:(\d+): error: (.*)$", done.stdout, re.MULTILINE)}


def pyright(name: str) -> dict[int, str]:
    """Return the errors that pyright finds, by line."""
    node = Node.find("pyright")
    program = node.modules / "node_modules" / "pyright" / "index.js"
    command = [str(node.program), str(program), "--outputjson", "--pythonpath", sys.executable, str(SNIPPETS / name)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=110)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    report = json.loads(done.stdout)
    return {
        one["range"]["start"]["line"] + 1: one["message"]
        for one in report["generalDiagnostics"]
        if one["severity"] == "error"
    }


@pytest.mark.parametrize("check", [mypy, pytest.param(pyright, marks=pytest.mark.real)], ids=["mypy", "pyright"])
def test_what_the_documentation_shows_is_accepted(check: Check) -> None:
    assert check("accepted.py") == {}


@pytest.mark.parametrize("check", [mypy, pytest.param(pyright, marks=pytest.mark.real)], ids=["mypy", "pyright"])
def test_mistakes_are_found_on_their_lines(check: Check) -> None:
    found = check("refused.py")
    assert set(found) == refused_lines("refused.py"), found
