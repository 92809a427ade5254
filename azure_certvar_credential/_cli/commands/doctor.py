"""``certvar doctor``."""

from __future__ import annotations

from typing import Annotated

import typer

from azure_certvar_credential._cli.options import (
    DEFAULT_CERTIFICATE,
    AuthorityOption,
    CaFileOption,
    CertificateOption,
    ChainOption,
    JsonOption,
    OptionalClientOption,
    OptionalTenantOption,
    PasswordOption,
    TrustAuthorityOption,
    one_command,
)
from azure_certvar_credential._cli.output import examples, json_members

app = one_command()


@app.command(
    epilog=examples(
        "certvar doctor",
        "certvar doctor --certificate env:APP_CERT --scope https://storage.azure.com/.default",
        "certvar doctor --json | jq '.steps[] | select(.diagnosis)'",
    )
    + json_members("steps (step, state, detail, diagnosis (cause, message, remedy, command, page))")
)
def doctor(
    *,
    scope: Annotated[
        str, typer.Option("--scope", "-s", metavar="SCOPE", help="The resource and '/.default'.")
    ] = "https://graph.microsoft.com/.default",
    certificate: CertificateOption = DEFAULT_CERTIFICATE,
    password: PasswordOption = None,
    tenant: OptionalTenantOption = None,
    client: OptionalClientOption = None,
    authority: AuthorityOption = None,
    trust_authority: TrustAuthorityOption = False,
    send_chain: ChainOption = False,
    ca_file: CaFileOption = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds that the token may take.")] = 30.0,
    as_json: JsonOption = False,
) -> None:
    """Sign in step by step, and name what is wrong: the cause, the remedy, and the command or page that mends it.

    Exit code 1 if a step failed, 3 if one needs attention. Nothing secret is shown.
    """
    from azure_certvar_credential._cli.certificates import named_certificate
    from azure_certvar_credential._cli.doctor.case import Case
    from azure_certvar_credential._cli.doctor.examination import run
    from azure_certvar_credential._cli.sign_in import SignIn

    def sign_in(tenant_id: str, client_id: str) -> SignIn:
        return SignIn(tenant_id, client_id, authority, trust_authority, send_chain, ca_file)

    run(Case(named_certificate(certificate, password), tenant, client, sign_in, scope, timeout), as_json=as_json)
