"""Hands the variables of a server over to a shell, a program or a reader."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from azure_certvar_credential._cli.output import write_json, write_line


@dataclass(frozen=True, slots=True)
class Exports:
    """Environment variables that lead other programs to a server.

    :ivar variables: names and values that anybody may see.
    :ivar secrets: those that nobody may.
    """

    variables: Mapping[str, str]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def lines(self, *, with_secrets: bool) -> Iterator[str]:
        """Yield a line of a POSIX shell for each variable."""
        for name, value in (self.variables | self.secrets if with_secrets else self.variables).items():
            yield f"export {name}={shlex.quote(value)}"


def hand_over(exports: Exports, facts: Mapping[str, Any], *, as_json: bool, show_secrets: bool) -> None:
    """Write the variables to standard output and end it, so that a shell's ``$(… &)`` goes on.

    The secrets are among them where a program reads them. On a terminal they are only if the user asked for them.

    :param exports: the variables.
    :param facts: what the JSON has beside them.
    :param as_json: whether to write JSON; otherwise lines of a POSIX shell.
    :param show_secrets: whether a terminal shows the secrets.
    """
    with_secrets = show_secrets or not sys.stdout.isatty()
    if as_json:
        shown = {**exports.variables, **exports.secrets} if with_secrets else exports.variables
        write_json({**facts, "environment": dict(shown)})
    else:
        for line in exports.lines(with_secrets=with_secrets):
            write_line(line)
    if not sys.stdout.isatty():
        _end_standard_output()


def _end_standard_output() -> None:
    sys.stdout.flush()
    # The descriptor stays open on nothing: the next file that is opened must not become standard output.
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)
