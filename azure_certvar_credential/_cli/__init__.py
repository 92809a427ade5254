"""The command ``certvar``. Needs the extra ``cli``.

A thin room over the public API: ``app`` finds a command and reports its failure, ``commands`` holds one command a file,
and the modules beside it are what they share: ``options``, ``certificates``, ``sign_in``, ``output``, ``failures``.
"""

from __future__ import annotations

import io
import sys

from azure_certvar_credential._cli.extra import MISSING, missing_module


def main() -> None:
    """Run the command line: the entry point of ``certvar`` and of ``python -m azure_certvar_credential``."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A pipe of Windows, or a log in Latin-1, has no character for every subject.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        from azure_certvar_credential._cli.app import app

        app()
    except ImportError as error:
        name = missing_module(error)
        if name is None:
            raise
        sys.exit(MISSING.format(name=name))
