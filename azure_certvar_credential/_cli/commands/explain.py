"""``certvar explain``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from azure_certvar_credential._cli.options import JsonOption, one_command
from azure_certvar_credential._cli.output import examples, json_members

app = one_command()


@app.command(
    epilog=examples(
        "certvar explain AADSTS700027",
        "certvar explain 7000216 53003",
        'certvar explain "$(cat error.txt)"   or   journalctl -u app | certvar explain -',
    )
    + json_members("codes (code, hint, hint_on_behalf_of, hint_for_agent, page)")
)
def explain(
    text: Annotated[
        list[str],
        typer.Argument(metavar="CODE...", help="Codes, with or without AADSTS, a pasted error text, or '-'."),
    ],
    as_json: JsonOption = False,
) -> None:
    """Say what an error code of Microsoft Entra ID means, and what to do. Sends nothing.

    Exit code 1 if no code that this package knows is in the text.
    """
    from azure_certvar_credential._cli import explaining
    from azure_certvar_credential._cli.output import FAILED, screen, write_json

    given = sys.stdin.read(explaining.MOST) if text == ["-"] else " ".join(text)
    found = explaining.explained(given)
    if as_json:
        write_json(explaining.as_json(found))
    else:
        explaining.show(screen(), found)
    if not any(item.hint for item in found):
        raise typer.Exit(FAILED)
