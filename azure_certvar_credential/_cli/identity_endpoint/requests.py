"""Decides whether a request may have a token: the two forms in which Azure's clients ask, and the guards around them.

App Service's form: https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
IMDS's form: https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

# What a proxy adds. A request that came through one was forwarded for somebody else (SSRF); IMDS itself refuses
# X-Forwarded-For.
_FORWARDED = ("x-forwarded-for", "forwarded", "x-forwarded-host", "via")

# The parameters by which a client chooses among several identities, in both forms.
_CLIENT_ID = ("client_id", "clientid")
_OTHER_IDENTITIES = ("object_id", "principal_id", "mi_res_id", "msi_res_id")

_VERSION = re.compile(r"20\d\d-\d\d-\d\d")
# Of an App ID URI, or a GUID; no client asks for a longer one.
_RESOURCE = re.compile(r"[!-~]{1,512}")

_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Call:
    """An HTTP request, as far as the endpoint looks at it.

    :ivar method: the method.
    :ivar path: the path, not decoded; it may contain a secret.
    :ivar headers: names and values in their order, repeated names included; one may be a secret.
    :ivar query: names and values in their order, decoded.
    :ivar has_body: whether it announces a body.
    """

    method: str
    path: str = field(repr=False)
    headers: Sequence[tuple[str, str]] = field(repr=False)
    query: Sequence[tuple[str, str]]
    has_body: bool

    def header(self, name: str) -> str | None:
        """Return the value of a header field; None unless there is exactly one."""
        values = [value for given, value in self.headers if given.lower() == name]
        return values[0] if len(values) == 1 else None


class RefusedError(Exception):
    """A request gets no token.

    :ivar status: the HTTP status.
    :ivar error: the OAuth error, such as ``invalid_request`` (RFC 6749 section 5.2).
    """

    def __init__(self, status: int, error: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.error = error


@dataclass(frozen=True, slots=True)
class Form:
    """One form of asking. Its secret is in the header, or in the path if the clients send a fixed header.

    :ivar name: the service that it is the form of.
    :ivar path: the path of the requests.
    :ivar header: the header field that every request has, lower case.
    :ivar value: its value.
    :ivar since: the oldest ``api-version`` that has this form.
    """

    name: str
    path: str = field(repr=False)
    header: str
    value: str = field(repr=False)
    since: str

    def is_met_by(self, call: Call) -> bool:
        """Return whether a call has the header, in a time that does not depend on how much of the value is right."""
        return _same(call.header(self.header) or "", self.value)


def app_service() -> Form:
    """Make the form of App Service, with a new secret of 256 bits in ``X-IDENTITY-HEADER``."""
    return Form("App Service", "/msi/token", "x-identity-header", secrets.token_urlsafe(_SECRET_BYTES), "2019-08-01")


def imds() -> Form:
    """Make the form of the Instance Metadata Service, with a new secret of 256 bits in the path.

    Its clients send ``Metadata: true``, which is no secret. They append their path to that of
    ``AZURE_POD_IDENTITY_AUTHORITY_HOST``, so the secret goes there.
    """
    # Of lower case: MSAL for Node.js converts the path.
    secret = secrets.token_hex(_SECRET_BYTES)
    return Form("IMDS", f"/{secret}/metadata/identity/oauth2/token", "metadata", "true", "2018-02-01")


@dataclass(frozen=True, slots=True)
class Guard:
    """Decides which calls may have a token.

    :ivar forms: the forms of asking.
    :ivar hosts: the values of ``Host`` that name this endpoint.
    :ivar client_id: the application whose tokens it hands out.
    :ivar resources: those that it hands out tokens for, as :func:`resource_of` returns them; None for all.
    """

    forms: Sequence[Form]
    hosts: frozenset[str]
    client_id: str
    resources: frozenset[str] | None

    def resource(self, call: Call) -> str:
        """Return the resource that a call asks a token for.

        :param call: the call.
        :raises RefusedError: it gets no token; the text has no secret in it.
        """
        self._check_origin(call)
        # MSAL for Node.js adds a slash.
        path = call.path.removesuffix("/")
        form = next((form for form in self.forms if _same(form.path, path)), None)
        if form is None:
            raise RefusedError(404, "not_found", "there is nothing at this path")
        if not form.is_met_by(call):
            raise RefusedError(401, "unauthorized", f"the header {form.header.upper()} is missing or wrong")
        if call.method != "GET":
            raise RefusedError(405, "invalid_request", "ask with GET")
        if call.has_body:
            raise RefusedError(413, "invalid_request", "ask without a body")
        parameters = _single(call.query)
        version = parameters.get("api-version", "")
        if not _VERSION.fullmatch(version) or version < form.since:
            raise RefusedError(400, "invalid_request", f"api-version must be {form.since} or later")
        self._check_identity(parameters)
        return self._allowed(parameters.get("resource", ""))

    def _check_origin(self, call: Call) -> None:
        # A page in a browser whose name was made to resolve to this computer (DNS rebinding) sends its own host.
        if (call.header("host") or "").lower() not in self.hosts:
            raise RefusedError(403, "forbidden", "the Host header does not name this endpoint")
        if any(name.lower() in _FORWARDED for name, _ in call.headers):
            raise RefusedError(403, "forbidden", "the request came through a proxy")

    def _check_identity(self, parameters: Mapping[str, str]) -> None:
        asked = [parameters[name] for name in _CLIENT_ID if name in parameters]
        if any(client_id.lower() != self.client_id.lower() for client_id in asked):
            raise RefusedError(400, "invalid_request", "the only identity here is the client id " + self.client_id)
        if any(name in parameters for name in _OTHER_IDENTITIES):
            raise RefusedError(400, "invalid_request", "name the identity by its client id, or not at all")

    def _allowed(self, resource: str) -> str:
        if not _RESOURCE.fullmatch(resource):
            raise RefusedError(400, "invalid_resource", "the parameter resource is missing or malformed")
        if self.resources is not None and resource_of(resource) not in self.resources:
            raise RefusedError(403, "forbidden", "the endpoint's --allow does not name this resource")
        return resource.removesuffix("/.default")


def resource_of(scope: str) -> str:
    """Return the resource of a scope, or a resource itself, in the form in which two are compared.

    :param scope: such as ``https://graph.microsoft.com/.default``.
    """
    return scope.removesuffix("/.default").rstrip("/").lower()


def _single(query: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    parameters: dict[str, str] = {}
    for name, value in query:
        # Two parsers would disagree on which one counts.
        if name.lower() in parameters:
            raise RefusedError(400, "invalid_request", "a parameter is repeated")
        parameters[name.lower()] = value
    return parameters


def _same(one: str, other: str) -> bool:
    # A header that is no UTF-8 arrives with surrogates.
    return hmac.compare_digest(one.encode(errors="surrogateescape"), other.encode(errors="surrogateescape"))
