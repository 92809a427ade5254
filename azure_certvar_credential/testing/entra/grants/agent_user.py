"""The ``user_fic`` grant: an agent identity requests a token of its own user account.

The grant is not documented. Its parameters are those that MSAL for Python sends (1.37). What Entra answers in the legs
of an agent identity is known from public reports alone:

* reported: 82001, a blueprint asks for a token of a resource for itself; 700211, its token is of another tenant than
  the agent;
* assumed: 700213, the token is for another agent, or is another token; 50105, the user is not the agent's; 50034, there
  is no such user; 9002313 and 900144, the request is malformed. A report of 50000 (``server_error``) for a name in
  ``user_id`` shows that Entra may say less.
"""

from __future__ import annotations

from azure_certvar_credential.testing.entra.authentication.federated import verify_federated
from azure_certvar_credential.testing.entra.directory.model import User
from azure_certvar_credential.testing.entra.directory.resources import TOKEN_EXCHANGE
from azure_certvar_credential.testing.entra.directory.trust import FederatedCredential
from azure_certvar_credential.testing.entra.errors import refuse
from azure_certvar_credential.testing.entra.grants.exchange import Exchange, require
from azure_certvar_credential.testing.entra.grants.on_behalf_of import SignIn, answer
from azure_certvar_credential.testing.entra.grants.scopes import read_user_scope
from azure_certvar_credential.testing.http import Response

GRANT_TYPE = "user_fic"


def agent_user(exchange: Exchange) -> Response:
    """Answer the grant.

    :raises RefusalError: with the AADSTS code of the first fault.
    """
    form, application, tenant = exchange.form, exchange.application, exchange.tenant
    require(form, "user_federated_identity_credential", "scope")
    if application.blueprint is None:
        raise refuse(9002313, reason="Only an agent identity may use the grant.")
    if "user_id" in form and "username" in form:
        raise refuse(9002313, reason="user_id and username exclude each other.")
    if "username" not in form:
        require(form, "user_id")
    scope = read_user_scope(form["scope"])
    own = FederatedCredential(
        exchange.route.issuer(tenant.tenant_id, 2), application.object_ids[tenant.tenant_id], TOKEN_EXCHANGE
    )
    verify_federated(
        form["user_federated_identity_credential"],
        [own],
        now=exchange.conditions.now,
        clock_skew=exchange.backend.settings.clock_skew,
    )
    return answer(exchange, SignIn(_user(exchange), "", ()), scope)


def _user(exchange: Exchange) -> User:
    form, directory = exchange.form, exchange.backend.directory
    user = directory.user(form["user_id"]) if "user_id" in form else directory.user_called(form["username"])
    if user is None or user.tenant_id != exchange.tenant.tenant_id:
        raise refuse(50034, tenant=exchange.tenant.tenant_id)
    if user.agent_id != exchange.application.client_id:
        raise refuse(50105, client_id=exchange.application.client_id)
    return user
