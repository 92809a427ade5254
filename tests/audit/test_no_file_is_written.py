"""Load, sign, get_token and reload open no file for writing, and make, remove and rename none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = Path(__file__).with_name("program.py")
    return subprocess.run(
        [sys.executable, str(program), *arguments], capture_output=True, text=True, check=False, timeout=100
    )


@pytest.mark.parametrize("form", ["PEM", "PFX"])
def test_nothing_is_written_by_load_sign_get_token_and_reload(form: str) -> None:
    done = _run(form)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_the_hook_would_see_a_file_that_is_written(tmp_path: Path) -> None:
    done = _run("PEM", str(tmp_path / "written"))
    assert (done.returncode, done.stdout.count("\n")) == (1, 1), done.stderr
    assert "written" in done.stdout
