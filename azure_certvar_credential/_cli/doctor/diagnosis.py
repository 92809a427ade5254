"""From what went wrong to its cause, its remedy, and the command or page that mends it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from azure.core.exceptions import AzureError

from azure_certvar_credential import exceptions as errors
from azure_certvar_credential._cli.failures import message_of
from azure_certvar_credential._core.hints import HINTS

_CREDENTIALS = (
    "https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/Credentials/appId/{client}"
)
_OVERVIEW = _CREDENTIALS.replace("Credentials", "Overview")
_PERMISSIONS = _CREDENTIALS.replace("Credentials", "CallAnAPI")
_SIGN_INS = "https://entra.microsoft.com, Monitoring & health > Sign-in logs > Service principal sign-ins"
_UPLOAD = (
    "certvar inspect{certificate} --public >app.cer && "
    "az ad app credential reset --id {client} --cert @app.cer --append"
)
_CONSENT = "az ad app permission admin-consent --id {client}"

# By code: the command that mends or shows it, and the page that does so.
_ACTIONS: dict[int, tuple[str | None, str | None]] = {
    **dict.fromkeys(
        (700027, 700028, 7000214, 7000274, 7000277, 1000502, 50012, 50032, 70002, 5002738), (_UPLOAD, _CREDENTIALS)
    ),
    700024: ("timedatectl set-ntp true", None),
    **dict.fromkeys((700016, 700011, 70001, 700021), ("az ad app show --id {client}", _OVERVIEW)),
    7000229: ("az ad sp create --id {client}", None),
    7000112: ("az ad sp update --id {client} --set accountEnabled=true", None),
    **dict.fromkeys((90002, 50128, 900023, 50059, 90038, 900382, 900432), ("az account tenant list", None)),
    **dict.fromkeys((650056, 650057, 501051, 90094, 65001), (_CONSENT, _PERMISSIONS)),
    **dict.fromkeys((53003, 530032, 50196), (None, _SIGN_INS)),
    **dict.fromkeys((700212, 700211, 700213, 70025), (None, _CREDENTIALS)),
}

# The causes that have an exception of their own; the first that fits is taken.
_CAUSES: tuple[tuple[type[Exception], str, str | None], ...] = (
    (errors.PasswordRequiredError, "password-required", "Name it with --password env:VARIABLE."),
    (errors.WrongPasswordError, "wrong-password", "Check the variable that --password names."),
    (errors.PasswordError, "wrong-password", None),
    (errors.KeyMismatchError, "key-mismatch", "Take the key that was made with the certificate."),
    (errors.MissingPrivateKeyError, "no-private-key", "Give the private half: the PFX, or PEM with the key."),
    (errors.MissingCertificateError, "no-certificate", None),
    (errors.AmbiguousPrivateKeyError, "several-keys", None),
    (errors.UnsupportedKeyError, "unsupported-key", "Make one that Entra takes: certvar new."),
    (errors.CertificateFormatError, "not-a-certificate", None),
    (errors.KeyVaultError, "key-vault", None),
    (errors.CertificateError, "certificate", None),
    (
        errors.AcquisitionTimeoutError,
        "timeout",
        "Look for what holds the request up: a firewall, a proxy, the service.",
    ),
)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why a step failed.

    :ivar cause: its stable name: ``AADSTS…``, or words such as ``wrong-password``.
    :ivar message: what went wrong.
    :ivar remedy: what to do, or None.
    :ivar command: a command that mends it or shows more, or None.
    :ivar page: the page that does so, or None.
    """

    cause: str
    message: str
    remedy: str | None = None
    command: str | None = None
    page: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the documented shape."""
        return {
            "cause": self.cause,
            "message": self.message,
            "remedy": self.remedy,
            "command": self.command,
            "page": self.page,
        }


def of_codes(codes: Iterator[int] | tuple[int, ...] | list[int], message: str, names: dict[str, str]) -> Diagnosis:
    """Return the diagnosis for AADSTS codes; the first that the package knows decides.

    :param message: the server's.
    :param names: the values of ``{client}`` and ``{certificate}`` in commands and pages; the latter is an option with a
        space before it, or nothing.
    """
    listed = list(codes)
    code = next((code for code in listed if code in HINTS), listed[0])
    command, page = _ACTIONS.get(code, (None, None))
    return Diagnosis(
        f"AADSTS{code}",
        message.partition(" Trace ID:")[0].removeprefix(f"AADSTS{code}: "),
        HINTS.get(code),
        command.format(**names) if command else None,
        page.format(**names) if page else None,
    )


def diagnosed(error: Exception, names: dict[str, str]) -> Diagnosis | None:
    """Return the diagnosis of an exception; None for one that is a defect of this program.

    :param names: as for :func:`of_codes`.
    """
    text = message_of(error)
    for kind, cause, remedy in _CAUSES:
        if isinstance(error, kind):
            return Diagnosis(cause, text, remedy)
    match error:
        case errors.TemporarilyUnavailableError():
            wait = "" if error.retry_after is None else f" The server asks for {error.retry_after:g} s."
            cause = "throttled" if error.status_code == 429 else "unavailable"
            return Diagnosis(cause, text, f"Wait, and send fewer requests: share one credential.{wait}")
        case errors.AuthenticationError() if error.error_codes:
            return of_codes(error.error_codes, str(error.message), names)
        case errors.ResponseFormatError():
            return not_entra(text)
        case errors.AuthenticationError():
            return Diagnosis("refused", text, error.hint)
        case errors.ConfigurationError():
            return Diagnosis("wrong-argument", text)
        case AzureError():
            return Diagnosis("unreachable", text, "Check the connection to the server, and what stands in between.")
        case _:
            return None


def not_entra(message: str) -> Diagnosis:
    """Return the diagnosis of an answer that the sign-in service did not write."""
    return Diagnosis(
        "not-entra",
        message,
        "Something in between answers in its place, such as a proxy or the sign-in page of a network: pass it, or name "
        "the proxy in HTTPS_PROXY.",
    )
