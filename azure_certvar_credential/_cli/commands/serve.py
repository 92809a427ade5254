"""``certvar serve``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from azure_certvar_credential._cli.commands.lent import AllowOption, ImdsOption, terms_of
from azure_certvar_credential._cli.options import (
    DEFAULT_CERTIFICATE,
    AuthorityOption,
    CaFileOption,
    CertificateOption,
    ChainOption,
    ClientOption,
    JsonOption,
    PasswordOption,
    TenantOption,
    TrustAuthorityOption,
    one_command,
)
from azure_certvar_credential._cli.output import examples
from azure_certvar_credential._cli.sign_in import SignIn

if TYPE_CHECKING:
    from azure_certvar_credential._cli.identity_endpoint.lending import Terms

app = one_command()


@app.command(
    epilog=examples(
        'eval "$(certvar serve &)"',
        "certvar serve --allow https://vault.azure.net/.default --port 40342 --json",
        "certvar serve --socket /run/user/1000/identity --show-header",
    )
)
def serve(
    *,
    tenant: TenantOption,
    client: ClientOption,
    certificate: CertificateOption = DEFAULT_CERTIFICATE,
    password: PasswordOption = None,
    authority: AuthorityOption = None,
    trust_authority: TrustAuthorityOption = False,
    send_chain: ChainOption = False,
    ca_file: CaFileOption = None,
    allow: AllowOption = None,
    imds: ImdsOption = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port on 127.0.0.1; 0 for any.")] = 0,
    socket: Annotated[
        Path | None,
        typer.Option(
            help="Listen on this Unix socket, which only you may use, in place of a port.", show_default=False
        ),
    ] = None,
    show_header: Annotated[
        bool, typer.Option("--show-header", help="Show the endpoint's secrets on a terminal too.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Lend the certificate to every program that knows managed identities, through an endpoint on this computer.

    The endpoint has the form of Azure App Service: any Azure SDK in any language finds it by IDENTITY_ENDPOINT and
    IDENTITY_HEADER, which are printed, and gets tokens from it without seeing the certificate. The header is a secret:
    its owner gets tokens until the endpoint ends, with Ctrl-C or SIGTERM and exit code 0. Each request is logged in a
    line. --json prints {"environment": {NAME: VALUE, ...}}.
    """
    import asyncio

    sign_in = SignIn(tenant, client, authority, trust_authority, send_chain, ca_file)
    terms = terms_of(certificate, password, sign_in, allow or [], imds=imds, port=port, socket=socket)
    asyncio.run(_serve(terms, as_json=as_json, show_header=show_header))


async def _serve(terms: Terms, *, as_json: bool, show_header: bool) -> None:
    from dataclasses import replace

    from azure_certvar_credential._cli.exports import hand_over
    from azure_certvar_credential._cli.identity_endpoint.lending import lending
    from azure_certvar_credential._cli.signals import stopping

    with stopping() as stopped:
        async with lending(terms) as lent:
            exports = replace(lent, variables={**lent.variables, "CERTVAR_SERVE_PID": str(os.getpid())})
            hand_over(exports, as_json=as_json, show_secrets=show_header)
            await stopped.wait()
