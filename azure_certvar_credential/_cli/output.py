"""What every command prints with: a screen for people, JSON for programs, and exit codes.

Results go to standard output; messages, warnings and spinners to standard error. rich drops colours outside a terminal
and where ``NO_COLOR`` is set, and the width is 80 columns where there is no terminal. Only this module makes consoles.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

GOOD = 0
FAILED = 1
USAGE = 2
NEEDS_ATTENTION = 3
INTERRUPTED = 130

EXIT_CODES = "Exit codes: 0 good, 1 refused or failed, 2 wrong usage, 3 needs attention, 130 interrupted by Ctrl-C."


def examples(*commands: str) -> str:
    """Return the end of a help text: one line for each example."""
    # typer makes one line of each paragraph.
    return "\n\n".join(["[bold]Examples:[/bold]", *(f"  {command}".replace("[", "\\[") for command in commands)])


def screen() -> Console:
    """Return the console for results: standard output."""
    return _console(stderr=False)


def messages() -> Console:
    """Return the console for messages: standard error."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    from rich.console import Console

    # No highlighting and no emoji: a subject or an error shows as it is.
    return Console(stderr=stderr, highlight=False, emoji=False)


def write_json(value: Mapping[str, Any]) -> None:
    """Print a result as JSON on standard output."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_line(text: str) -> None:
    """Print a line as it is, however long: a certificate, a header, a token that was asked for by name."""
    sys.stdout.write(f"{text}\n")


def facts(console: Console, rows: Mapping[str, object] | Iterable[tuple[str, object]], *, indent: int = 0) -> None:
    """Print names and values in two columns; a long value is folded, never cut.

    :param rows: a value is a text, printed as it is, or something that rich renders.
    :param indent: the number of columns before the names.
    """
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", min_width=12, no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows.items() if isinstance(rows, Mapping) else rows:
        table.add_row(Text(" " * indent + name), Text(value) if isinstance(value, str) else value)  # type: ignore[arg-type]
    console.print(table)


@contextmanager
def working(text: str) -> Iterator[None]:
    """Show a spinner while something runs that may take longer than a second, on a terminal only.

    :param text: what runs, such as ``asking the server``.
    """
    with messages().status(text):
        yield
