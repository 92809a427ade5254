"""The commands and their options."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from azure_certvar_credential import __version__
from azure_certvar_credential._cli.demo import run_demo

app = typer.Typer(
    name="certvar",
    help="Authenticate to Microsoft Entra ID with a certificate that lives in a variable.",
    no_args_is_help=True,
    add_completion=False,
    # A traceback with the values of local variables could show a key or a token.
    pretty_exceptions_show_locals=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"certvar {__version__}")
        raise typer.Exit


@app.callback()
def _certvar(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    pass


@app.command()
def demo() -> None:
    """Sign in on this computer alone, without an Azure subscription and without a private key on disk.

    Make a certificate in memory and register it with a local Entra; build a credential from its PFX bytes, get a token,
    get it again from the cache, and call a protected resource through a real Azure client. Then sign in with a
    certificate whose key stays in a local Key Vault.
    """
    run_demo(Console())
