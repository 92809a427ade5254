"""One request to the token endpoint on its way to an answer: what every grant has in common."""

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
    """What requests are answered from.

    :ivar directory: who and what is known.
    :ivar settings: how the emulator behaves.
    :ivar issuer: issues the tokens.
    :ivar sessions: the refresh tokens, and what resources demand of users.
    """

    directory: Directory
    settings: Settings
    issuer: TokenIssuer
    sessions: Sessions


@dataclass(frozen=True, slots=True)
class Exchange:
    """A token request whose client has authenticated.

    :ivar backend: what it is answered from.
    :ivar conditions: what holds while it is answered.
    :ivar route: the authority that was called.
    :ivar tenant: the tenant that was called.
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
        """Find the resource that a token is asked for.

        :raises RefusalError: 500011 the directory does not know it, 53003 Conditional Access blocks the application.
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
        """Describe the token that this request earns.

        :param resource: what it is for.
        :param subject: the ``sub`` of an app-only token, if it is not the service principal's object id.
        :param roles: the application roles of an app-only token.
        :param delegation: the user, for a delegated token.
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
        )

    def succeed(self, grant: Grant, **more: str) -> Response:
        """Issue the access token and answer with it (RFC 6749 section 5.1).

        :param grant: what it is issued for.
        :param more: further members of the answer.
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
    """Read the parameters of a token request.

    :raises RefusalError: 9002313, it is no form, or a parameter occurs more than once.
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
    """Refuse with 900144 if one of ``parameters`` is missing.

    :raises RefusalError: one is.
    """
    for parameter in parameters:
        if parameter not in form:
            raise refuse(900144, parameter=parameter)


def read_claims(form: Mapping[str, str]) -> Mapping[str, object]:
    """Read the ``claims`` parameter.

    :returns: its ``access_token`` member; empty if there is none.
    :raises RefusalError: 9002313, it cannot be read.
    """
    if "claims" not in form:
        return {}
    try:
        return parse_claims_request(form["claims"])
    except ValueError as error:
        raise refuse(9002313, reason="The claims parameter is not a JSON object.") from error
