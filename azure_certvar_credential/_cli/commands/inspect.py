"""``certvar inspect``."""

from __future__ import annotations

from typing import Annotated

import typer

from azure_certvar_credential._cli.options import (
    DEFAULT_CERTIFICATE,
    CertificateOption,
    JsonOption,
    PasswordOption,
    PublicForm,
    one_command,
)
from azure_certvar_credential._cli.output import examples, json_members

app = one_command()


@app.command(
    epilog=examples(
        "certvar inspect --certificate env:APP_CERT",
        "certvar inspect --certificate - --password env:PFX_PASSWORD <app.pfx",
        "certvar inspect --public >app.cer",
        "certvar inspect --needs-renewal 30d || notify 'renew the certificate'",
    )
    + json_members(
        "certificate",
        "subject",
        "issuer",
        "serial_number",
        "thumbprint",
        "sha256_thumbprint",
        "x5t",
        "x5t#S256",
        "not_before",
        "not_after",
        "days_left",
        "key",
        "private_key",
        "extended_key_usage",
        "chain (subject, thumbprint, not_after)",
        "findings (code, level, message, remedy)",
    )
)
def inspect(
    *,
    certificate: CertificateOption = DEFAULT_CERTIFICATE,
    password: PasswordOption = None,
    needs_renewal: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Print nothing; exit code 3 if it expires within that time, such as 30d, 12h or 4w. For cron.",
            show_default=False,
        ),
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="Print the public half, for the app registration, and nothing else.")
    ] = False,
    form: Annotated[
        PublicForm | None,
        typer.Option(
            help="Print the public half in this form: PEM (of --public), base64 of DER, or a member of Graph's "
            "keyCredentials."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show a certificate, its key and its chain, and name what is wrong with it. Sends nothing.

    Takes any form: PEM, PFX, DER, base64 of these, and the public half alone. Exit code 3 if it needs attention.
    """
    from azure_certvar_credential._cli import inspecting
    from azure_certvar_credential._cli.certificates import named_certificate
    from azure_certvar_credential._cli.output import NEEDS_ATTENTION, screen, write_json, write_line
    from azure_certvar_credential._cli.public_forms import public_half
    from azure_certvar_credential._cli.shown import show_certificate

    within = None if needs_renewal is None else inspecting.period(needs_renewal)
    found = inspecting.inspected(named_certificate(certificate, password))
    if within is not None:
        raise typer.Exit(NEEDS_ATTENTION if found.expires_within(within) else 0)
    if public or form is not None:
        write_line(public_half(found.leaf, form or PublicForm.PEM).rstrip())
        return
    if as_json:
        write_json(found.as_json())
    else:
        show_certificate(screen(), found)
    if found.needs_attention:
        raise typer.Exit(NEEDS_ATTENTION)
