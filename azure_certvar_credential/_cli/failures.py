"""From an exception to what ``certvar`` says, and the exit code it ends with."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from azure.core.exceptions import AzureError, ClientAuthenticationError

from azure_certvar_credential._cli.extra import missing_module
from azure_certvar_credential._cli.output import FAILED, USAGE, messages, write_json
from azure_certvar_credential.exceptions import (
    AuthenticationError,
    CertificateError,
    ConfigurationError,
    CredentialClosedError,
    UntrustedServerError,
)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a command failed.

    :ivar exit_code: what the process ends with.
    :ivar kind: the exception's class name, for programs.
    :ivar message: what was wrong; it holds no secret, because the package's errors do not.
    :ivar hint: what to do, or None.
    :ivar codes: AADSTS codes.
    """

    exit_code: int
    kind: str
    message: str
    hint: str | None = None
    codes: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the documented shape: ``{"error": {"kind", "message", "hint", "codes"}}``."""
        return {
            "error": {"kind": self.kind, "message": self.message, "hint": self.hint, "codes": list(self.codes)},
        }


# What the package's errors name, and what a command has in its place.
_OPTIONS = {
    "disable_instance_discovery=True": "--trust-authority",
    "connection_verify": "--ca-file",
    ", or give SQLiteTokenCache a path": "",
    "; give None to export without encryption": ": set it, or leave --password out",
}


def message_of(error: Exception) -> str:
    """Return an error's message with the command's options in the place of a constructor's."""
    text = str(error)
    for argument, option in _OPTIONS.items():
        text = text.replace(argument, option)
    return text


class CommandError(Exception):
    """A command cannot do what was asked of it, for a reason that has no class of its own in the package.

    :param message: what was wrong.
    :param hint: what to do.
    :param exit_code: ``FAILED`` or ``USAGE``.
    """

    def __init__(self, message: str, *, hint: str | None = None, exit_code: int = FAILED) -> None:
        super().__init__(message)
        self.hint = hint
        self.exit_code = exit_code


def failure_of(error: Exception) -> Failure | None:
    """Return what to say about an exception; None for one that is a defect of this program.

    :param error: what a command raised.
    """
    kind, message = type(error).__name__, message_of(error)
    match error:
        case CommandError():
            return Failure(error.exit_code, "UsageError" if error.exit_code == USAGE else kind, message, error.hint)
        case AuthenticationError():
            return Failure(FAILED, kind, message.partition(" Hint: ")[0], error.hint, error.error_codes)
        # An argument that cannot work is found before anything is sent.
        case ConfigurationError():
            return Failure(USAGE, kind, message)
        case UntrustedServerError():
            return Failure(FAILED, kind, message, "name the server's authority, a PEM file, with --ca-file")
        case CertificateError() | CredentialClosedError() | ClientAuthenticationError() | AzureError():
            return Failure(FAILED, kind, message)
        # Its message says what to install. main() reports what the extra of the command line itself lacks, and anything
        # else that cannot be imported is a defect.
        case ImportError() if "pip install" in message and missing_module(error) is None:
            return Failure(FAILED, "MissingExtra", message)
        # A file, a port or a socket that was named.
        case OSError() if error.strerror:
            return Failure(FAILED, kind, f"{error.filename}: {error.strerror}" if error.filename else message)
        case _:
            return None


def report(failure: Failure, *, as_json: bool) -> None:
    """Print a failure: as JSON to standard output, or for people to standard error."""
    from rich.text import Text

    # Standard output may be what failed, on a full disk; then standard error has it.
    with suppress(OSError):
        if as_json:
            write_json(failure.as_json())
            return
    console = messages()
    console.print(Text.assemble(("error: ", "bold red"), failure.message))
    if failure.hint:
        console.print(Text.assemble(("hint: ", "bold"), failure.hint))
