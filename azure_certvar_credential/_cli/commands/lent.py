"""What ``serve`` and ``run`` have in common: their options, and what becomes of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from azure_certvar_credential._cli.sign_in import SignIn

if TYPE_CHECKING:
    from azure_certvar_credential._cli.identity_endpoint.lending import Terms

_ENDPOINT = "The endpoint"

AllowOption = Annotated[
    list[str] | None,
    typer.Option(
        "--allow",
        metavar="SCOPE",
        help="Hand out tokens for this scope or resource only; may be repeated. Without it, for all.",
        rich_help_panel=_ENDPOINT,
        show_default=False,
    ),
]
ImdsOption = Annotated[
    bool,
    typer.Option(
        "--imds",
        help="Answer in the form of a virtual machine's metadata service too, for clients that know no other; they "
        "find it by AZURE_POD_IDENTITY_AUTHORITY_HOST, whose URL contains a secret.",
        rich_help_panel=_ENDPOINT,
    ),
]


def terms_of(
    certificate: str,
    password: str | None,
    sign_in: SignIn,
    allow: Sequence[str],
    *,
    imds: bool,
    port: int = 0,
    socket: Path | None = None,
    quiet: bool = False,
) -> Terms:
    """Read the certificate and say what is lent.

    :raises typer.BadParameter: an option cannot work.
    :raises CertificateError: the certificate cannot be read or used.
    """
    from azure_certvar_credential._cli.certificates import named_certificate
    from azure_certvar_credential._cli.identity_endpoint.lending import Terms
    from azure_certvar_credential._cli.identity_endpoint.server import Place
    from azure_certvar_credential._cli.output import working

    if socket is not None and port:
        raise typer.BadParameter("choose --port or --socket", param_hint="--socket")
    if not all(re.fullmatch(r"\S*[^\s/]\S*", scope.removesuffix("/.default")) for scope in allow):
        raise typer.BadParameter("a scope is empty, or holds white space; repeat --allow", param_hint="--allow")
    named = named_certificate(certificate, password)
    with working("reading the certificate"):
        loaded = named()
    # A certificate in Key Vault is renewed there; one from elsewhere cannot change, and may be asked for only once.
    source = named if certificate.startswith("keyvault:") else loaded
    return Terms({**sign_in.arguments(), "certificate": source}, Place(port, socket), imds, tuple(allow), quiet)


def variables_with_secrets(certificate: str, password: str | None) -> frozenset[str]:
    """Return the names of the environment variables that hold the certificate and its password.

    :param certificate: the value of ``--certificate``.
    :param password: the value of ``--password``.
    """
    named = {value.removeprefix("env:") for value in (certificate, password or "") if value.startswith("env:")}
    return frozenset({"AZURE_CLIENT_CERTIFICATE", "AZURE_CLIENT_CERTIFICATE_PASSWORD", *named})
