"""The client credentials grant (RFC 6749 section 4.4)."""

from __future__ import annotations

from azure_certvar_credential.testing.entra.errors import refuse
from azure_certvar_credential.testing.entra.grants.exchange import Exchange, require
from azure_certvar_credential.testing.entra.grants.scopes import read_app_scope
from azure_certvar_credential.testing.http import Response

GRANT_TYPE = "client_credentials"


def client_credentials(exchange: Exchange) -> Response:
    """Answer the client credentials grant: a token for the application itself.

    With ``fmi_path`` the token's subject names a managed identity below the application. Every resource accepts it:
    MSAL's own tests request more than the two exchanges, and whether Entra refuses any is unpublished.

    :raises RefusalError: with the AADSTS code of the first fault.
    """
    require(exchange.form, "scope")
    application, tenant = exchange.application, exchange.tenant
    identifier = read_app_scope(exchange.form["scope"])
    resource = exchange.resource(identifier)
    if application.allowed_resources is not None and identifier not in application.allowed_resources:
        raise refuse(501051, client_id=application.client_id, resource=identifier)
    if application.has_agents and not resource.is_exchange:
        # Reported; see agent_user.
        raise refuse(82001, client_id=application.client_id, resource=identifier)
    fmi_path = exchange.form.get("fmi_path")
    subject = None if fmi_path is None else application.fmi_subject(fmi_path, tenant=tenant)
    return exchange.succeed(exchange.grant(resource, subject=subject, roles=application.roles))
