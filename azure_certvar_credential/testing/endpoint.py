"""The token endpoint for the client credentials grant (RFC 6749 section 4.4) with a client assertion (RFC 7523)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

from azure_certvar_credential.testing.assertions import Expectation, ReplayGuard, verify_assertion
from azure_certvar_credential.testing.errors import RefusalError, error_response, refuse
from azure_certvar_credential.testing.http import Conditions, Request, Response, respond_json
from azure_certvar_credential.testing.model import Application, Directory, Tenant, is_tenant_name
from azure_certvar_credential.testing.tokens import Grant, TokenIssuer, parse_claims_request

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ENDPOINT_PATH = "oauth2/v2.0/token"
DEFAULT_SCOPE = "/.default"
TENANTLESS = frozenset({"common", "organizations", "consumers"})


@dataclass(slots=True)
class Settings:
    """How the emulator behaves; may be changed while it runs.

    :ivar strict: refuse what production clients send although the standards do not allow it (see
        :mod:`~azure_certvar_credential.testing.assertions`), and a ``jti`` that was used before.
    :ivar clock_skew: seconds by which a client's clock may be off before AADSTS700024.
    :ivar token_lifetime: seconds that an access token lives.
    :ivar refresh_in: seconds after which the client should renew it, or None to say nothing about it.
    :ivar numbers_as_strings: send ``expires_in`` and its like as JSON strings, as older endpoints do.
    """

    strict: bool = False
    clock_skew: float = 300
    token_lifetime: int = 3599
    refresh_in: int | None = None
    numbers_as_strings: bool = False


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between Entra's endpoint and that of Active Directory Federation Services.

    :ivar algorithms: the values of ``alg`` that it takes; None means Entra's.
    :ivar thumbprints: the header parameters that name the certificate; None means Entra's.
    """

    algorithms: tuple[str, ...] | None = None
    thumbprints: tuple[str, ...] | None = None


ENTRA = Dialect()
# ADFS words its own errors (MSIS…); nobody has confirmed them to us, so it answers with Entra's.
ADFS = Dialect(algorithms=("RS256",), thumbprints=("x5t",))


@dataclass(frozen=True, slots=True)
class TokenEndpoint:
    """Answers token requests out of a directory."""

    directory: Directory
    settings: Settings
    issuer: TokenIssuer
    replays: ReplayGuard = field(default_factory=ReplayGuard)

    def answer(self, request: Request, conditions: Conditions, tenant_name: str, dialect: Dialect) -> Response:
        """Answer one request.

        :param request: the request.
        :param conditions: what holds while it is answered.
        :param tenant_name: the tenant in its path, a GUID or a domain.
        :param dialect: Entra or ADFS.
        """
        forced = conditions.forced
        if forced is not None:
            refusal = refuse(forced.code, suberror=forced.suberror, claims=forced.claims, tenant=tenant_name)
            return error_response(refusal, request, conditions, status=forced.status)
        try:
            return self._issue(request, conditions, tenant_name, dialect)
        except RefusalError as refusal:
            return error_response(refusal, request, conditions)

    def _issue(self, request: Request, conditions: Conditions, tenant_name: str, dialect: Dialect) -> Response:
        if request.method != "POST":
            raise refuse(900561, allowed="POST, OPTIONS", method=request.method)
        tenant = self._tenant(tenant_name)
        form = _read_form(request)
        client_id, scope = _check_form(form)
        requested = _read_claims(form)
        application = self._application(client_id, tenant)
        resource = _read_scope(scope)
        verify_assertion(
            form["client_assertion"],
            client_id,
            application,
            self._expectation(request, conditions, tenant, tenant_name, dialect),
            self.replays,
        )
        version = self._check_access(application, resource, tenant)
        grant = Grant(
            request.base,
            tenant,
            application,
            resource,
            version,
            conditions.now,
            self.settings.token_lifetime,
            requested,
        )
        return self._success(conditions, self.issuer.issue(grant))

    def _tenant(self, name: str) -> Tenant:
        if name.lower() in TENANTLESS:
            raise refuse(50059)
        if not is_tenant_name(name):
            raise refuse(900023, tenant=name)
        tenant = self.directory.tenant(name)
        if tenant is None:
            raise refuse(90002, tenant=name)
        return tenant

    def _application(self, client_id: str, tenant: Tenant) -> Application:
        application = self.directory.application(client_id)
        if application is None:
            raise refuse(700016, client_id=client_id, tenant=tenant.tenant_id)
        if tenant.tenant_id not in application.object_ids:
            raise refuse(7000229, client_id=client_id, tenant=tenant.tenant_id)
        if not application.enabled:
            raise refuse(7000112, client_id=client_id)
        return application

    def _expectation(
        self, request: Request, conditions: Conditions, tenant: Tenant, tenant_name: str, dialect: Dialect
    ) -> Expectation:
        audiences = [f"{request.base}{request.path}"]
        if dialect is ENTRA:
            # Entra takes the endpoint and the issuer, under any name of the tenant, whichever was posted to.
            bases = [f"{request.base}/{name}" for name in {tenant_name, tenant.tenant_id, *tenant.domains}]
            audiences += [f"{base}/{form}" for base in bases for form in (ENDPOINT_PATH, "oauth2/token", "v2.0", "")]
        expectation = Expectation(
            audiences,
            conditions.now,
            self.settings.clock_skew,
            strict=self.settings.strict,
            certificates_known=conditions.certificates_known,
        )
        if dialect.algorithms is not None:
            expectation = replace(expectation, algorithms=dialect.algorithms)
        if dialect.thumbprints is not None:
            expectation = replace(expectation, thumbprints=dialect.thumbprints)
        return expectation

    def _check_access(self, application: Application, resource: str, tenant: Tenant) -> int:
        version = self.directory.resource_version(resource)
        if version is None:
            raise refuse(500011, resource=resource, tenant=tenant.tenant_id)
        if application.allowed_resources is not None and resource not in application.allowed_resources:
            raise refuse(501051, client_id=application.client_id, resource=resource)
        if application.conditional_access_policies:
            policies = {"essential": True, "values": list(application.conditional_access_policies)}
            claims = json.dumps({"access_token": {"capolids": policies}}, separators=(",", ":"))
            raise refuse(53003, suberror="message_only", claims=claims)
        return version

    def _success(self, conditions: Conditions, access_token: str) -> Response:
        numbers = {"expires_in": self.settings.token_lifetime, "ext_expires_in": self.settings.token_lifetime}
        if self.settings.refresh_in is not None:
            numbers["refresh_in"] = self.settings.refresh_in
        write = str if self.settings.numbers_as_strings else int
        written = {name: write(number) for name, number in numbers.items()}
        return respond_json(conditions, 200, {"token_type": "Bearer", **written, "access_token": access_token})


def _read_form(request: Request) -> dict[str, str]:
    try:
        pairs = request.form()
    except ValueError as error:
        raise refuse(9002313, reason="The body is not a form.") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        # RFC 6749 section 3.2: "Request and response parameters MUST NOT be included more than once."
        raise refuse(9002313, reason="A parameter occurs more than once.")
    return form


def _check_form(form: dict[str, str]) -> tuple[str, str]:
    for parameter in ("grant_type", "client_id"):
        if parameter not in form:
            raise refuse(900144, parameter=parameter)
    if form["grant_type"] != "client_credentials":
        raise refuse(70003, grant_type=form["grant_type"])
    if "scope" not in form:
        raise refuse(900144, parameter="scope")
    if "client_assertion" not in form:
        # No application here has a secret, so whatever is sent is the wrong one.
        raise refuse(7000215 if "client_secret" in form else 7000216)
    if "client_assertion_type" not in form:
        raise refuse(900144, parameter="client_assertion_type")
    if form["client_assertion_type"] != ASSERTION_TYPE:
        raise refuse(9002313, reason="The client_assertion_type is not supported.")
    return form["client_id"], form["scope"]


def _read_claims(form: dict[str, str]) -> dict[str, object]:
    if "claims" not in form:
        return {}
    try:
        return dict(parse_claims_request(form["claims"]))
    except ValueError as error:
        raise refuse(9002313, reason="The claims parameter is not a JSON object.") from error


def _read_scope(scope: str) -> str:
    """The resource that a scope stands for, without the slash at its end.

    A resource whose identifier ends in a slash is asked for with two, ``https://management.azure.com//.default``
    (https://learn.microsoft.com/entra/identity-platform/scopes-oidc); both spellings come to the same audience here.
    """
    scopes = scope.split()
    if len(scopes) != 1:
        raise refuse(70011, scope=scope)
    if not scopes[0].endswith(DEFAULT_SCOPE):
        raise refuse(1002012, scope=scope)
    resource = scopes[0][: -len(DEFAULT_SCOPE)].rstrip("/")
    if not resource:
        raise refuse(70011, scope=scope)
    return resource
