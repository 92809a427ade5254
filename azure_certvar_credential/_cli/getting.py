"""Gets a token, and prints it in a form."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

from azure.core.credentials import AccessToken

from azure_certvar_credential._cli.certificates import NamedCertificate
from azure_certvar_credential._cli.output import facts, screen, working, write_json, write_line
from azure_certvar_credential._cli.sign_in import SignIn
from azure_certvar_credential._cli.tokens import claims_of, masked, refuse_on_terminal


def token(sign_in: SignIn, certificate: NamedCertificate, scope: str, *, output: str, show_token: bool) -> None:
    """Get a token and print it.

    :param sign_in: whom to sign in, and where.
    :param certificate: the certificate.
    :param scope: the scope.
    :param output: ``text``, ``json``, ``az``, ``header`` or ``credential-process``.
    :param show_token: whether the token itself was asked for by name.
    :raises CommandError: the token would be shown on a terminal, and was not asked for.
    :raises AuthenticationError, azure.core.exceptions.AzureError: there is no token.
    """
    if output not in ("text", "json"):
        refuse_on_terminal(asked=show_token)
    loaded = certificate()
    with working("getting a token"), sign_in.credential(loaded) as credential:
        got = credential.get_token(scope)
    match output:
        case "az":
            write_line(json.dumps(_az(got, sign_in), indent=2))
        case "header":
            write_line(f"Authorization: Bearer {got.token}")
        case "credential-process":
            write_line(json.dumps(_credential_process(got)))
        case "json":
            write_json(described(got, scope) | {"token": got.token if show_token else None})
        case _:
            _show(got, scope, show_token=show_token)


def described(got: AccessToken, scope: str) -> dict[str, Any]:
    """Return what is in a token that is safe to show."""
    claims = claims_of(got.token)
    return {
        "scope": scope,
        "expires_on": _rfc3339(got.expires_on),
        "expires_in": max(0, round(got.expires_on - datetime.now(timezone.utc).timestamp())),
        "audience": claims.get("aud"),
        "roles": claims.get("roles", []),
        "tenant": claims.get("tid"),
        "client": claims.get("appid") or claims.get("azp"),
        "object_id": claims.get("oid"),
        "opaque": not claims,
    }


def _show(got: AccessToken, scope: str, *, show_token: bool) -> None:
    about = described(got, scope)
    roles = ", ".join(about["roles"]) or "none: the application has no app role for this resource"
    facts(
        screen(),
        {
            "expires": f"{about['expires_on']}, in {about['expires_in'] // 60} minutes",
            "audience": about["audience"] or "not shown: the token is opaque",
            "roles": roles if not about["opaque"] else "not shown: the token is opaque",
            "tenant": about["tenant"] or "",
            "client": about["client"] or "",
            "object id": about["object_id"] or "",
            "token": "below" if show_token else masked(got.token),
        },
    )
    if show_token:
        write_line(got.token)


def _az(got: AccessToken, sign_in: SignIn) -> dict[str, Any]:
    # Local time without a zone, as the Azure CLI writes it; expires_on is the one that programs should read.
    local = datetime.fromtimestamp(got.expires_on, timezone.utc).astimezone().replace(tzinfo=None)
    return {
        "accessToken": got.token,
        "expiresOn": f"{local:%Y-%m-%d %H:%M:%S.%f}",
        "expires_on": got.expires_on,
        "tenant": claims_of(got.token).get("tid") or sign_in.tenant_id,
        "tokenType": "Bearer",
    }


def _credential_process(got: AccessToken) -> dict[str, Any]:
    return {
        "Version": 1,
        "AccessToken": got.token,
        "TokenType": "Bearer",
        "Expiration": _rfc3339(got.expires_on),
    }


def _rfc3339(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
