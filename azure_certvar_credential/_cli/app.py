"""Finds the command, runs it, and reports its failure.

A command's module is imported when it is run or its help is shown, so that starting ``certvar`` stays cheap.
"""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from azure_certvar_credential import __version__
from azure_certvar_credential._cli.output import EXIT_CODES, INTERRUPTED, examples

#: The commands in the order of the help: each is a module of ``commands`` with a ``typer.Typer`` named ``app``.
COMMANDS = ("new", "inspect", "assertion", "token", "cache", "doctor", "explain", "serve", "run", "emulator", "demo")


class _LazyCommands(TyperGroup):
    """The commands of the table above."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - typer's signature
        """Return the names of the commands, in their order."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - typer's signature
        """Import the command; None if there is none of this name."""
        if cmd_name in COMMANDS:
            return self._imported(cmd_name)
        # typer suggests the name that resembles a misspelt one among those that it knows.
        for name in COMMANDS:
            self._imported(name)
        return None

    def invoke(self, ctx: Any) -> Any:
        """Run the command, and end with the exit code and the message of its failure."""
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _show_warning  # type: ignore[assignment]  # takes all, names one
                return super().invoke(ctx)
        except KeyboardInterrupt:
            # A shell's convention for SIGINT; there is nothing to say that the person does not know.
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            # The reader, such as `head`, has seen enough: typer ends with 1 and without a word.
            raise
        except Exception as error:
            from azure_certvar_credential._cli.failures import failure_of, report

            failure = failure_of(error)
            if failure is None:
                raise
            report(failure, as_json=bool(ctx.meta.get("json")))
            raise typer.Exit(failure.exit_code) from None

    def _imported(self, name: str) -> Any:
        if name not in self.commands:
            module = import_module(f"azure_certvar_credential._cli.commands.{name}")
            command = typer.main.get_command(module.app)
            # The lines of a docstring are as wide as the source, and rich would keep them.
            paragraphs = (command.help or "").split("\n\n")
            command.help = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
            command.name = name  # a group of commands does not know its own
            self.add_command(command, name)
        return self.commands[name]


app = typer.Typer(
    name="certvar",
    cls=_LazyCommands,
    help="Make, check, use and lend a certificate that lives in a variable, for Microsoft Entra ID.",
    epilog=f"{EXIT_CODES}\n\n{examples('certvar demo')}",
    no_args_is_help=True,
    rich_markup_mode="rich",
    # A traceback with the values of local variables could show a key or a token.
    pretty_exceptions_show_locals=False,
)


def _show_warning(message: Warning | str, *_where: object) -> None:
    # Python's own form names a line of this program, which says nothing to the person at the terminal.
    typer.echo(f"warning: {message}", err=True)


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
