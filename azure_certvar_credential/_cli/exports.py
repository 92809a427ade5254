"""Hands the variables of a server over to a shell, a program or a reader."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from azure_certvar_credential._cli.output import messages, write_json, write_line


@dataclass(frozen=True, slots=True)
class Exports:
    """Environment variables that lead other programs to a server.

    :ivar variables: names and values that anybody may see.
    :ivar secrets: those that nobody may.
    """

    variables: Mapping[str, str]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


def hand_over(exports: Exports, *, as_json: bool, show_secrets: bool) -> None:
    """Write the variables to standard output and end it, so that a shell's ``$(… &)`` goes on.

    The secrets are among them where a program reads them. On a terminal they are only if the user asked for them.

    :param exports: the variables.
    :param as_json: whether to write JSON; otherwise lines of a POSIX shell.
    :param show_secrets: whether a terminal shows the secrets.
    """
    with_secrets = show_secrets or not sys.stdout.isatty()
    shown = {**exports.variables, **(exports.secrets if with_secrets else {})}
    if as_json:
        write_json({"environment": shown})
    else:
        for name, value in shown.items():
            write_line(f"export {name}={shlex.quote(value)}")
    if exports.secrets and not with_secrets:
        messages().print(f"Not shown, because secret: {', '.join(exports.secrets)}.")
    if not sys.stdout.isatty():
        _end_standard_output()


def _end_standard_output() -> None:
    sys.stdout.flush()
    # The descriptor stays open on nothing: the next file that is opened must not become standard output.
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)
