"""Which tests execute which lines: measured once, and kept with what else the tests keep."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

from coverage import CoverageData

from tests.mutation.trial import PYTEST

_TESTS = [
    "tests/core", "tests/credential", "tests/runtime", "tests/msal", "tests/transport/test_deadline.py",
    "tests/transport/test_threads.py",
]  # fmt: skip
_COVERAGE = """\
[run]
include = {files}
# The only core with contexts.
core = ctrace
# A test that stops and starts the measuring begins after the imports.
disable_warnings = already-imported
data_file = {data}
"""


class Measured:
    """The seconds of each test that passed, and the tests of each line."""

    def __init__(self, package: Path, modules: list[str], *, anew: bool) -> None:
        """Take what was measured since the modules changed last, or measure.

        Parameters:
            package: The directory of the package.
            modules: Files and folders in it.
            anew: To measure even so, such as after a change of tests.
        """
        self._package = package
        kept = package.parent / ".test-env" / "cache" / "mutation"
        data, seconds, settings = kept / "coverage", kept / "seconds.json", kept / "coveragerc"
        sources = [path for name in modules for path in [package / name, *(package / name).rglob("*.py")]]
        changed = max(path.stat().st_mtime for path in sources if path.suffix == ".py")
        if anew or not seconds.exists() or seconds.stat().st_mtime < changed:
            kept.mkdir(parents=True, exist_ok=True)
            data.unlink(missing_ok=True)
            files = ", ".join(str(package / (name if name.endswith(".py") else f"{name}/*")) for name in modules)
            settings.write_text(_COVERAGE.format(files=files, data=data), encoding="utf-8")
            command = [sys.executable, "-m", "coverage", "run", f"--rcfile={settings}", "-m", "pytest", *PYTEST]
            environment = {**os.environ, "MUTATION_SECONDS": str(seconds)}
            print("measuring which tests execute which lines", flush=True)
            # Tests that fail are not asked about changes.
            subprocess.run(
                [*command, "-ptests.mutation.measuring", *_TESTS], cwd=package.parent, env=environment, check=False
            )
        self.seconds: dict[str, float] = json.loads(seconds.read_text(encoding="utf-8"))
        self._data = CoverageData(str(data))
        self._data.read()
        self._by_line = lru_cache(1)(self._data.contexts_by_lineno)

    def tests(self, module: str, lines: range) -> list[str]:
        """Return the tests of some lines: of files with the module's name, of its room, and others; the quickest first.

        What an import executes, such as a constant, has the tests that execute anything of the module, or else all.
        What nothing executes has none.
        """
        of_module = self._by_line(str(self._package / module))
        found = {name for line in lines for name in of_module.get(line, [])}
        if not found:
            return []
        if "" in found:
            found = {name for names in of_module.values() for name in names}
        room, stem = Path(module).parts[0].strip("_"), Path(module).stem.strip("_")

        def rank(name: str) -> tuple[bool, bool, float]:
            path = Path(name.split("::", maxsplit=1)[0])
            return stem not in path.name, room not in path.parts, self.seconds[name]

        return sorted(found & self.seconds.keys() or self.seconds, key=rank)

    def within(self, tests: list[str], seconds: float) -> list[str]:
        """Return the first of the tests, as many as take so long together."""
        taken = 0.0
        chosen: list[str] = []
        for name in tests:
            taken += self.seconds[name]
            if taken > seconds and chosen:
                break
            chosen.append(name)
        return chosen
