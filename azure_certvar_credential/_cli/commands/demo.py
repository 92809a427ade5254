"""``certvar demo``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from azure_certvar_credential._cli.options import one_command
from azure_certvar_credential._cli.output import examples

app = one_command()


@app.command(epilog=examples("certvar demo", "certvar demo --pause"))
def demo(
    *,
    pause: Annotated[bool, typer.Option("--pause", help="Wait for Enter before each step, on a terminal.")] = False,
) -> None:
    """Sign in on this computer alone, without an Azure subscription and without a private key on disk.

    Make a certificate in memory and register it with a local Entra; build a credential from its PFX bytes, get a token,
    get it again from the cache, and call a protected resource through a real Azure client. Then sign in with a
    certificate whose key stays in a local Key Vault.
    """
    from azure_certvar_credential._cli.demo import run_demo
    from azure_certvar_credential._cli.output import screen

    console = screen()
    if pause and sys.stdin.isatty():
        run_demo(console, lambda: console.input("   [dim]Enter for the next step[/]"))
    else:
        run_demo(console)
