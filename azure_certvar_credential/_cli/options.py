"""The options that commands share, each declared once."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

_CERTIFICATE = "The certificate"
_SERVER = "The sign-in"


def one_command() -> typer.Typer:
    """Return a Typer for one command, or for a group of commands of one name."""
    return typer.Typer(
        add_completion=False, no_args_is_help=False, rich_markup_mode="rich", pretty_exceptions_show_locals=False
    )


def _remember_json(ctx: typer.Context, wanted: bool) -> bool:
    # The code that reports a failure has the context alone.
    ctx.meta["json"] = wanted
    return wanted


#: A certificate with its private key, by name; see :mod:`.certificates`.
CertificateOption = Annotated[
    str,
    typer.Option(
        "--certificate",
        "-c",
        metavar="NAME",
        help="'-' for standard input, env:VARIABLE, keyvault:https://VAULT/certificates/NAME, or a PKCS #11 URI. Never "
        "the certificate itself: other users of this computer see arguments.",
        rich_help_panel=_CERTIFICATE,
        show_default=True,
    ),
]
#: What ``--certificate`` is by default: azure-identity's variable, with the content.
DEFAULT_CERTIFICATE = "env:AZURE_CLIENT_CERTIFICATE"

#: The password, or a token's PIN, by name.
PasswordOption = Annotated[
    str | None,
    typer.Option(
        "--password",
        metavar="NAME",
        help="env:VARIABLE, or 'prompt'. Without it, AZURE_CLIENT_CERTIFICATE_PASSWORD if the certificate comes from "
        "AZURE_CLIENT_CERTIFICATE, and a prompt if it turns out to be needed.",
        rich_help_panel=_CERTIFICATE,
        show_default=False,
    ),
]
_TENANT = typer.Option(
    "--tenant",
    envvar="AZURE_TENANT_ID",
    metavar="ID",
    help="The tenant's GUID or domain name.",
    rich_help_panel=_SERVER,
    show_default=False,
)
_CLIENT = typer.Option(
    "--client",
    envvar="AZURE_CLIENT_ID",
    metavar="ID",
    help="The 'Application (client) ID' of the app registration.",
    rich_help_panel=_SERVER,
    show_default=False,
)
TenantOption = Annotated[str, _TENANT]
ClientOption = Annotated[str, _CLIENT]
#: For commands that say themselves what is missing, or do without.
OptionalTenantOption = Annotated[str | None, _TENANT]
OptionalClientOption = Annotated[str | None, _CLIENT]
AuthorityOption = Annotated[
    str | None,
    typer.Option(
        "--authority",
        envvar="AZURE_AUTHORITY_HOST",
        metavar="HOST",
        help="The sign-in host; by default login.microsoftonline.com.",
        rich_help_panel=_SERVER,
        show_default=False,
    ),
]
TrustAuthorityOption = Annotated[
    bool,
    typer.Option(
        "--trust-authority",
        help="Trust an authority that is not one of Microsoft's hosts. One on loopback needs no such trust.",
        rich_help_panel=_SERVER,
    ),
]
ChainOption = Annotated[
    bool,
    typer.Option(
        "--send-chain",
        envvar="AZURE_CLIENT_SEND_CERTIFICATE_CHAIN",
        help="Send the certificate's chain, which registrations by subject name and issuer need.",
        rich_help_panel=_SERVER,
    ),
]
CaFileOption = Annotated[
    Path | None,
    typer.Option(
        "--ca-file",
        exists=True,
        dir_okay=False,
        help="The certificate authorities (PEM) that the server is verified with; by default REQUESTS_CA_BUNDLE, "
        "SSL_CERT_FILE, or the package certifi.",
        rich_help_panel=_SERVER,
        show_default=False,
    ),
]
ShowTokenOption = Annotated[
    bool, typer.Option("--show-token", help="Print the secret itself: anybody who has it can use it until it expires.")
]
JsonOption = Annotated[
    bool,
    typer.Option("--json", help="Print JSON, of a shape that stays.", callback=_remember_json, is_eager=True),
]


class PublicForm(str, Enum):
    """The forms of a certificate's public half."""

    PEM = "pem"
    BASE64 = "base64"
    GRAPH = "graph"
