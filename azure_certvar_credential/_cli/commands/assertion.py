"""``certvar assertion``."""

from __future__ import annotations

from typing import Annotated

import typer

from azure_certvar_credential._cli.options import (
    DEFAULT_CERTIFICATE,
    AuthorityOption,
    CertificateOption,
    ChainOption,
    JsonOption,
    OptionalClientOption,
    OptionalTenantOption,
    PasswordOption,
    ShowTokenOption,
    TrustAuthorityOption,
    one_command,
)
from azure_certvar_credential._cli.output import examples, json_members

app = one_command()


@app.command(
    epilog=examples(
        "certvar assertion --tenant contoso.onmicrosoft.com --client CLIENT_ID",
        "certvar assertion --compact | certvar assertion --verify",
        "certvar assertion --verify <assertion.txt",
    )
    + json_members(
        "header",
        "claims",
        "signing_input",
        "signature",
        "assertion",
        "and with --verify valid, header, claims, refusal (codes, message, hint)",
    )
)
def assertion(
    *,
    certificate: CertificateOption = DEFAULT_CERTIFICATE,
    password: PasswordOption = None,
    tenant: OptionalTenantOption = None,
    client: OptionalClientOption = None,
    authority: AuthorityOption = None,
    trust_authority: TrustAuthorityOption = False,
    send_chain: ChainOption = False,
    algorithm: Annotated[str | None, typer.Option(help="The JWS alg, such as RS256.", show_default=False)] = None,
    audience: Annotated[
        str | None,
        typer.Option(help="Whom it is for; by default the tenant's token endpoint.", show_default=False),
    ] = None,
    compact: Annotated[
        bool, typer.Option("--compact", help="Print the JWT and nothing else, to pipe it into another program.")
    ] = False,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help="Check the assertion on standard input as Entra does; the certificate may be a public half.",
        ),
    ] = False,
    show_token: ShowTokenOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make a client assertion in the five steps of RFC 7515 and RFC 7523, and show each. Sends nothing.

    An assertion signs in anybody who has it for ten minutes, so only --show-token shows its signature.
    """
    from azure_certvar_credential._cli import asserting, verifying
    from azure_certvar_credential._cli.certificates import named_certificate
    from azure_certvar_credential._cli.failures import CommandError
    from azure_certvar_credential._cli.output import USAGE
    from azure_certvar_credential._cli.sign_in import SignIn

    named = named_certificate(certificate, password)
    if verify:
        verifying.verify(named, tenant, client, as_json=as_json)
        return
    if not tenant or not client:
        missing = " and ".join(name for name, given in (("--tenant", tenant), ("--client", client)) if not given)
        raise CommandError(
            f"an assertion names the application and is for its tenant's endpoint: give {missing}",
            hint="or set AZURE_TENANT_ID and AZURE_CLIENT_ID",
            exit_code=USAGE,
        )
    asserting.assertion(
        SignIn(tenant, client, authority, trust_authority, send_chain),
        named,
        algorithm=algorithm,
        audience=audience,
        output="json" if as_json else "compact" if compact else "text",
        show_token=show_token,
    )
