"""``certvar cache``: the file through which the processes of this computer share tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from azure_certvar_credential._cli.options import JsonOption, one_command
from azure_certvar_credential._cli.output import examples

app = one_command()

FileOption = Annotated[
    Path | None,
    typer.Option(
        "--file",
        metavar="FILE",
        dir_okay=False,
        help="The cache's file; by default that of SQLiteTokenCache().",
        show_default=False,
    ),
]


@app.callback(epilog=examples("certvar cache path", "certvar cache stats --json", "certvar cache clear"))
def cache() -> None:
    """Show or empty the token cache that the processes of this computer share.

    Its entries are sealed: only a holder of the certificate's private key can read them, and this command does not.
    """


@app.command()
def path(*, file: FileOption = None, as_json: JsonOption = False) -> None:
    """Print the path of the file, which need not exist."""
    from azure_certvar_credential._cli import caching

    caching.show_path(file, as_json=as_json)


@app.command()
def stats(*, file: FileOption = None, as_json: JsonOption = False) -> None:
    """Show how many entries there are, how large the file is, and when the entries expire."""
    from azure_certvar_credential._cli import caching

    caching.show_statistics(file, as_json=as_json)


@app.command()
def clear(*, file: FileOption = None, as_json: JsonOption = False) -> None:
    """Drop every entry. A process that runs keeps the tokens in its memory, and puts them there again."""
    from azure_certvar_credential._cli import caching

    caching.clear(file, as_json=as_json)
