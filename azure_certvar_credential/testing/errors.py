"""The AADSTS codes of the token endpoint: the OAuth error, the HTTP status and the gist of the text of each.

Where Microsoft publishes an answer it is followed
(https://learn.microsoft.com/entra/identity-platform/reference-error-codes and captured responses).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from azure_certvar_credential.testing.http import Conditions, Request, Response, respond_json


@dataclass(frozen=True, slots=True)
class Row:
    """One AADSTS code.

    :ivar error: OAuth's error code (RFC 6749 section 5.2).
    :ivar status: the HTTP status.
    :ivar text: what ``error_description`` says after the code; names in braces are filled in.
    """

    error: str
    status: int
    text: str


def _client(text: str) -> Row:
    return Row("invalid_client", 401, text)


def _request(text: str) -> Row:
    return Row("invalid_request", 400, text)


def _transient(text: str) -> Row:
    # Captured: 503 with the body of an error.
    return Row("temporarily_unavailable", 503, text)


AADSTS: dict[int, Row] = {
    700027: _client("{reason}"),
    700024: _client(
        "Client assertion is not within its valid time range. Current time: {now}, assertion valid from {start}, "
        "expiry time of assertion {end}."
    ),
    700023: _client("Client assertion audience claim does not match Realm issuer."),
    700021: _client("Client assertion application identifier doesn't match 'client_id' parameter."),
    700022: _client("Client assertion does not have a subject claim."),
    50048: _client("Subject must match Issuer claim in the client assertion."),
    5002723: _client("Invalid JWT token. No certificate SHA-1 thumbprint, certificate SHA-256 thumbprint, nor keyId."),
    5002738: _client(
        "Invalid JWT token. '{algorithm}' is not a supported signature algorithm. "
        "Supported signing algorithms are: '{algorithms}'."
    ),
    1000502: _client("The provided certificate is not within its specified validity period."),
    7000214: _client("Certificate has been revoked."),
    7000215: _client(
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value."
    ),
    7000216: _client(
        "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type."
    ),
    7000218: _client("The request body must contain the following parameter: 'client_assertion' or 'client_secret'."),
    7000274: _client("The provided certificate or key has expired or is not usable."),
    7000277: _client("The provided certificate or key was not found or is not usable."),
    700028: _client("Invalid certificate - the issuer's thumbprint '{thumbprint}' isn't authorized."),
    700029: _client("Invalid signing certificate. {reason}"),
    700030: _client(
        "Invalid certificate - subject name in certificate isn't authorized. "
        "SubjectNames/SubjectAlternativeNames (up to 10) in token certificate are: {subjects}."
    ),
    700211: _client("No matching federated identity record found for presented assertion issuer '{issuer}'."),
    700213: _client("No matching federated identity record found for presented assertion subject '{subject}'."),
    392200: _client("Client certificate is missing from the request."),
    392204: _client("The client certificate has expired."),
    500181: _client("The TLS certificate provided does not match the certificate in the assertion."),
    51000: Row("invalid_request", 412, "The {feature} feature is disabled for mTLS client authentication."),
    90014: _request(
        "The required field '{field}' is missing from the credential. "
        "Ensure that you have all the necessary parameters for the login request."
    ),
    50027: _request("JWT token is invalid or malformed. {reason}"),
    50059: _request(
        "No tenant-identifying information found in either the request or implied by any provided credentials."
    ),
    90002: _request(
        "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the "
        "correct cloud. Check with your subscription administrator, this may happen if there are no active "
        "subscriptions for the tenant."
    ),
    900023: _request(
        "Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external domain."
    ),
    900144: _request("The request body must contain the following parameter: '{parameter}'."),
    9002313: _request("Invalid request. Request is malformed or invalid. {reason}"),
    900561: Row("invalid_request", 405, "The endpoint only accepts {allowed} requests. Received a {method} request."),
    70003: Row("unsupported_grant_type", 400, "The app requested an unsupported grant type '{grant_type}'."),
    700016: Row(
        "unauthorized_client",
        400,
        "Application with identifier '{client_id}' was not found in the directory '{tenant}'. This can happen if the "
        "application has not been installed by the administrator of the tenant or consented to by any user in the "
        "tenant. You may have sent your authentication request to the wrong tenant.",
    ),
    7000112: Row("unauthorized_client", 400, "Application '{client_id}' is disabled."),
    7000229: Row(
        "unauthorized_client",
        400,
        "The client application {client_id} is missing service principal in the tenant {tenant}.",
    ),
    1002012: Row(
        "invalid_scope",
        400,
        "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with "
        "/.default suffixed to the resource identifier (application ID URI).",
    ),
    70011: Row(
        "invalid_scope",
        400,
        "The provided request must include a 'scope' input parameter. The provided value for the input parameter "
        "'scope' is not valid. The scope {scope} is not valid.",
    ),
    500011: Row(
        "invalid_resource",
        400,
        "The resource principal named {resource} was not found in the tenant named {tenant}. This can happen if the "
        "application has not been installed by the administrator of the tenant or consented to by any user in the "
        "tenant.",
    ),
    501051: Row(
        "invalid_grant", 400, "Application '{client_id}' is not assigned to a role for the application '{resource}'."
    ),
    53003: Row("invalid_grant", 400, "Access has been blocked by Conditional Access policies."),
    50196: Row(
        "invalid_grant", 400, "The server terminated an operation because it encountered a client request loop."
    ),
    90006: _transient("External service failed. Please try again."),
    90024: _transient("A transient error has occurred. Please try again."),
    90033: _transient("A transient error has occurred. Please try again."),
}


_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class RefusalError(Exception):
    """The token endpoint says no.

    :ivar code: the number of the AADSTS code.
    :ivar text: the description without code and ids.
    :ivar suberror: Entra's ``suberror``, or None.
    :ivar claims: the claims challenge, a JSON string, or None.
    """

    def __init__(self, code: int, text: str, *, suberror: str | None = None, claims: str | None = None) -> None:
        super().__init__(f"AADSTS{code}: {text}")
        self.code = code
        self.text = text
        self.suberror = suberror
        self.claims = claims


class _Fields(dict[str, object]):
    """What a text needs and nobody knows: an answer that a fault brought about has no cause to tell of."""

    def __missing__(self, name: str) -> str:
        return f"<{name}>"


def refuse(code: int, *, suberror: str | None = None, claims: str | None = None, **fields: object) -> RefusalError:
    """Make the refusal of ``code`` with the text of the table.

    :param code: a key of :data:`AADSTS`.
    :param suberror: Entra's ``suberror``.
    :param claims: a claims challenge, a JSON string.
    :param fields: what the names in braces stand for.
    """
    return RefusalError(code, AADSTS[code].text.format_map(_Fields(fields)), suberror=suberror, claims=claims)


def error_response(
    refusal: RefusalError, request: Request, conditions: Conditions, *, status: int | None = None
) -> Response:
    """Build the answer with which Entra reports a refusal.

    :param refusal: what is reported.
    :param request: gives the host of ``error_uri``.
    :param conditions: gives the time and the ids.
    :param status: the HTTP status; None for the usual one of the code.
    """
    row = AADSTS[refusal.code]
    moment = datetime.fromtimestamp(conditions.now, timezone.utc)
    timestamp = f"{moment:%Y-%m-%d %H:%M:%S}Z"
    body: dict[str, object] = {
        "error": row.error,
        "error_description": (
            f"AADSTS{refusal.code}: {refusal.text.strip()} Trace ID: {conditions.trace_id} "
            f"Correlation ID: {conditions.correlation_id} Timestamp: {timestamp}"
        ),
        "error_codes": [refusal.code],
        "timestamp": timestamp,
        "trace_id": conditions.trace_id,
        "correlation_id": conditions.correlation_id,
        "error_uri": f"{request.base}/error?code={refusal.code}",
    }
    if refusal.suberror is not None:
        body["suberror"] = refusal.suberror
    if refusal.claims is not None:
        body["claims"] = refusal.claims
    headers = {"Allow": "POST"} if row.status == 405 else {}
    return respond_json(conditions, status or row.status, body, headers=headers)


def utc_text(seconds: float) -> str:
    """Write a time as the texts of Entra do.

    :param seconds: since the epoch; a time before the year 1 or after 9999 becomes the first day of that year.
    """
    try:
        moment = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        moment = datetime(9999 if seconds > 0 else 1, 1, 1, tzinfo=timezone.utc)
    # strftime does not pad the year on every platform.
    return f"{moment.year:04}{moment:-%m-%dT%H:%M:%S.%f}0Z"
