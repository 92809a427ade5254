"""How certificates, marks and steps look on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azure_certvar_credential.certificates.naming import not_after, not_before

if TYPE_CHECKING:
    from cryptography import x509
    from rich.console import Console
    from rich.text import Text

# Mark, the same where the terminal has only ASCII, and style, by the level of a finding or the state of a step.
_MARKS = {
    "good": ("✔", "+", "green"),
    "note": ("·", "-", "dim"),
    "warning": ("!", "!", "bold yellow"),
    "refused": ("✘", "x", "bold red"),
    "failed": ("✘", "x", "bold red"),
    "skipped": ("·", "-", "dim"),
}
# Days to the end of a certificate from which on its date is coloured.
_SOON = 30


def marked(console: Console, level: str, text: str | Text, remedy: str | None = None, *, indent: int = 2) -> None:
    """Print a line behind its mark, and a remedy below it; both are wrapped within their column.

    :param level: a key of the table of marks.
    :param indent: the columns before the mark.
    """
    from rich.table import Table
    from rich.text import Text

    symbol, plain, style = _MARKS[level]
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    mark = Text(" " * indent).append(plain if console.options.ascii_only else symbol, style=style)
    table.add_row(mark, Text(text) if isinstance(text, str) else text)
    if remedy:
        table.add_row("", Text(remedy, style="italic"))
    console.print(table)


def validity(certificate: x509.Certificate, days_left: int) -> Text:
    """Return the validity of a certificate with the days that are left, coloured by their number."""
    from rich.text import Text

    start, end = not_before(certificate), not_after(certificate)
    left = f"{days_left:,} days left" if days_left >= 0 else f"ended {-days_left:,} days ago"
    style = "bold red" if days_left < 0 else "yellow" if days_left < _SOON else "green"
    return Text.assemble(f"{start:%Y-%m-%d} to {end:%Y-%m-%d} UTC, ", (left, style))
