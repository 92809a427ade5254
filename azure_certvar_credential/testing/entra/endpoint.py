"""The token endpoint: authenticates the client by its assertion (RFC 7523 section 2.2) and answers its grant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from azure_certvar_credential.testing.entra.authentication.assertions import Expectation, ReplayGuard, verify_assertion
from azure_certvar_credential.testing.entra.authentication.federated import is_federated, verify_federated
from azure_certvar_credential.testing.entra.directory.model import Application, Tenant
from azure_certvar_credential.testing.entra.directory.store import is_tenant_name
from azure_certvar_credential.testing.entra.errors import RefusalError, error_response, refuse
from azure_certvar_credential.testing.entra.grants import client_credentials
from azure_certvar_credential.testing.entra.grants.exchange import Backend, Exchange, read_claims, read_form, require
from azure_certvar_credential.testing.entra.grants.table import GRANTS
from azure_certvar_credential.testing.entra.routes import ADFS, ENTRA, TENANTLESS, Route, central_bases
from azure_certvar_credential.testing.http import Conditions, Request, Response

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class TokenEndpoint:
    """Answers token requests.

    :ivar backend: the directory, settings, keys and sessions.
    :ivar home: the tenant whose applications use ADFS, which has no tenants.
    :ivar replays: the assertions that have been used.
    """

    backend: Backend
    home: Tenant
    replays: ReplayGuard = field(default_factory=ReplayGuard)

    def answer(self, request: Request, conditions: Conditions, route: Route) -> Response:
        """Answer a request.

        :param request: the request.
        :param conditions: its time, ids and forced error.
        :param route: the authority that it addresses.
        """
        forced = conditions.forced
        if forced is not None:
            refusal = refuse(forced.code, suberror=forced.suberror, claims=forced.claims, tenant=route.tenant)
            return error_response(refusal, request, conditions, status=forced.status)
        try:
            return self._issue(request, conditions, route)
        except RefusalError as refusal:
            return error_response(refusal, request, conditions)

    def _issue(self, request: Request, conditions: Conditions, route: Route) -> Response:
        if request.method != "POST":
            raise refuse(900561, allowed="POST, OPTIONS", method=request.method)
        tenant = self._tenant(route)
        form = read_form(request)
        _check_form(form)
        requested = read_claims(form)
        application = self._application(form["client_id"], tenant)
        expectation = self._expectation(request, conditions, route, tenant)
        if is_federated(form["client_assertion"]):
            trusted = application.trusted_identities(tenant, route.issuer(tenant.tenant_id, 2))
            now, skew = expectation.now, expectation.clock_skew
            verify_federated(form["client_assertion"], trusted, now=now, clock_skew=skew)
        else:
            verify_assertion(form["client_assertion"], application.client_id, application, expectation, self.replays)
        exchange = Exchange(self.backend, conditions, route, tenant, application, form, requested)
        return GRANTS[form["grant_type"]](exchange)

    def _tenant(self, route: Route) -> Tenant:
        name = route.tenant
        if route.dialect is ADFS:
            return self.home
        if name.lower() in TENANTLESS:
            raise refuse(50059)
        if not is_tenant_name(name):
            raise refuse(900023, tenant=name)
        tenant = self.backend.directory.tenant(name)
        if tenant is None:
            raise refuse(90002, tenant=name)
        return tenant

    def _application(self, client_id: str, tenant: Tenant) -> Application:
        application = self.backend.directory.application(client_id)
        if application is None:
            raise refuse(700016, client_id=client_id, tenant=tenant.tenant_id)
        if tenant.tenant_id not in application.object_ids:
            raise refuse(7000229, client_id=client_id, tenant=tenant.tenant_id)
        if not application.enabled:
            raise refuse(7000112, client_id=client_id)
        return application

    def _expectation(self, request: Request, conditions: Conditions, route: Route, tenant: Tenant) -> Expectation:
        dialect = route.dialect
        audiences = [f"{request.base}{request.path}"]
        if dialect is ENTRA:
            # Entra accepts the endpoint and the issuer, by any name of the tenant, whichever URL the request used.
            names = {route.tenant, tenant.tenant_id, *tenant.domains}
            bases = [f"{base}/{name}" for base in (request.base, *central_bases(request.base)) for name in names]
            audiences += [
                f"{base}/{form}" for base in bases for form in (dialect.token_path, "oauth2/token", "v2.0", "")
            ]
        expectation = Expectation(
            audiences,
            conditions.now,
            self.backend.settings.clock_skew,
            strict=self.backend.settings.strict,
            certificates_known=conditions.certificates_known,
        )
        if dialect.algorithms is not None:
            expectation = replace(expectation, algorithms=dialect.algorithms)
        if dialect.thumbprints is not None:
            expectation = replace(expectation, thumbprints=dialect.thumbprints)
        return expectation


def _check_form(form: Mapping[str, str]) -> None:
    require(form, "grant_type", "client_id")
    grant_type = form["grant_type"]
    if grant_type not in GRANTS:
        raise refuse(70003, grant_type=grant_type)
    if "client_assertion" not in form:
        if "client_secret" in form:
            # No application here has a secret, so every secret is wrong.
            raise refuse(7000215)
        raise refuse(7000216 if grant_type == client_credentials.GRANT_TYPE else 7000218)
    require(form, "client_assertion_type")
    if form["client_assertion_type"] != ASSERTION_TYPE:
        raise refuse(9002313, reason="The client_assertion_type is not supported.")
