"""The AADSTS codes of the token endpoint, each with its OAuth error, HTTP status and description.

The descriptions follow Microsoft's reference and captured responses; a few give only the gist, where neither has one:
https://learn.microsoft.com/entra/identity-platform/reference-error-codes
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One AADSTS code.

    :ivar error: OAuth's error code (RFC 6749 section 5.2).
    :ivar status: the HTTP status.
    :ivar text: the ``error_description`` after the code, a template for ``str.format``.
    """

    error: str
    status: int
    text: str


def _client(text: str) -> Row:
    return Row("invalid_client", 401, text)


def _federated(what: str) -> Row:
    return _client(
        f"No matching federated identity record found for presented assertion {what} '{{{what}}}'. Check your "
        "federated identity credential Subject, Audience and Issuer against the presented assertion."
    )


def _grant(text: str) -> Row:
    return Row("invalid_grant", 400, text)


def _request(text: str) -> Row:
    return Row("invalid_request", 400, text)


def _client_not_authorized(text: str) -> Row:
    return Row("unauthorized_client", 400, text)


def _resource(text: str) -> Row:
    return Row("invalid_resource", 400, text)


def _user(text: str) -> Row:
    return Row("interaction_required", 400, text)


def _transient(text: str) -> Row:
    # Captured: Entra sends 503 with the JSON body of an error.
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
    5002741: _client("Invalid JWT token. The client assertion contains more than one audience."),
    50012: _client("Client assertion contains an invalid signature. {reason}"),
    50032: _client("The RSA key used to sign the client assertion is too weak."),
    70002: _client("Error validating credentials. {reason}"),
    7000110: _client(
        "Request is ambiguous, multiple application identifiers found. Client assertion contains {asserted} which "
        "doesn't match client id in request '{client_id}'."
    ),
    7000213: _client("Invalid certificate chain."),
    700025: _client("Client is public so neither 'client_assertion' nor 'client_secret' should be presented."),
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
    70025: _client("The client '{client_id}' has no configured federated identity credentials."),
    700222: _client("AAD-issued tokens may not be used for federated identity credential flows."),
    700229: _client("Only app-only tokens can be used as Federated Identity Credentials for AAD issuer."),
    700211: _federated("issuer"),
    700212: _federated("audience"),
    700213: _federated("subject"),
    392200: _client("Client certificate is missing from the request."),
    392204: _client("The client certificate has expired."),
    500181: _client("The TLS certificate provided does not match the certificate in the assertion."),
    51000: Row("invalid_request", 412, "The {feature} feature is disabled for mTLS client authentication."),
    90014: _request(
        "The required field '{field}' is missing from the credential. "
        "Ensure that you have all the necessary parameters for the login request."
    ),
    50027: _request("JWT token is invalid or malformed. {reason}"),
    5002730: _request("Invalid JWT token. Unsupported key for the signing algorithm."),
    50059: _request(
        "No tenant-identifying information found in either the request or implied by any provided credentials."
    ),
    50128: _request(
        "Invalid domain name - No tenant-identifying information found in either the request or implied by any "
        "provided credentials."
    ),
    90038: _request(
        "Tenant '{tenant}' request is being redirected to the National Cloud '{cloud}'. "
        "The current cloud instance does not federate with it."
    ),
    900382: _request("Confidential Client is not supported in Cross Cloud request."),
    900432: _request("Confidential Client is not supported in Cross Cloud request."),
    500021: _request("Access to '{tenant}' tenant is denied."),
    500022: _request("Access to '{tenant}' tenant is denied."),
    90009: _request(
        "Application '{client_id}' is requesting a token for itself. This scenario is supported only if resource is "
        "specified using the GUID based App Identifier."
    ),
    90055: _request("There are too many incoming requests for the tenant '{tenant}'."),
    100007: _request(
        "Only auth for managed identities, or from MSAL using SN+I for first-party applications, is supported here."
    ),
    1002016: _request("You are using TLS version {version}, which is deprecated and no longer supported."),
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
    700016: _client_not_authorized(
        "Application with identifier '{client_id}' was not found in the directory '{tenant}'. This can happen if the "
        "application has not been installed by the administrator of the tenant or consented to by any user in the "
        "tenant. You may have sent your authentication request to the wrong tenant.",
    ),
    # The code is reported of blueprints, the text is the gist: each report has another wording.
    82001: _client_not_authorized(
        "Agentic application '{client_id}' is not permitted to request app-only tokens for resource '{resource}'."
    ),
    7000112: _client_not_authorized("Application '{client_id}' is disabled."),
    7000229: _client_not_authorized(
        "The client application {client_id} is missing service principal in the tenant {tenant}.",
    ),
    70001: _client_not_authorized("Application with identifier '{client_id}' was not found, or is disabled."),
    700011: _client_not_authorized("Application with identifier '{client_id}' was not found in the directory."),
    1000031: _client_not_authorized("Application '{client_id}' cannot be accessed at this time."),
    650052: _client_not_authorized(
        "The app is trying to access a service '{resource}' that your organization lacks a service principal for."
    ),
    650056: _client_not_authorized(
        "Misconfigured application. The client has not listed any permissions for '{resource}' in the requested "
        "permissions in the client's application registration, or the admin has not consented in the tenant."
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
    500011: _resource(
        "The resource principal named {resource} was not found in the tenant named {tenant}. This can happen if the "
        "application has not been installed by the administrator of the tenant or consented to by any user in the "
        "tenant.",
    ),
    50001: _resource("The resource principal named {resource} was not found or is disabled."),
    500014: _resource(
        "The service principal for resource '{resource}' is disabled. This indicate that a subscription within the "
        "tenant has lapsed, or that the administrator for this tenant has disabled the application, preventing tokens "
        "from being issued for it."
    ),
    650057: _resource(
        "Invalid resource. The client has requested access to a resource which is not listed in the requested "
        "permissions in the client's application registration. Resource value from request: {resource}."
    ),
    28000: _request(
        "Provided value for the input parameter scope is not valid because it contains more than one resource. "
        "Scope {scope} is not valid."
    ),
    501051: _grant("Application '{client_id}' is not assigned to a role for the application '{resource}'."),
    53003: _grant("Access has been blocked by Conditional Access policies."),
    530032: _grant("Blocked by a security policy of the tenant."),
    53000: _user("Device is not in required device state: non-compliant."),
    53001: _user("Device is not in required device state: not domain joined."),
    530003: _user("Your device is required to be managed to access this resource."),
    50196: _grant("The server terminated an operation because it encountered a client request loop."),
    50013: _grant("Assertion failed signature validation. {reason}"),
    500131: _grant(
        "Assertion audience does not match the Client app presenting the assertion. The audience in the assertion was "
        "'{audience}' and the expected audience is '{expected}' or one of the Application Ids of this app with App "
        "URI 'api://{expected}'."
    ),
    500133: _grant(
        "Assertion is not within its valid time range. Ensure that the access token is not expired before using it for "
        "user assertion, or request a new token. Current time: {now}, expiry time of assertion {end}."
    ),
    240002: _grant("Input id_token cannot be used as '{grant_type}' grant."),
    7000114: _client_not_authorized("Application '{client_id}' is not allowed to make application on-behalf-of calls."),
    50020: _grant(
        "User account from identity provider does not exist in tenant '{tenant}' and cannot access the application "
        "'{client_id}' in that tenant. The account needs to be added as an external user in the tenant first."
    ),
    90072: _grant(
        "User account from identity provider does not exist in tenant '{tenant}' and cannot access the application "
        "'{client_id}' in that tenant."
    ),
    50057: _grant("The user account is disabled."),
    50105: _grant("The signed in user is not assigned to a role for the application '{client_id}'."),
    90094: _grant("Administrator consent is required."),
    90095: _grant("Administrator consent is required, and can be requested."),
    50034: _grant("The user account does not exist in the {tenant} directory."),
    65001: _grant(
        "The user or administrator has not consented to use the application with ID '{client_id}'. Send an interactive "
        "authorization request for this user and resource."
    ),
    70000: _grant("The provided value for the input parameter 'refresh_token' is not valid."),
    700005: _grant("The provided grant is intended to be used against another tenant."),
    700007: _grant("The grant was issued for a different client id."),
    700082: _grant(
        "The refresh token has expired due to inactivity. The token was issued on {issued} and was inactive for {days}."
    ),
    70043: _grant("The refresh token has expired or is invalid due to sign-in frequency checks by Conditional Access."),
    50173: _grant(
        "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have "
        "changed or reset their password. The grant was issued on '{issued}' and the TokensValidFrom date (before "
        "which tokens are not valid) for this user is '{since}'."
    ),
    50072: _user("The user must enroll in multi-factor authentication to access '{resource}'."),
    50074: _user("Strong authentication is required."),
    50078: _user("Presented multi-factor authentication has expired due to policies configured by your administrator."),
    50158: _user("External security challenge was not satisfied."),
    50076: _user(
        "Due to a configuration change made by your administrator, or because you moved to a new location, you must "
        "use multi-factor authentication to access '{resource}'.",
    ),
    50079: _user(
        "Due to a configuration change made by your administrator, or because you moved to a new location, you must "
        "enroll in multi-factor authentication to access '{resource}'.",
    ),
    90006: _transient("External service failed. Please try again."),
    90024: _transient("A transient error has occurred. Please try again."),
    90033: _transient("A transient error has occurred. Please try again."),
}
