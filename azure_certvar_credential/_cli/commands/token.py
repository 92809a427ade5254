"""``certvar token``."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from azure_certvar_credential._cli.options import (
    DEFAULT_CERTIFICATE,
    AuthorityOption,
    CaFileOption,
    CertificateOption,
    ChainOption,
    ClientOption,
    JsonOption,
    PasswordOption,
    ShowTokenOption,
    TenantOption,
    TrustAuthorityOption,
    one_command,
)
from azure_certvar_credential._cli.output import examples, json_members

app = one_command()


class Output(str, Enum):
    """What is printed."""

    TEXT = "text"
    AZ = "az"
    HEADER = "header"
    CREDENTIAL_PROCESS = "credential-process"


@app.command(
    epilog=examples(
        "certvar token --scope https://graph.microsoft.com/.default",
        'curl -H "$(certvar token --scope https://graph.microsoft.com/.default --output header)" …',
        "certvar token --scope https://storage.azure.com/.default --output az | jq -r .accessToken",
    )
    + json_members(
        "scope", "expires_on", "expires_in", "audience", "roles", "tenant", "client", "object_id", "opaque", "token"
    )
)
def token(
    *,
    scope: Annotated[
        str, typer.Option("--scope", "-s", metavar="SCOPE", help="The resource and '/.default'.", show_default=False)
    ],
    tenant: TenantOption,
    client: ClientOption,
    certificate: CertificateOption = DEFAULT_CERTIFICATE,
    password: PasswordOption = None,
    authority: AuthorityOption = None,
    trust_authority: TrustAuthorityOption = False,
    send_chain: ChainOption = False,
    ca_file: CaFileOption = None,
    output: Annotated[
        Output,
        typer.Option(
            help="'az' has the shape of `az account get-access-token`, 'header' is an Authorization field, "
            "'credential-process' is JSON with Version, AccessToken, TokenType and Expiration (RFC 3339). These three "
            "print the token."
        ),
    ] = Output.TEXT,
    show_token: ShowTokenOption = False,
    as_json: JsonOption = False,
) -> None:
    """Get a token, and print when it ends, whom it is for, and the roles in it.

    The token itself is printed with --show-token, or with --output into a pipe.
    """
    from azure_certvar_credential._cli import getting
    from azure_certvar_credential._cli.certificates import named_certificate
    from azure_certvar_credential._cli.sign_in import SignIn

    sign_in = SignIn(tenant, client, authority, trust_authority, send_chain, ca_file)
    getting.token(
        sign_in,
        named_certificate(certificate, password),
        scope,
        output="json" if as_json else output.value,
        show_token=show_token,
    )
