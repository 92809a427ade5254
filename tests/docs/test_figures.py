"""The README's picture and table of figures are of one run of the benchmark, the one that is kept."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.benchmarks.chart import KEPT, PICTURES, README, ROWS, digest, rows, written

SVG = "{http://www.w3.org/2000/svg}"
IDENTIFIER = "{http://purl.org/dc/elements/1.1/}identifier"


@pytest.fixture
def run() -> dict[str, Any]:
    """The run that is kept."""
    kept: dict[str, Any] = json.loads(KEPT.read_text())
    return kept


def width(picture: ET.Element, bar: str) -> float:
    """Return the width of a bar."""
    path = picture.find(f".//{SVG}g[@id='{bar}']/{SVG}path")
    assert path is not None
    places = [float(x) for x, _ in re.findall(r"[ML] ([\d.]+) ([\d.]+)", path.attrib["d"])]
    return max(places) - min(places)


def test_the_table_is_the_runs(run: dict[str, Any]) -> None:
    readme = README.read_text()
    assert written(readme, run) == readme


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_picture_is_the_runs(run: dict[str, Any], theme: str) -> None:
    text = (PICTURES / f"{theme}.svg").read_text()
    picture = ET.fromstring(text)  # noqa: S314 - drawn here
    texts = {"".join(element.itertext()).strip() for element in picture.iter(f"{SVG}text")}

    assert [element.text for element in picture.iter(IDENTIFIER)] == [digest(run)]
    for place, row in enumerate(rows(run["figures"])):
        assert {row.name, f"{row.ours:.3g}"} <= texts
        assert width(picture, f"ours-{place}") / width(picture, f"theirs-{place}") == pytest.approx(row.ours, abs=0.001)
    assert f".github/benchmarks/{theme}.svg" in README.read_text()


def test_the_run_was_whole(run: dict[str, Any]) -> None:
    assert {figure["number"] for figure in run["figures"]} == set(range(1, 19))
    assert "--quick" not in run["command"]


def test_a_run_without_a_figure_is_refused(run: dict[str, Any]) -> None:
    without = [figure for figure in run["figures"] if figure["number"] != next(iter(ROWS))[0]]
    with pytest.raises(ValueError, match="has no figure 1 'cold start…'"):
        rows(without)
