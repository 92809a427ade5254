"""The screens in the README are what the commands print today."""

from __future__ import annotations

from tests.cli.screens import SCREENS, draw, steady, texts


def test_the_screens_are_current() -> None:
    drawn = {name: texts(svg) for name, svg in draw()}

    kept = {file.stem: texts(file.read_text(encoding="utf-8")) for file in SCREENS.glob("*.svg")}
    for screens in (drawn, kept):
        screens["demo"] = steady(screens["demo"])
    assert kept == drawn, "python -m tests.cli.screens draws them anew"
    assert all(len(lines) > 10 for lines in kept.values())
