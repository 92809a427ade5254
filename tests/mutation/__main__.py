"""Changes a module in a copy of the package, runs its tests, and shows the changes that no test notices.

``python -m tests.mutation [--sample N] [--seed S] [MODULE ...]``; a MODULE is a path below the package, such as
``_core/freshness.py``, and all of :data:`MODULES` by default. Whether a change that is ALIVE alters behaviour is for a
reader to tell; docstrings are left alone.
"""

from __future__ import annotations

import argparse
import difflib
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from ast import parse, unparse
from pathlib import Path

from tests.mutation.mutants import mutants

ROOT = Path(__file__).parents[2]
PACKAGE = "azure_certvar_credential"
_CREDENTIAL = ["tests/credential", "tests/runtime", "tests/caches", "tests/msal"]
# Folders of the package and the tests that are about them.
MODULES = {
    "_core": ["tests/core", "tests/credential", "tests/msal"],
    "_runtime/cached_tokens.py": _CREDENTIAL,
    "_runtime/certificate_provider.py": _CREDENTIAL,
    "_sync/single_flight.py": _CREDENTIAL,
    "aio/_single_flight.py": _CREDENTIAL,
}
# A change may make a test wait for ever.
_SECONDS = 400
_PYTEST = [sys.executable, "-m", "pytest", "-x", "-q", "--timeout=60", "-pno:cacheprovider", "-pno:randomly"]


def _rounds(module: str) -> list[list[str]]:
    """Return the tests of a module: those that have its name, which notice most changes, and then all."""
    folders = next(tests for name, tests in MODULES.items() if module.startswith(name))
    stem = Path(module).stem.strip("_")
    named = sorted(str(path.relative_to(ROOT)) for one in folders for path in (ROOT / one).rglob(f"test_*{stem}*.py"))
    everything = ["-n2", "--dist=loadfile", *folders]
    return [named, everything] if named else [everything]


def _files(names: list[str]) -> list[str]:
    package = ROOT / PACKAGE
    found = [
        path
        for name in names
        for path in ([package / name] if name.endswith(".py") else (package / name).rglob("*.py"))
    ]
    return sorted(path.relative_to(package).as_posix() for path in found)


def _is_noticed(copied: Path, module: str, text: str) -> bool:
    """Return whether a test fails with a module's text in the place of its own."""
    path = copied / PACKAGE / module
    original = path.read_text(encoding="utf-8")
    _write(path, text)
    try:
        return any(_fails(copied, tests) for tests in _rounds(module))
    finally:
        _write(path, original)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    # Two changes may have one size and be made within one second, by which Python would take them for the same.
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        compiled.unlink()


def _fails(copied: Path, tests: list[str]) -> bool:
    environment = {**os.environ, "PYTHONPATH": str(copied)}
    try:
        done = subprocess.run(
            [*_PYTEST, *tests], cwd=copied, env=environment, capture_output=True, check=False, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired:
        return True
    # A change that breaks the import of a conftest is noticed, in pytest's words as an error of usage.
    ran = re.search(rb"\d (failed|error)", done.stdout) or b"while loading conftest" in done.stderr
    if done.returncode and not ran:
        raise RuntimeError(f"pytest did not run: {done.stderr.decode()[-1000:]}")
    return done.returncode != 0


def main() -> None:
    """Try a sample of all changes."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", default=list(MODULES))
    parser.add_argument("--sample", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    sources = {module: (ROOT / PACKAGE / module).read_text(encoding="utf-8") for module in _files(given.modules)}
    every = [(module, line, text) for module, source in sources.items() for line, text in mutants(source)]
    chosen = random.Random(given.seed).sample(every, min(given.sample, len(every)))
    noticed = 0
    with tempfile.TemporaryDirectory() as scratch:
        copied = Path(scratch)
        for name in (PACKAGE, "tests", "samples"):
            shutil.copytree(ROOT / name, copied / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "README.md", "SECURITY.md"):
            shutil.copy(ROOT / name, copied)
        for module, line, text in chosen:
            killed = _is_noticed(copied, module, text)
            noticed += killed
            print(f"{'killed' if killed else 'ALIVE '} {module}:{line}", flush=True)
            if not killed:
                before = unparse(parse(sources[module])).splitlines()
                print(*difflib.unified_diff(before, text.splitlines(), lineterm="", n=1), sep="\n", flush=True)
    print(f"{noticed} of {len(chosen)} changes were noticed; there are {len(every)} in all")


if __name__ == "__main__":
    main()
