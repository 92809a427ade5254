"""Reads what a test needs out of a Markdown page."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
GUIDES = ROOT / ".docs"
# The troubleshooting page is made by a program, and has a test of its own; SECURITY.md is one of the guides.
PAGES = (README, *sorted(GUIDES.glob("*.md")))


def rows(heading: str, page: Path = README) -> list[list[str]]:
    """Return the cells of the first table below a heading, without its head."""
    below = f"\n{page.read_text(encoding='utf-8')}".partition(f"\n{heading}\n")[2]
    table = re.search(r"(?:^\|.*\n)+", below, re.MULTILINE)
    assert table, heading
    return [[cell.strip() for cell in line[1:-1].split(" | ")] for line in table[0].splitlines()[2:]]


def extras() -> list[str]:
    """Return the extras that the README explains."""
    told = README.read_text(encoding="utf-8").partition("\nExtras: ")[2].partition(".\n")[0]
    return re.findall(r"`(\w+)` \(", told)


def code(cell: str) -> list[str]:
    """Return what stands in backticks in a cell."""
    return re.findall(r"`([^`]+)`", cell)


def fenced(page: Path, language: str) -> list[tuple[int, str]]:
    """Return the blocks of a language, each with the number of its first line."""
    text = page.read_text(encoding="utf-8")
    found = re.finditer(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [(text.count("\n", 0, match.start()) + 1, match[1]) for match in found]
