"""Changes the code here and there in a copy, and shows the changes that no test notices.

Each change is met by the tests that execute its line, as measured before, the quickest first, one at a time. A change
that is ALIVE is for a reader to judge: it may alter nothing, or a claim is missing. Ends with 1 if fewer than 95 % of
the changes were noticed.
"""

from __future__ import annotations

import argparse
import difflib
import random
import shutil
import sys
import tempfile
from ast import parse, unparse
from collections import Counter, defaultdict
from pathlib import Path

from tests.mutation import trial
from tests.mutation.equivalent import EQUIVALENT
from tests.mutation.measured import Measured
from tests.mutation.mutants import Mutant, mutants

ROOT = Path(__file__).parents[2]
PACKAGE = "azure_certvar_credential"
Change = tuple[str, Mutant]
MODULES = [
    "_core", "_runtime/cached_tokens.py", "_runtime/certificate_provider.py", "_sync/single_flight.py",
    "aio/_single_flight.py",
]  # fmt: skip
WANTED = 0.95
VERDICTS = ["killed", "ALIVE", "equivalent", "timeout"]
# Seconds of the first tests that meet a change. They notice most, and are of few files, which take time to collect.
_FIRST = 5.0
# Seconds by which a test may take longer than it did when it was measured. One that fails after that has met a change
# that loops, or a busy machine: it is repeated, with the change and without it.
_LATE = 15.0


def _files(names: list[str]) -> list[str]:
    package = ROOT / PACKAGE
    found = {
        path
        for name in names
        for path in ([package / name] if name.endswith(".py") else package.glob(f"{name}/**/*.py"))
    }
    return sorted(path.relative_to(package).as_posix() for path in found)


class Runner:
    """Tries changes in a copy of the package and its tests."""

    def __init__(self, copied: Path, measured: Measured, seconds: float) -> None:
        """Copy what the tests read.

        Parameters:
            copied: An empty directory.
            measured: Which tests execute which lines.
            seconds: How long the tests of one change may take, as they were measured; the others are left out.
        """
        self._copied, self._measured, self._seconds = copied, measured, seconds
        self._noticed: dict[str, list[Change]] = defaultdict(list)
        for name in (PACKAGE, "tests", "samples"):
            shutil.copytree(ROOT / name, copied / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "README.md", "SECURITY.md"):
            shutil.copy(ROOT / name, copied)

    def verdict(self, change: Change) -> tuple[str, str]:
        """Return one of :data:`VERDICTS`, and the test that it rests on."""
        module, mutant = change
        path = self._copied / PACKAGE / module
        original = path.read_text(encoding="utf-8")
        tests = self._measured.tests(module, mutant.statement)
        some = self._measured.within(tests, self._seconds)
        self._write(path, mutant.text)
        try:
            failed, late = self._first_failure(some)
            if late and failed in tests:
                again, _ = self._first_failure([failed])
                self._write(path, original)
                without, _ = self._first_failure([failed])
                if not again or without:
                    return "timeout", failed
        finally:
            self._write(path, original)
        if late and failed not in tests:
            return "timeout", failed
        if failed:
            self._noticed[failed].append(change)
            return "killed", f"{failed}{' (late)' if late else ''}"
        return "ALIVE", f"{len(some)} of {len(tests)} tests"

    def doubtful(self) -> list[Change]:
        """Return the changes that were noticed by a test that now fails without one, and leave these tests out."""
        tests = [name for name in self._noticed if name in self._measured.seconds]
        doubtful = []
        while (failed := self._first_failure(tests)[0]) in tests:
            print(f"left out, since it fails by itself: {failed}", flush=True)
            tests.remove(failed)
            del self._measured.seconds[failed]
            doubtful += self._noticed.pop(failed)
        return doubtful

    def _first_failure(self, tests: list[str]) -> tuple[str, bool]:
        first = len(self._measured.within(tests, _FIRST))
        for some in (tests[:first], tests[first:]):
            if not some:
                continue
            usual = [self._measured.seconds[name] for name in some]
            outcome = trial.run(self._copied, some, limit=60 + 5 * sum(usual), each=max(usual) + _LATE)
            if not outcome.finished:
                return "(the process did not end)", True
            if outcome.failed:
                return outcome.failed, outcome.seconds > self._measured.seconds.get(outcome.failed, 0.0) + _LATE
        return "", False

    @staticmethod
    def _write(path: Path, text: str) -> None:
        path.write_text(text, encoding="utf-8")
        # Two changes may have one size and be made within one second, by which Python would take them for the same.
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
            compiled.unlink()


def _difference(source: str, mutant: Mutant) -> str:
    before = unparse(parse(source)).splitlines()
    lines = [
        line
        for line in difflib.unified_diff(before, mutant.text.splitlines(), lineterm="", n=0)
        if line[:2] not in {"--", "++", "@@"}
    ]
    return "\n".join(lines)


def main() -> None:
    """Try a sample of all changes."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument(
        "modules", nargs="*", default=MODULES, help="files or folders below the package", metavar="MODULE"
    )
    parser.add_argument("--sample", type=int, default=40, help="how many changes; 0 for all")
    parser.add_argument("--seed", type=int, default=0, help="which changes")
    parser.add_argument("--seconds", type=float, default=60, help="how long the tests of one change may take")
    parser.add_argument("--measure", action="store_true", help="measure anew which tests execute which lines")
    given = parser.parse_args()
    measured = Measured(ROOT / PACKAGE, MODULES, anew=given.measure)
    trial.prepare()
    sources = {module: (ROOT / PACKAGE / module).read_text(encoding="utf-8") for module in _files(given.modules)}
    every = [(module, mutant) for module, source in sources.items() for mutant in mutants(source)]
    chosen = random.Random(given.seed).sample(every, min(given.sample or len(every), len(every)))
    verdicts: dict[Change, str] = {}
    with tempfile.TemporaryDirectory() as scratch:
        runner = Runner(Path(scratch), measured, given.seconds)
        left = chosen
        while left:
            for number, change in enumerate(left, 1):
                module, mutant = change
                difference = _difference(sources[module], mutant)
                if any(text in difference for text in EQUIVALENT.get(module, {})):
                    verdict, why = "equivalent", ""
                else:
                    verdict, why = runner.verdict(change)
                verdicts[change] = verdict
                print(f"{number}/{len(left)} {verdict:10} {module}:{mutant.line} {why}", flush=True)
                if verdict in {"ALIVE", "timeout"}:
                    print(difference, flush=True)
            left = runner.doubtful()
    sys.exit(not _report(verdicts, len(every)))


def _report(verdicts: dict[Change, str], every: int) -> bool:
    """Print a table, and return whether enough was noticed."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for (module, _), verdict in verdicts.items():
        counts[module][verdict] += 1
    print(f"\n{'module':56}{''.join(f'{name:>11}' for name in VERDICTS)}")
    for module in sorted(counts):
        print(f"{module:56}{''.join(f'{counts[module][name]:11}' for name in VERDICTS)}")
    total = sum(counts.values(), Counter())
    print(f"{'all':56}{''.join(f'{total[name]:11}' for name in VERDICTS)}")
    score = total["killed"] / max(1, total.total() - total["equivalent"])
    print(f"{score:.1%} were noticed of {total.total()} out of {every} changes; {WANTED:.0%} are wanted")
    return score >= WANTED


if __name__ == "__main__":
    main()
