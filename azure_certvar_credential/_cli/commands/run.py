"""``certvar run``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from azure_certvar_credential._cli.commands.lent import AllowOption, ImdsOption, terms_of, variables_with_secrets
from azure_certvar_credential._cli.options import (
    DEFAULT_CERTIFICATE,
    AuthorityOption,
    CaFileOption,
    CertificateOption,
    ChainOption,
    ClientOption,
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
    # What follows the program is the program's own.
    context_settings={"allow_interspersed_args": False},
    epilog=examples(
        "certvar run -- node app.js",
        "certvar run --allow https://graph.microsoft.com/.default -- python report.py --month 7",
    ),
)
def run(
    *,
    tenant: TenantOption,
    client: ClientOption,
    command: Annotated[list[str], typer.Argument(metavar="COMMAND", help="The program and its arguments.")],
    certificate: CertificateOption = DEFAULT_CERTIFICATE,
    password: PasswordOption = None,
    authority: AuthorityOption = None,
    trust_authority: TrustAuthorityOption = False,
    send_chain: ChainOption = False,
    ca_file: CaFileOption = None,
    allow: AllowOption = None,
    imds: ImdsOption = False,
) -> None:
    """Run a program that gets its tokens as a managed identity, with the certificate, without seeing it.

    The program finds an endpoint on this computer by IDENTITY_ENDPOINT and IDENTITY_HEADER; the variables with the
    certificate and its password are not in its environment. Signals are passed on to it. The exit code is the
    program's own, or 128 and the number of the signal that ended it; 127 if there is no such program, and 126 if it
    cannot be started. The endpoint ends with the program.
    """
    import asyncio

    sign_in = SignIn(tenant, client, authority, trust_authority, send_chain, ca_file)
    terms = terms_of(certificate, password, sign_in, allow or [], imds=imds, quiet=True)
    raise typer.Exit(asyncio.run(_run(terms, command, variables_with_secrets(certificate, password))))


async def _run(terms: Terms, command: list[str], withheld: frozenset[str]) -> int:
    import os

    from azure_certvar_credential._cli.identity_endpoint.lending import lending
    from azure_certvar_credential._cli.identity_endpoint.variables import environment_for
    from azure_certvar_credential._cli.output import messages
    from azure_certvar_credential._cli.process import failure_code, run_program

    async with lending(terms) as lent:
        try:
            return await run_program(command, environment_for(os.environ, lent, withheld))
        except OSError as error:
            messages().print(f"certvar: {command[0]}: {error.strerror}", markup=False, soft_wrap=True)
            return failure_code(error)
