"""Checks a client assertion as Entra does: the local Entra gets it, with the certificate registered."""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import typer
from rich.text import Text

from azure_certvar_credential._cli.certificates import NamedCertificate
from azure_certvar_credential._cli.explaining import explained
from azure_certvar_credential._cli.failures import CommandError
from azure_certvar_credential._cli.inspecting import inspected
from azure_certvar_credential._cli.output import FAILED, USAGE, screen, write_json
from azure_certvar_credential._cli.shown import marked
from azure_certvar_credential._cli.tokens import segment
from azure_certvar_credential.testing import EntraEmulator, Request

if TYPE_CHECKING:
    from azure_certvar_credential.testing import Application

_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ENDPOINT = "/oauth2/v2.0/token"
# More than an assertion with a long chain.
_MOST = 1 << 17


def verify(certificate: NamedCertificate, tenant: str | None, client: str | None, *, as_json: bool) -> None:
    """Read an assertion from standard input, and say what Entra would answer.

    :param certificate: the certificate that is registered; its public half is enough.
    :param tenant: the tenant that it is sent to; None for the one that it is for.
    :param client: the application that sends it; None for the one that it names.
    :raises CommandError: there is no JWT on standard input.
    :raises typer.Exit: it is refused.
    """
    if certificate.name == "-":
        raise CommandError("standard input has the assertion: name another place for the certificate", exit_code=USAGE)
    text = sys.stdin.read(_MOST).strip()
    parts = text.split(".")
    if len(parts) != 3:
        raise CommandError(
            f"standard input is no JWT in compact form: it has {len(parts)} part{'s' * (len(parts) != 1)}, not 3",
            hint="pipe an assertion in, such as from `certvar assertion --compact`",
        )
    claims = segment(parts[1])
    refusal = _answer(text, claims, inspected(certificate).leaf, tenant, client)
    if as_json:
        write_json({"valid": refusal is None, "header": segment(parts[0]), "claims": claims, "refusal": refusal})
    elif refusal is None:
        marked(screen(), "good", "Entra would take this assertion if the certificate is registered.", indent=0)
    else:
        marked(screen(), "failed", Text(str(refusal["message"]), style="bold"), str(refusal["hint"] or ""), indent=0)
    if refusal is not None:
        raise typer.Exit(FAILED)


def _answer(
    assertion: str, claims: dict[str, Any], leaf: Any, tenant: str | None, client: str | None
) -> dict[str, Any] | None:
    """Return the refusal of a local Entra at which the certificate is registered; None if there is none."""
    audience = urlsplit(str(claims.get("aud") or ""))
    directory = tenant or audience.path.strip("/").partition("/")[0] or "common"
    entra = EntraEmulator(clock=lambda: datetime.now(timezone.utc).timestamp())
    home = _tenant(entra, directory)
    application: Application = entra.add_application(leaf, tenant=home, client_id=client or _text(claims.get("iss")))
    host = audience.netloc or "login.microsoftonline.com"
    form = {
        "grant_type": "client_credentials",
        "client_id": application.client_id,
        "client_assertion_type": _ASSERTION,
        "client_assertion": assertion,
        "scope": "https://graph.microsoft.com/.default",
    }
    request = Request(
        "POST",
        f"https://{host}/{directory}{_ENDPOINT}",
        {"Content-Type": "application/x-www-form-urlencoded"},
        urlencode(form).encode(),
    )
    response = entra.handle(request)
    if response.status == 200:
        return None
    body = response.json()
    message = str(body["error_description"]).partition(" Trace ID:")[0]
    known = explained(message)
    return {
        "codes": body.get("error_codes", []),
        "message": message,
        "hint": known[0].hint if known else None,
    }


def _tenant(entra: EntraEmulator, name: str) -> Any:
    if name in (entra.tenant.tenant_id, *entra.tenant.domains):
        return entra.tenant
    is_guid = name.count("-") == 4 and len(name) == 36
    return entra.add_tenant(name) if is_guid else entra.add_tenant(domains=[name])


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
