"""From ``--certificate`` and ``--password`` to a source of the certificate.

Both name a place; neither is ever the secret itself, because the arguments of a process are visible to others, in the
shell's history and in logs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import typer

from azure_certvar_credential._cli.options import DEFAULT_CERTIFICATE
from azure_certvar_credential._cli.output import working
from azure_certvar_credential._cli.sign_in import is_loopback
from azure_certvar_credential.exceptions import MissingCertificateError, PasswordRequiredError

if TYPE_CHECKING:
    from azure_certvar_credential import ClientCertificate

PROMPT = "prompt"
_DEFAULT_PASSWORD = "AZURE_CLIENT_CERTIFICATE_PASSWORD"  # noqa: S105 - a variable's name
_FORMS = "'-', env:VARIABLE, keyvault:https://VAULT/certificates/NAME, or pkcs11:… (RFC 7512)"
# One octet more than ClientCertificate.load() accepts.
_MOST = (1 << 20) + 1


@dataclass(frozen=True, slots=True)
class NamedCertificate:
    """A certificate by the name of its place. Called, it reads the certificate: it is a source for a credential.

    :ivar name: what the user wrote; safe to show.
    :ivar read: reads the certificate; :class:`Content`, or a source of the package.
    """

    name: str
    read: Callable[[], ClientCertificate] = field(repr=False)

    def __call__(self) -> ClientCertificate:
        """Read the certificate.

        :raises CertificateError: it cannot be read or used.
        """
        # Content may ask for a password, which a spinner would hide; a vault takes its time.
        with working("reading the certificate") if self.name.startswith("keyvault:") else nullcontext():
            return self.read()


def named_certificate(name: str, password: str | None = None) -> NamedCertificate:
    """Return the source that ``--certificate`` names; nothing is read yet.

    :param name: the value of ``--certificate``.
    :param password: the value of ``--password``: ``env:VARIABLE``, ``prompt``, or None.
    :raises typer.BadParameter: a value names no place.
    """
    if password is None and name == DEFAULT_CERTIFICATE and _DEFAULT_PASSWORD in os.environ:
        password = f"env:{_DEFAULT_PASSWORD}"
    ask = password_reader(password)
    scheme, _, rest = name.partition(":")
    match scheme:
        case "-" if not rest:
            return NamedCertificate(name, Content(_standard_input, ask))
        case "env" if rest:
            return NamedCertificate(name, Content(lambda: _variable(rest), ask))
        case "keyvault":
            return NamedCertificate(name, _key_vault(rest))
        case "pkcs11":
            from azure_certvar_credential._cli.pkcs11_uri import pkcs11_certificate

            return NamedCertificate(name, pkcs11_certificate(name, ask))
        case _:
            raise typer.BadParameter(
                f"write {_FORMS}. What was given is none of these, and is not shown, since it may be a secret",
                param_hint="--certificate",
            )


def password_reader(name: str | None) -> Callable[[], str] | None:
    """Return what reads the password; None if none was named.

    :param name: the value of ``--password``.
    :raises typer.BadParameter: it names no place, or the variable is not set.
    """
    if name is None:
        return None
    if name == PROMPT:
        return lambda: prompted("Password")
    kind, _, variable = name.partition(":")
    if kind != "env" or not variable:
        raise typer.BadParameter(
            "write env:VARIABLE or 'prompt', never the password itself; what was given is not shown",
            param_hint="--password",
        )
    if variable not in os.environ:
        raise typer.BadParameter(f"the environment variable {variable} is not set", param_hint="--password")
    return lambda: os.environ[variable]


def prompted(what: str) -> str:
    """Ask for a secret on the terminal, without an echo."""
    import getpass

    return getpass.getpass(f"{what}: ", stream=sys.stderr)


class Content:
    """A certificate whose content this process can read; it asks for a password if one turns out to be needed.

    :param read: returns the content.
    :param ask: returns the password; None if none was named.
    """

    def __init__(self, read: Callable[[], str | bytes], ask: Callable[[], str] | None) -> None:
        self._read, self._ask = read, ask
        self._data: str | bytes | None = None
        self._password: str | None = None

    def data(self) -> str | bytes:
        """Return the content, read once: a pipe has no second time.

        :raises MissingCertificateError: there is none.
        """
        if self._data is None:
            self._data = self._read()
        return self._data

    def opened(self, load: Callable[[Any, str | None], Any]) -> Any:
        """Return what ``load`` makes of content and password.

        :raises PasswordRequiredError: a password is needed, none was named, and there is no terminal to ask on.
        """
        if self._password is None and self._ask is not None:
            self._password = self._ask()
        try:
            return load(self.data(), self._password)
        except PasswordRequiredError:
            if self._password is not None or not sys.stderr.isatty():
                raise
        self._password = prompted("Password of the certificate")
        return load(self.data(), self._password)

    def __call__(self) -> ClientCertificate:
        """Read the certificate."""
        from azure_certvar_credential import ClientCertificate

        loaded: ClientCertificate = self.opened(ClientCertificate.load)
        return loaded


def _standard_input() -> bytes:
    if sys.stdin.isatty():
        raise MissingCertificateError("the certificate is to come from standard input, which is a terminal: pipe it in")
    return sys.stdin.buffer.read(_MOST)


def _variable(name: str) -> str:
    data = os.environ.get(name)
    if not data:
        raise MissingCertificateError(
            f"the environment variable {name} is {'not set' if data is None else 'empty'}; set it to the certificate "
            "with its private key, PEM or base64 of a PFX, or name another place with --certificate"
        )
    return data


def _key_vault(url: str) -> Callable[[], ClientCertificate]:
    from azure_certvar_credential.keyvault import KeyVaultCertificate

    vault, name, version = vault_location(url, "--certificate")
    return KeyVaultCertificate(vault, name, vault_credential(), version=version, **vault_options(vault))


def vault_location(url: str, option: str) -> tuple[str, str, str | None]:
    """Return vault, name and version of ``https://VAULT/certificates/NAME[/VERSION]``.

    :param option: the option that has the value, for the message.
    :raises typer.BadParameter: it is no such URL.
    """
    parts = urlsplit(url)
    collection, _, rest = parts.path.strip("/").partition("/")
    name, _, version = rest.partition("/")
    if parts.scheme != "https" or not parts.netloc or collection != "certificates" or not name or "/" in version:
        raise typer.BadParameter(
            "a certificate in Key Vault is keyvault:https://VAULT.vault.azure.net/certificates/NAME, with /VERSION "
            "behind it if one version is meant",
            param_hint=option,
        )
    return f"https://{parts.netloc}", name, version or None


def vault_credential() -> Any:
    """Return the credential that uses a vault: azure-identity's for the person or machine that runs the command.

    :raises ImportError: azure-identity is not installed.
    """
    try:
        from azure.identity import DefaultAzureCredential
    except ImportError as error:
        raise ImportError(
            "a certificate in Key Vault needs azure-identity, to sign in to the vault: pip install azure-identity",
            name="azure.identity",
        ) from error
    loopback = is_loopback(os.environ.get("AZURE_AUTHORITY_HOST", ""))
    return DefaultAzureCredential(disable_instance_discovery=loopback)


def vault_options(vault_url: str) -> dict[str, Any]:
    """Return the options of Key Vault's clients: a vault on loopback is outside the domains that they verify."""
    return {"verify_challenge_resource": False} if is_loopback(vault_url) else {}
