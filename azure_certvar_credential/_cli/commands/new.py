"""``certvar new``."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from azure_certvar_credential._cli.options import JsonOption, PasswordOption, PublicForm, one_command
from azure_certvar_credential._cli.output import examples, json_members

app = one_command()


class Key(str, Enum):
    """The types of key that ``ClientCertificate.self_signed`` makes."""

    RSA_2048 = "RSA-2048"
    RSA_3072 = "RSA-3072"
    RSA_4096 = "RSA-4096"
    EC_P256 = "EC-P256"


@app.command(
    epilog=examples(
        "export AZURE_CLIENT_CERTIFICATE=$(certvar new my-app --public my-app.cer)",
        "certvar new my-app --public my-app.cer | gh secret set APP_CERT",
        "certvar new my-app --to keyvault:https://contoso.vault.azure.net/certificates/my-app",
        "certvar new my-app --form graph --public key.json --password env:PFX_PASSWORD | store",
    )
    + json_members("subject", "thumbprint", "not_after", "public", "private", "findings (code, level, message, remedy)")
)
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The subject's common name, without CN=.")],
    *,
    days: Annotated[int, typer.Option(min=1, help="How long it is valid, in days.")] = 180,
    key: Annotated[Key, typer.Option(help="Type and size of the key. Entra takes RSA alone.")] = Key.RSA_3072,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="PLACE",
            help="keyvault:https://VAULT/certificates/NAME imports both halves there. By default the private half goes "
            "to standard output.",
            show_default=False,
        ),
    ] = None,
    public: Annotated[
        Path | None,
        typer.Option(metavar="FILE", dir_okay=False, help="Write the public half to this file.", show_default=False),
    ] = None,
    form: Annotated[PublicForm, typer.Option(help="The form of the public half.")] = PublicForm.PEM,
    password: PasswordOption = None,
    show_key: Annotated[
        bool, typer.Option("--show-key", help="Print the private half even where standard output is a terminal.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a key pair and a self-signed certificate in memory.

    The private half is one line: base64 of a PFX, as environment variables, Key Vault and GitHub secrets take it. It is
    never written to a file, and not to a terminal unless --show-key asks for that. The public half goes to the app
    registration.
    """
    from azure_certvar_credential._cli import making

    making.new(making.Wanted(name, days, key.value, to, public, form, password, show_key=show_key, as_json=as_json))
