"""The figures of the README: a picture and a table, both from one ``--json`` of the runner.

``python -m tests.benchmarks --picture`` keeps its JSON in ``kept.json``, draws ``.github/benchmarks/*.svg`` from it,
and writes the table into README.md.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
KEPT = Path(__file__).with_name("kept.json")
PICTURES = _ROOT / ".github" / "benchmarks"
README = _ROOT / "README.md"
BEGIN, END = "<!-- speed: begin -->", "<!-- speed: end -->"

# A figure's number and the beginning of its name, and what a reader is told.
ROWS = {
    (1, "cold start"): "A whole process, up to its first token",
    (2, "the same beside"): "The same beside azure-storage-blob: time added",
    (3, "build from RSA"): "Build a credential from RSA-2048 PEM",
    (6, "cached get_token, entries: 100"): "A cached get_token",
    (8, "200 threads, cold cache, 60 ms, all imported: time"): "200 threads on a cold cache, 60 ms away",
    (11, "1,000 tenants, 32 workers, 60 ms: time"): "1,000 tenants, 32 threads, 60 ms away",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A bar, and a line of the table; lengths are shares of what azure-identity takes.

    :ivar ours: this package's share.
    :ivar floor: a hand-written credential's over azure-core's pipeline; None where it was not measured.
    :ivar goal: the share that is wanted.
    """

    name: str
    ours: float
    floor: float | None
    goal: float
    ours_text: str
    theirs_text: str


def rows(figures: list[dict[str, Any]]) -> list[Row]:
    """Return the rows of a run.

    :raises ValueError: a figure of :data:`ROWS` was not measured.
    """
    found = []
    for (number, begins), name in ROWS.items():
        figure = next((one for one in figures if one["number"] == number and one["what"].startswith(begins)), None)
        if figure is None:
            raise ValueError(f"the run has no figure {number} '{begins}…': leave out --goal and --quick")
        ours, theirs, unit = figure["ours"], figure["theirs"], figure["unit"]
        floor = None if figure["floor"] is None else figure["floor"] / theirs
        texts = (f"{value:.3g} {unit}" for value in (ours, theirs))
        found.append(Row(name, ours / theirs, floor, figure["goal"]["bound"], *texts))
    return found


def table(run: dict[str, Any]) -> str:
    """Return the README's table and what was measured with what."""
    lines = ["| | azure-identity | here | ratio | floor | goal |", "|---|--:|--:|--:|--:|--:|"]
    for row in rows(run["figures"]):
        floor = "" if row.floor is None else f"{row.floor:.3g}"
        lines.append(
            f"| {row.name} | {row.theirs_text} | {row.ours_text} | **{row.ours:.3g}** | {floor} | ≤ {row.goal:g} |"
        )
    versions = ", ".join(f"{name} {run[name]}" for name in ("azure-identity", "msal", "azure-core", "cryptography"))
    about = f"{run['machine']}, {run['processors']} processors, CPython {run['Python']}, {versions}"
    return "\n".join(lines) + f"\n\nMeasured with `{run['command']}` on {about}."


def digest(run: dict[str, Any]) -> str:
    """Return what tells one run from another; it stands in the pictures."""
    return hashlib.sha256(json.dumps(run, sort_keys=True).encode()).hexdigest()[:16]


def written(readme: str, run: dict[str, Any]) -> str:
    """Return the README with the table of a run between its two marks."""
    before, rest = readme.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    return f"{before}{BEGIN}\n\n{table(run)}\n\n{END}{after}"


def keep(run: dict[str, Any]) -> None:
    """Keep a run: its JSON, the pictures, and the README's table."""
    from tests.benchmarks.drawing import draw

    PICTURES.mkdir(exist_ok=True)
    for theme in ("light", "dark"):
        text = draw(rows(run["figures"]), theme, digest(run))
        (PICTURES / f"{theme}.svg").write_text(re.sub(r" +$", "", text, flags=re.MULTILINE))
    README.write_text(written(README.read_text(), run))
    KEPT.write_text(json.dumps(run, indent=2) + "\n")
