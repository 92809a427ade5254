"""Decodes JWTs to show them, without a look at their signature, and keeps them off the screen."""

from __future__ import annotations

import binascii
import sys
from base64 import urlsafe_b64decode
from typing import Any

from azure_certvar_credential._cli.failures import CommandError
from azure_certvar_credential._cli.output import USAGE
from azure_certvar_credential._json import parse_json


def segment(text: str) -> dict[str, Any]:
    """Return the JSON object of a JWT's header or claims; empty if it is none."""
    try:
        value = parse_json(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def claims_of(token: str) -> dict[str, Any]:
    """Return the claims of an access token; empty for an opaque one, which some resources have."""
    parts = token.split(".")
    return segment(parts[1]) if len(parts) == 3 else {}


def masked(text: str) -> str:
    """Return what is shown in the place of a secret: its length."""
    return f"({len(text)} characters, --show-token shows them)"


def refuse_on_terminal(*, asked: bool) -> None:
    """Refuse to print a token on a terminal unless it was asked for by name.

    :param asked: whether ``--show-token`` was given.
    :raises CommandError: it was not, and standard output is a terminal.
    """
    if not asked and sys.stdout.isatty():
        raise CommandError(
            "this prints a token, and standard output is a terminal",
            hint="pipe it to the program that needs it, or ask for it with --show-token",
            exit_code=USAGE,
        )
