"""Makes a certificate, and hands its halves over."""

from __future__ import annotations

import base64
import sys
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, cast

import typer
from rich.text import Text

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential._cli.certificates import password_reader, vault_credential, vault_location, vault_options
from azure_certvar_credential._cli.failures import CommandError
from azure_certvar_credential._cli.findings import Finding, leaf_findings, policy_findings
from azure_certvar_credential._cli.options import PublicForm
from azure_certvar_credential._cli.output import USAGE, messages, working, write_json, write_line
from azure_certvar_credential._cli.public_forms import public_half
from azure_certvar_credential._cli.shown import marked

_PORTAL = "https://entra.microsoft.com, App registrations > your app > Certificates & secrets > Upload certificate"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What ``certvar new`` was asked for; its help documents each."""

    name: str
    days: int
    key: str
    to: str | None
    public: Path | None
    form: PublicForm
    password: str | None = field(repr=False)
    show_key: bool
    as_json: bool


def new(wanted: Wanted) -> None:
    """Make a certificate, put the private half where it was asked for, and say what to do with both.

    :raises CommandError: the private half would be shown on a terminal.
    :raises ConfigurationError: the name or the days cannot be used.
    """
    vault = _vault(wanted.to)
    ask = password_reader(wanted.password)
    if vault is None and not wanted.show_key and (wanted.as_json or sys.stdout.isatty()):
        raise CommandError(
            "the private half would go to the screen" if not wanted.as_json else "the private half has nowhere to go",
            hint="keep it in a variable, APP_CERT=$(certvar new …), pipe it into a secret store, import it with "
            "--to keyvault:…, or ask for it with --show-key",
            exit_code=USAGE,
        )
    with working("making a key pair"):
        certificate = ClientCertificate.self_signed(wanted.name, days=wanted.days, key=cast("Any", wanted.key))
    if wanted.public is not None:
        wanted.public.write_text(public_half(certificate.leaf, wanted.form), encoding="ascii")
    pfx = None
    if vault is None:
        pfx = base64.b64encode(certificate.to_pfx(ask() if ask else None)).decode("ascii")
    else:
        with working("importing it into the vault"):
            _import(certificate, *vault)
    findings = (
        *leaf_findings(certificate.leaf, datetime.now(timezone.utc), soon=0),
        *policy_findings(certificate.leaf),
    )
    if wanted.as_json:
        write_json(_as_json(certificate, wanted.form, findings, pfx))
        return
    if pfx is not None:
        write_line(pfx)
    _say(certificate, wanted, findings)


def _vault(to: str | None) -> tuple[str, str] | None:
    if to is None:
        return None
    scheme, _, url = to.partition(":")
    if scheme != "keyvault":
        raise typer.BadParameter("write keyvault:https://VAULT/certificates/NAME", param_hint="--to")
    vault, name, version = vault_location(url, "--to")
    if version is not None:
        raise typer.BadParameter("the vault itself chooses the version: leave it out", param_hint="--to")
    return vault, name


def _import(certificate: ClientCertificate, vault: str, name: str) -> None:
    from azure.keyvault.certificates import CertificateClient

    with CertificateClient(vault, vault_credential(), **vault_options(vault)) as client:
        # The vault makes a policy that lets the key be exported again.
        client.import_certificate(name, certificate.to_pfx(None))


def _as_json(
    certificate: ClientCertificate, form: PublicForm, findings: tuple[Finding, ...], pfx: str | None
) -> dict[str, Any]:
    return {
        "subject": certificate.subject,
        "thumbprint": certificate.thumbprint,
        "not_after": f"{certificate.not_after:%Y-%m-%dT%H:%M:%SZ}",
        "public": public_half(certificate.leaf, form),
        "private": pfx,
        "findings": [finding.as_json() for finding in findings],
    }


def _say(certificate: ClientCertificate, wanted: Wanted, findings: tuple[Finding, ...]) -> None:
    console = messages()
    end = f"{certificate.not_after:%Y-%m-%d}"
    console.print(Text(f"{certificate.subject}, until {end}\nthumbprint {certificate.thumbprint}", style="bold"))
    file = wanted.public
    if file is None:
        public = "`certvar inspect --public` prints it; upload it"
    elif wanted.form is PublicForm.GRAPH:
        public = f"{file}, a member of Graph's keyCredentials; upload it"
    else:
        public = f"{file}; upload it with `az ad app credential reset --id CLIENT_ID --cert @{file} --append`, or"
    private = (
        f"imported into {wanted.to}; the vault hands it out or signs with it"
        if wanted.to
        else "the line on standard output, base64 of a PFX: keep it in a secret store, to be the variable "
        "AZURE_CLIENT_CERTIFICATE"
    )
    use = f" --certificate {wanted.to}" if wanted.to else ""
    marked(console, "note", Text.assemble(("Public half: ", "bold"), public, f" at {_PORTAL}."), indent=0)
    marked(console, "note", Text.assemble(("Private half: ", "bold"), private, "."), indent=0)
    marked(console, "note", Text.assemble(("Then: ", "bold"), f"certvar doctor{use}"), indent=0)
    for finding in findings:
        # That it is self-signed is what was asked for.
        if finding.code != "self-signed":
            marked(console, finding.level, f"{finding.code}: {finding.message}", finding.remedy, indent=0)
