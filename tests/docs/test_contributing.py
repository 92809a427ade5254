"""CONTRIBUTING.md tells the truth: its paths and names exist, and its floors are those that import-linter holds."""

from __future__ import annotations

import ast
import re
import subprocess

import pytest

from tests.docs.conftest import ROOT

PACKAGE = ROOT / "azure_certvar_credential"
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
# A file by its ending, with a name in it; or a folder, which has a slash or is a room of the package.
FILES = sorted(set(re.findall(r"(?<![\w./-])([\w./-]+\.(?:py|toml|txt|md))\b(?::([\w.]+))?", TEXT)))
FOLDERS = sorted(set(re.findall(r"`([a-z_]\w*(?:/\w+)+)/?`", TEXT)) | set(re.findall(r"new file in `(\w+)`", TEXT)))


def section(heading: str) -> str:
    return TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def layers() -> list[set[str]]:
    """The layers of import-linter's contract, top floor first; 3.10 has no tomllib, and a list is a list in Python."""
    found = re.search(
        r"^layers = (\[.*?^\])", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert found
    return [set(re.findall(r"\w+", layer)) for layer in ast.literal_eval(found[1])]


def defined(source: str) -> set[str]:
    """The qualified names of the classes, functions and methods of a module."""
    return {
        f"{prefix}{node.name}"
        for owner in ast.walk(ast.parse(source))
        if isinstance(owner, (ast.Module, ast.ClassDef))
        for prefix in [f"{owner.name}." if isinstance(owner, ast.ClassDef) else ""]
        for node in owner.body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    }


def test_paths_and_names_are_found() -> None:
    assert ("_core/flow.py", "acquire") in FILES
    assert "tests/real" in FOLDERS
    assert "signers" in FOLDERS


@pytest.mark.parametrize(("path", "name"), FILES)
def test_a_file_exists_and_has_the_name(path: str, name: str) -> None:
    file = next((file for file in (ROOT / path, PACKAGE / path) if file.is_file()), None)
    assert file, f"CONTRIBUTING.md names {path}, which does not exist"
    assert not name or name in defined(file.read_text(encoding="utf-8")), f"{path} does not define {name}"


@pytest.mark.parametrize("path", FOLDERS)
def test_a_folder_exists(path: str) -> None:
    assert (ROOT / path).exists() or (PACKAGE / path).is_dir()


def test_the_floors_are_those_of_import_linter() -> None:
    drawn = [set(re.findall(r"\w+", label)) for label in re.findall(r'L\d+\["([^"]+)"\]', section("Floors"))]
    assert drawn == layers()


def test_every_room_is_explained_from_the_top_floor_down() -> None:
    explained = re.findall(r"^\| `(\w+)` \|", section("Floors"), re.MULTILINE)
    for layer in layers():
        assert set(explained[: len(layer)]) == layer
        del explained[: len(layer)]
    assert explained == []


def test_the_help_of_the_test_script_has_what_is_written_of_it() -> None:
    usage = subprocess.run(["tests/run", "--help"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    options = set(re.findall(r"tests/run (--\w+)", TEXT))
    assert options == {"--static", "--unit"}
    assert options <= set(re.findall(r"--\w+", usage.stdout))
    assert "tests/run -- tests/core/test_flow.py" in usage.stdout
