"""An authenticated token request, and what every grant needs to answer it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from azure_certvar_credential.testing.entra.claims import parse_claims_request, write_claims
from azure_certvar_credential.testing.entra.directory.model import Application, Tenant
from azure_certvar_credential.testing.entra.directory.resources import Resource
from azure_certvar_credential.testing.entra.directory.store import Directory
from azure_certvar_credential.testing.entra.errors import refuse
from azure_certvar_credential.testing.entra.grants.sessions import Sessions
from azure_certvar_credential.testing.entra.routes import Route
from azure_certvar_credential.testing.entra.settings import Settings
from azure_certvar_credential.testing.entra.tokens import Delegation, Grant, TokenIssuer
from azure_certvar_credential.testing.http import Conditions, Request, Response, respond_json


@dataclass(frozen=True, slots=True)
class Backend:
    """The state behind the endpoints.

    :ivar directory: tenants, applications, users and resources.
    :ivar settings: the emulator's settings.
    :ivar issuer: issues the tokens.
    :ivar sessions: the refresh tokens, and the claims that resources demand of users.
    """

    directory: Directory
    settings: Settings
    issuer: TokenIssuer
    sessions: Sessions


@dataclass(frozen=True, slots=True)
class Exchange:
    """A token request whose client has authenticated.

    :ivar backend: the state behind the endpoints.
    :ivar conditions: the request's time and ids.
    :ivar route: the authority that the request addresses.
    :ivar tenant: the tenant that it addresses.
    :ivar application: the client.
    :ivar form: the parameters.
    :ivar requested: the ``access_token`` member of the ``claims`` parameter.
    """

    backend: Backend
    conditions: Conditions
    route: Route
    tenant: Tenant
    application: Application
    form: Mapping[str, str]
    requested: Mapping[str, object]

    def resource(self, identifier: str) -> Resource:
        """Find the resource of the requested token.

        :raises RefusalError: the directory has no such resource (500011), or Conditional Access blocks the application
            (53003).
        """
        resource = self.backend.directory.resource(identifier)
        if resource is None:
            raise refuse(500011, resource=identifier, tenant=self.tenant.tenant_id)
        policies = self.application.conditional_access_policies
        if policies:
            raise refuse(53003, suberror="message_only", claims=write_claims("capolids", values=policies))
        return resource

    def grant(
        self,
        resource: Resource,
        *,
        subject: str | None = None,
        roles: tuple[str, ...] = (),
        delegation: Delegation | None = None,
    ) -> Grant:
        """Return the contents of the token that answers this request.

        :param resource: the token's resource.
        :param subject: the ``sub`` of an app-only token; None for the service principal's object id.
        :param roles: the application roles of an app-only token.
        :param delegation: the user and the permissions of a delegated token.
        """
        tenant_id = self.tenant.tenant_id
        return Grant(
            self.route.issuer(tenant_id, resource.version),
            tenant_id,
            self.application.client_id,
            resource,
            self.conditions.now,
            self.backend.settings.token_lifetime,
            self.requested,
            object_id=self.application.object_ids[tenant_id],
            subject=subject,
            roles=roles,
            delegation=delegation,
            blueprint=None if self.application.blueprint is None else self.application.blueprint.client_id,
        )

    def succeed(self, grant: Grant, **more: str) -> Response:
        """Issue the access token and answer with it (RFC 6749 section 5.1).

        :param grant: the token's contents.
        :param more: additional members of the answer.
        """
        settings = self.backend.settings
        numbers = {"expires_in": settings.token_lifetime, "ext_expires_in": settings.token_lifetime}
        if settings.refresh_in is not None:
            numbers["refresh_in"] = settings.refresh_in
        write = str if settings.numbers_as_strings else int
        written = {name: write(number) for name, number in numbers.items()}
        token = self.backend.issuer.issue(grant)
        return respond_json(self.conditions, 200, {"token_type": "Bearer", **written, "access_token": token, **more})


def read_form(request: Request) -> dict[str, str]:
    """Parse the parameters of a token request.

    :raises RefusalError: 9002313, the body is not a form or repeats a parameter.
    """
    try:
        pairs = request.form()
    except ValueError as error:
        raise refuse(9002313, reason="The body is not a form.") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        # RFC 6749 section 3.2: "Request and response parameters MUST NOT be included more than once."
        raise refuse(9002313, reason="A parameter occurs more than once.")
    return form


def require(form: Mapping[str, str], *parameters: str) -> None:
    """Require parameters.

    :raises RefusalError: 900144, one of ``parameters`` is missing.
    """
    for parameter in parameters:
        if parameter not in form:
            raise refuse(900144, parameter=parameter)


def read_claims(form: Mapping[str, str]) -> Mapping[str, object]:
    """Parse the ``claims`` parameter.

    :returns: its ``access_token`` member; empty if there is none.
    :raises RefusalError: 9002313, the parameter is not a claims request.
    """
    if "claims" not in form:
        return {}
    try:
        return parse_claims_request(form["claims"])
    except ValueError as error:
        raise refuse(9002313, reason="The claims parameter is not a JSON object.") from error
