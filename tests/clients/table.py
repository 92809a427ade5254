"""The README's table of clients, once.

``python -m tests.clients.table`` writes it there, with the versions that are installed: run it when their tests pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.clients import versions
from tests.clients.row import Row
from tests.clients.rows import ai, data, databases, identity, messaging, platform, storage

TESTS: Final = Path(__file__).parents[1]
README: Final = TESTS.parent / "README.md"
BEGIN: Final = "<!-- works-with: begin -->\n"
END: Final = "<!-- works-with: end -->\n"

TABLE: Final[dict[str, Row]] = {
    row.client: row
    for row in (*storage.ROWS, *platform.ROWS, *ai.ROWS, *data.ROWS, *identity.ROWS, *messaging.ROWS, *databases.ROWS)
}


def rows_of(path: Path, function: str) -> list[Row]:
    """The rows that a test runs."""
    return [row for row in TABLE.values() if row.test == f"{path.relative_to(TESTS)}::{function}"]


def render() -> str:
    """The table in Markdown, with a line break at its end."""
    return "".join(f"| {' | '.join(cells)} |\n" for cells in _cells())


def _cells() -> Iterator[tuple[str, ...]]:
    noted = versions.noted()
    yield "client", "tried with", "what you write", "credential"
    yield ("---",) * 4
    for row in TABLE.values():
        client = f"{row.client} (scope `{row.scope}`)" if row.scope else row.client
        code = "<br>".join(f"`{line}`" for line in (row.before, row.line) if line)
        yield client, f"{row.package} {noted[row.package]}", code, ", ".join(row.kinds)


def between(text: str) -> str:
    """What a text has between the markers."""
    found = re.search(f"{BEGIN}(.*){END}", text, re.DOTALL)
    assert found, "the README has no markers for the table of clients"
    return found[1]


def main() -> None:
    """Note the installed versions as good ones, and write the table into the README."""
    versions.note([row.package for row in TABLE.values()])
    text = README.read_text()
    README.write_text(text.replace(f"{BEGIN}{between(text)}{END}", f"{BEGIN}{render()}{END}"))


if __name__ == "__main__":
    main()
