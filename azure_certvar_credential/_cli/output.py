"""What every command prints with: a screen for people, JSON for programs, and exit codes.

Results go to standard output; messages, warnings and spinners to standard error. rich drops colours outside a terminal
and where ``NO_COLOR`` is set, and the width is 80 columns where there is no terminal. Only this module makes consoles.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

GOOD = 0
FAILED = 1
USAGE = 2
NEEDS_ATTENTION = 3
INTERRUPTED = 130

# The least columns of names, and of what is wrapped beside them.
_NAMES, _NARROWEST = 10, 20

EXIT_CODES = "Exit codes: 0 good, 1 refused or failed, 2 wrong usage, 3 needs attention, 130 interrupted by Ctrl-C."


def examples(*commands: str) -> str:
    """Return the end of a help text: one line for each example."""
    # typer makes one line of each paragraph.
    return "\n\n".join(["[bold]Examples:[/bold]", *(f"  {command}".replace("[", "\\[") for command in commands)])


def json_members(*members: str) -> str:
    """Return the part of a help text that documents the shape of ``--json``; a shape gains members and loses none."""
    return f"\n\n[bold]With --json:[/bold] {', '.join(members)}; after a failure error (kind, message, hint, codes)."


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
    """Print a result as JSON on standard output, in ASCII, which every encoding of a pipe has."""
    write_line(json.dumps(value, indent=2))


def write_line(text: str) -> None:
    """Print a line as it is, however long: a certificate, a header, a token that was asked for by name."""
    sys.stdout.write(f"{text}\n")
    # Now, so that a failure is the command's, and not the interpreter's as it ends.
    sys.stdout.flush()


def facts(console: Console, rows: Mapping[str, str | Text], *, indent: int = 0) -> None:
    """Print names and values in two columns; a long value is folded, never cut.

    :param rows: values by name; a text is printed as it is.
    :param indent: the number of columns before the names.
    """
    from rich.text import Text

    width = max(_NAMES, *(len(name) for name in rows)) + 2
    for name, value in rows.items():
        hanging(console, Text(" " * indent + f"{name:<{width}}", style="dim"), value)


def hanging(console: Console, left: Text, body: str | Text) -> None:
    """Print a text beside what stands at the left of its first line, without blanks at the ends of lines.

    :param left: a mark or a name, with the space behind it.
    :param body: wrapped to the columns that remain.
    """
    from rich.text import Text

    text = Text(body) if isinstance(body, str) else body
    lead = left
    for line in text.wrap(console, max(_NARROWEST, console.width - left.cell_len), overflow="fold"):
        whole = Text.assemble(lead, line)
        whole.rstrip()
        console.print(whole, soft_wrap=True)
        lead = Text(" " * left.cell_len)


@contextmanager
def working(text: str) -> Iterator[None]:
    """Show a spinner while something runs that may take longer than a second, on a terminal only.

    :param text: what runs, such as ``asking the server``.
    """
    with messages().status(text):
        yield
