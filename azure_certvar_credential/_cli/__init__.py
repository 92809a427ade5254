"""The command ``certvar``. Needs the extra ``cli``."""

from __future__ import annotations

import sys

MISSING = "certvar needs the extra 'cli': pip install 'azure-certvar-credential[cli]' ({name} is not installed)"


def main() -> None:
    """Run the command line: the entry point of ``certvar`` and of ``python -m azure_certvar_credential``."""
    try:
        from azure_certvar_credential._cli.app import app

        app()
    except ImportError as error:
        name = (error.name or "").partition(".")[0]
        if name not in {"typer", "rich", "jwt", "trustme"}:
            raise
        sys.exit(MISSING.format(name=name))
