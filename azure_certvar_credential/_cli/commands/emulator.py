"""``certvar emulator``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from azure_certvar_credential._cli.options import JsonOption, one_command
from azure_certvar_credential._cli.output import examples

if TYPE_CHECKING:
    from azure_certvar_credential._cli.emulator.serving import Scene
    from azure_certvar_credential.testing.credentials import CertificateLike

_APPLICATION = "The application"
_PLACES = ("env:", "keyvault:", "pkcs11:")

app = one_command()


@app.command(
    epilog=examples(
        "certvar emulator --port 8443 --key-vault",
        'eval "$(certvar emulator --env &)"; npm test; kill $CERTVAR_EMULATOR_PID',
        "certvar emulator --register app.cer --role Orders.Read",
    )
)
def emulator(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port on 127.0.0.1; 0 for any.")] = 0,
    key_vault: Annotated[
        bool, typer.Option("--key-vault", help="Serve a Key Vault too, with the certificate 'app' in it.")
    ] = False,
    register: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE|NAME",
            help="Register this certificate in place of a new one: a file with the public half, or a name as for "
            "--certificate of other commands, of which only the public half is kept. May be repeated.",
            rich_help_panel=_APPLICATION,
            show_default=False,
        ),
    ] = None,
    tenant: Annotated[
        str | None, typer.Option(metavar="GUID", help="The tenant's id.", rich_help_panel=_APPLICATION)
    ] = None,
    client: Annotated[
        str | None, typer.Option(metavar="GUID", help="The application's id.", rich_help_panel=_APPLICATION)
    ] = None,
    role: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="An application role that the tokens carry; may be repeated.",
            rich_help_panel=_APPLICATION,
            show_default=False,
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse what production clients send against the standards.")
    ] = False,
    env: Annotated[
        bool, typer.Option("--env", help="Print the variables without an introduction, for a POSIX shell's 'eval'.")
    ] = False,
    show_key: Annotated[
        bool, typer.Option("--show-key", help="Show the new certificate with its private key on a terminal too.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Serve a local Entra, and a Key Vault, for tests in any language, until Ctrl-C or SIGTERM, then exit with 0.

    It verifies assertions as Entra does and refuses them with Entra's codes. One application is registered, with a new
    certificate whose private key exists in memory and in the variables only. Each request is logged in a line; the
    page at / shows the last assertions decoded, and why one was refused. Clients need instance discovery switched off.
    --json prints {"environment": {NAME: VALUE, ...}}.
    """
    import asyncio

    from azure_certvar_credential._cli.emulator.serving import Scene

    scene = Scene(
        port, [_certificate(place) for place in register or []], tenant, client, role or (), strict, key_vault
    )
    asyncio.run(_emulate(scene, env=env, as_json=as_json, show_key=show_key))


def _certificate(place: str) -> CertificateLike:
    from azure_certvar_credential._cli.certificates import named_certificate

    if place == "-" or place.startswith(_PLACES):
        return named_certificate(place)()
    try:
        return Path(place).read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{place}: {error.strerror}", param_hint="--register") from None


async def _emulate(scene: Scene, *, env: bool, as_json: bool, show_key: bool) -> None:
    from dataclasses import replace

    from rich.text import Text

    from azure_certvar_credential._cli.emulator.serving import opened
    from azure_certvar_credential._cli.exports import hand_over
    from azure_certvar_credential._cli.output import messages
    from azure_certvar_credential._cli.signals import stopping

    console = messages()

    def log(line: str) -> None:
        console.print(Text(line), soft_wrap=True)

    with stopping() as stopped, opened(scene, log) as found:
        exports = replace(found, variables={**found.variables, "CERTVAR_EMULATOR_PID": str(os.getpid())})
        if not env and not as_json:
            console.print(
                f"A local Entra, with its page at {exports.variables['AZURE_AUTHORITY_HOST']}/ Ctrl-C ends it."
            )
        hand_over(exports, as_json=as_json, show_secrets=show_key)
        await stopped.wait()
