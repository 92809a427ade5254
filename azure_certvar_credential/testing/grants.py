"""The client credentials grant (RFC 6749 section 4.4), and which grants there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from azure_certvar_credential.testing import on_behalf_of as obo
from azure_certvar_credential.testing.errors import refuse
from azure_certvar_credential.testing.exchange import Exchange, require
from azure_certvar_credential.testing.http import Response
from azure_certvar_credential.testing.scopes import read_app_scope

CLIENT_CREDENTIALS = "client_credentials"


def client_credentials(exchange: Exchange) -> Response:
    """Answer the client credentials grant: a token for the application itself.

    With ``fmi_path`` the token's subject names a managed identity below the application. It is taken for every
    resource, as MSAL's own tests ask for more than the two exchanges; whether Entra refuses any is published nowhere.

    :raises RefusalError: with the AADSTS code of the first fault that was found.
    """
    require(exchange.form, "scope")
    application, tenant = exchange.application, exchange.tenant
    identifier = read_app_scope(exchange.form["scope"])
    resource = exchange.resource(identifier)
    if application.allowed_resources is not None and identifier not in application.allowed_resources:
        raise refuse(501051, client_id=application.client_id, resource=identifier)
    fmi_path = exchange.form.get("fmi_path")
    subject = None if fmi_path is None else application.fmi_subject(fmi_path, tenant=tenant)
    return exchange.succeed(exchange.grant(resource, subject=subject, roles=application.roles))


GRANTS: Mapping[str, Callable[[Exchange], Response]] = {
    CLIENT_CREDENTIALS: client_credentials,
    obo.GRANT_TYPE: obo.on_behalf_of,
    "refresh_token": obo.refresh,
}
"""Who answers which ``grant_type``."""
