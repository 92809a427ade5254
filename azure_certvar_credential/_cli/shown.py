"""How certificates, marks and steps look on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from azure_certvar_credential._cli.findings import Finding, extended_key_usage
from azure_certvar_credential._cli.output import facts, hanging
from azure_certvar_credential.certificates.naming import issuer, not_after, not_before, subject

if TYPE_CHECKING:
    from azure_certvar_credential._cli.inspecting import Inspected

# Mark, the same where the terminal has only ASCII, and style, by the level of a finding or the state of a step.
_MARKS = {
    "good": ("✔", "+", "green"),
    "note": ("·", "-", "dim"),
    "warning": ("!", "!", "bold yellow"),
    "refused": ("✘", "x", "bold red"),
    "failed": ("✘", "x", "bold red"),
    "skipped": ("·", "-", "dim"),
    "detail": (" ", " ", ""),
    "remedy": ("→", ">", "bold"),
}
# Days to the end of a certificate from which on its date is coloured.
_SOON = 30


def marked(
    console: Console,
    level: str,
    text: str | Text,
    remedy: str | None = None,
    *,
    indent: int = 2,
    aside: Text | None = None,
) -> None:
    """Print a line behind its mark, and a remedy below it; both are wrapped within their column.

    :param level: a key of the table of marks.
    :param indent: the columns before the mark.
    :param aside: what stands in a column of its own beside the text.
    """
    symbol, plain, style = _MARKS[level]
    left = Text(" " * indent).append(plain if console.options.ascii_only else symbol, style=style).append(" ")
    if aside is None:
        hanging(console, left, text)
    else:
        hanging(console, Text.assemble(left, text, " "), aside)
    if remedy:
        hanging(console, Text(" " * (indent + 2)), Text(remedy, style="italic"))


def validity(certificate: x509.Certificate, days_left: int) -> Text:
    """Return the validity of a certificate with the days that are left, coloured by their number."""
    start, end = not_before(certificate), not_after(certificate)
    left = f"{days_left:,} days left" if days_left >= 0 else f"ended {-days_left:,} days ago"
    style = "bold red" if days_left < 0 else "yellow" if days_left < _SOON else "green"
    return Text.assemble(f"{start:%Y-%m-%d} to {end:%Y-%m-%d} UTC, ", (left, style))


def show_certificate(console: Console, found: Inspected) -> None:
    """Print a certificate for people."""
    console.print(Text(subject(found.leaf), style="bold"))
    usage = extended_key_usage(found.leaf)
    places = {"memory": "with its private key, proven to be its own", "absent": "without a private key"}
    facts(
        console,
        {
            "issuer": issuer(found.leaf),
            "serial": f"{found.leaf.serial_number:X}",
            "valid": validity(found.leaf, found.days_left),
            "key": f"{found.key}, {places.get(found.key_place, f'private key in {found.key_place}')}",
            "for": "anything" if usage is None else ", ".join(usage),
            **found.digests(),
        },
        indent=2,
    )
    if found.chain:
        top, *rest = [*reversed(found.chain), found.leaf]
        tree = branch = Tree(Text(subject(top)), guide_style="dim")
        for link in rest:
            branch = branch.add(Text(subject(link), style="bold" if link is found.leaf else ""))
        console.print(Text("Chain", style="bold"))
        console.print(tree)
    show_findings(console, found.findings)


def show_findings(console: Console, findings: tuple[Finding, ...]) -> None:
    """Print findings, one below the other; that there is none is said, too."""
    console.print(Text("Findings", style="bold"))
    if not findings:
        marked(console, "good", "none")
    for finding in findings:
        marked(console, finding.level, f"{finding.code}: {finding.message}", finding.remedy)
