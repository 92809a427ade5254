"""The samples that are more than one program: a notebook, a workflow and the project with tests of its own."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from nbclient import NotebookClient

from tests.docs.conftest import ROOT, Stage
from tests.docs.local_runs import docstring_of, nothing_set
from tests.real.servers.azurite import Azurite

FOLDER = ROOT / "samples"
WORKFLOW = FOLDER / "github_actions.yml"
KERNEL_SECONDS = 60


def steps() -> list[dict[str, Any]]:
    workflow = yaml.safe_load(WORKFLOW.read_text())
    return list(workflow["jobs"]["upload"]["steps"])


def test_the_notebook_runs_with_nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    notebook: Any = nbformat.read(FOLDER / "notebook.ipynb", as_version=4)  # type: ignore[no-untyped-call] # it has none
    assert not any(cell.get("outputs") for cell in notebook.cells), "a notebook is committed without its outputs"
    for name in set(os.environ) - set(nothing_set()):
        monkeypatch.delenv(name)

    NotebookClient(
        notebook, timeout=KERNEL_SECONDS, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}}
    ).execute()

    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    said = "".join(output["text"] for output in outputs if output["output_type"] == "stream")
    results = [output["data"]["text/plain"] for output in outputs if output["output_type"] != "stream"]
    assert "--local: graph.microsoft.com is a stand-in; it verified the token\n" in said
    assert results == ["['Ada Lovelace', 'Grace Hopper']"]


def test_the_workflow_runs_its_program(stage: Stage, azurite: Azurite) -> None:
    installation, upload = (step["run"] for step in steps() if "run" in step)
    interpreter, program = shlex.split(upload)

    output = stage.play(ROOT / program, STORAGE_ACCOUNT_URL=azurite.account_url).stdout

    assert interpreter == "python"
    assert "hello.txt: 39 bytes" in output
    assert f"    {installation}\n" in docstring_of(Path(program).name)


def test_the_workflow_gives_the_secret_to_one_step() -> None:
    given = {step.get("name", ""): step["env"] for step in steps() if "env" in step}
    program = (FOLDER / "upload_blob.py").read_text()
    comments = "\n".join(line for line in WORKFLOW.read_text().splitlines() if line.startswith("#"))

    assert given.keys() == {"Upload"}
    assert given["Upload"].keys() == set(re.findall(r'environ\["(\w+)"\]', program))
    for name, value in given["Upload"].items():
        kind = "secret" if name == "APP_CERT" else "var"
        assert value == f"${{{{ {kind}s.{name} }}}}"
        assert re.search(rf"gh {'secret' if kind == 'secret' else 'variable'} set {name} ", comments)


def test_the_project_tests_itself(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(FOLDER / "test_your_app")]

    result = subprocess.run(
        command, cwd=tmp_path, env=nothing_set(), capture_output=True, text=True, timeout=100, check=False
    )

    assert result.returncode == 0, result.stdout
    assert re.search(r"^4 passed in ", result.stdout, re.MULTILINE)
