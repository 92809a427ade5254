"""Takes the steps, and prints them as they are taken."""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from typing import TYPE_CHECKING

import typer
from rich.text import Text

from azure_certvar_credential._cli.doctor.case import Case, Step
from azure_certvar_credential._cli.doctor.diagnosis import Diagnosis
from azure_certvar_credential._cli.doctor.steps import examine
from azure_certvar_credential._cli.output import FAILED, NEEDS_ATTENTION, screen, working, write_json
from azure_certvar_credential._cli.shown import marked

if TYPE_CHECKING:
    from rich.console import Console


def run(case: Case, *, as_json: bool) -> None:
    """Examine a case and print each step.

    :raises typer.Exit: a step failed, or needs attention.
    """
    console = screen()
    steps: list[Step] = []
    # The first step says so itself.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, take in examine(case):
            # The certificate may ask for a password, which a spinner would hide.
            with nullcontext() if name == "certificate" else working(name):
                step = take()
            steps.append(step)
            if not as_json:
                _show(console, step)
    left_out = [step.name for step in steps if step.outcome.state == "skipped"]
    if as_json:
        write_json({"steps": [step.as_json() for step in steps]})
    elif left_out:
        marked(console, "skipped", f"not tried: {', '.join(left_out)}", indent=0)
    states = {step.outcome.state for step in steps}
    if "failed" in states:
        raise typer.Exit(FAILED)
    if "warning" in states:
        raise typer.Exit(NEEDS_ATTENTION)
    if not as_json:
        console.print(Text("\nThis certificate signs in.", style="bold green"))


def _show(console: Console, step: Step) -> None:
    outcome, diagnosis = step.outcome, step.outcome.diagnosis
    if outcome.state == "skipped":
        return
    detail = Text(outcome.detail, style="dim" if outcome.state == "good" else "")
    if diagnosis is not None:
        cause = (diagnosis.cause, "bold red" if outcome.state == "failed" else "bold yellow")
        detail = Text.assemble(cause, "" if outcome.state == "failed" else f"  {outcome.detail}")
    marked(console, outcome.state, f"{step.name:<11}", indent=0, aside=detail)
    if diagnosis is not None:
        _explain(console, diagnosis)


def _explain(console: Console, diagnosis: Diagnosis) -> None:
    """Print a diagnosis; a command and a page on one line each, however long, because they are copied."""
    marked(console, "detail", diagnosis.message, indent=0)
    if diagnosis.remedy:
        marked(console, "remedy", Text(diagnosis.remedy, style="bold"), indent=0)
    if diagnosis.command:
        console.print(Text.assemble(("  $ ", "dim"), (diagnosis.command, "cyan")), soft_wrap=True)
    if diagnosis.page:
        console.print(Text.assemble("    ", (diagnosis.page, "cyan")), soft_wrap=True)
