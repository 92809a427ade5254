"""Cause and remedy, in a sentence or two, for the AADSTS codes that certificate authentication can meet.

Codes and their meaning: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
"""

from __future__ import annotations

from collections.abc import Iterable

_ALTERED = "something between this package and the server altered it."
_RENEW = "make a new one and upload its public half."
_NO_ASSERTION = "The server saw no assertion: check that no proxy alters the request."
_BUSY = "The service is busy: try again later."
_OTHER_CLOUD = (
    "The tenant or the application belongs to another cloud: pass that cloud's authority, such as "
    "'login.microsoftonline.us', and a scope of that cloud."
)
_TENANT_RESTRICTIONS = (
    "A proxy on the way restricts the tenants that may be reached (Restrict-Access-To-Tenants): its administrator "
    "adds this tenant."
)
_SIGN_IN = "the client must sign in again."
_FRONT_END = "pass the error's claims to the front end."
_DEVICE = f"A Conditional Access policy requires a device that the organisation manages: {_FRONT_END}"
_ADMIN_CONSENT = "An administrator must consent: use 'Grant admin consent' under API permissions."

HINTS: dict[int, str] = {
    # The certificate, and the assertion that it signed.
    700027: "The certificate is not on the app registration, or is expired there: upload its public half (.cer) under "
    "Certificates & secrets and compare the thumbprint. A fresh upload can take a minute to be known.",
    700024: "The assertion's times do not fit the server's: set this computer's clock (NTP).",
    700023: "The assertion was made for another endpoint: check authority and tenant_id.",
    700021: "The assertion names another application: check that client_id is the 'Application (client) ID'.",
    700022: f"The assertion has no 'sub' claim: {_ALTERED}",
    50048: f"The assertion's 'sub' and 'iss' differ: {_ALTERED}",
    90014: f"A claim is missing in the assertion: {_ALTERED}",
    50027: "The server could not read the assertion: check that no proxy alters the request.",
    5002723: "The assertion names no certificate: this server wants a thumbprint in the header.",
    5002730: "The certificate's key does not fit the signature algorithm: use an RSA certificate of 2048 bits or more "
    "and leave algorithm out.",
    5002738: "Entra does not take this signature algorithm: use an RSA certificate and algorithm='PS256'.",
    5002741: "The assertion has more than one audience: make it for the token endpoint alone.",
    50012: "Entra could not verify the assertion: check that the certificate is on the app registration, and this "
    "computer's clock.",
    50032: "The certificate's RSA key is too weak: use one of 2048 bits or more.",
    70002: "Entra does not accept the application's credentials: check that the certificate is on this app "
    "registration, and client_id and tenant_id.",
    1000502: f"The certificate is not yet valid, or has expired: {_RENEW}",
    7000214: f"The certificate is revoked: {_RENEW}",
    7000274: f"The signing certificate cannot be used any more: {_RENEW}",
    7000277: f"The signing certificate cannot be used any more: {_RENEW}",
    700028: "This certificate's thumbprint is not authorised for the application: upload its public half (.cer).",
    700029: "The certificate does not chain to an authority that the tenant trusts: check issuer and chain.",
    700030: "The application trusts another subject name or issuer: compare the certificate with the registration, "
    "and pass send_certificate_chain=True.",
    7000213: "The certificate's chain is not valid: give the intermediate certificates with the certificate, pass "
    "send_certificate_chain=True, and check that none has expired and that the tenant trusts their root.",
    7000216: _NO_ASSERTION,
    7000218: _NO_ASSERTION,
    7000110: "client_id and the assertion name different applications: check client_id, and the assertion_source of a "
    "federated credential.",
    # The application's registration.
    700025: "The application is registered as a public client: turn off 'Allow public client flows' under "
    "Authentication ('allowPublicClient' in the manifest).",
    700016: "There is no such application in this tenant: check client_id and tenant_id, and that an administrator "
    "has consented to the application there.",
    700011: "There is no such application in this tenant: check client_id and tenant_id.",
    70001: "The application is unknown in this tenant, or disabled: check client_id and tenant_id, and 'Enabled for "
    "users to sign-in' under Enterprise applications > Properties.",
    7000112: "The application is disabled: enable it under Enterprise applications > Properties.",
    1000031: "An administrator blocks the application in this tenant: ask for it to be allowed.",
    7000229: "The application has no service principal in this tenant: an administrator must consent to it, "
    "for instance with 'az ad sp create --id <client_id>'.",
    90094: _ADMIN_CONSENT,
    90095: _ADMIN_CONSENT,
    # The tenant and its cloud.
    90002: "There is no such tenant in this cloud: check tenant_id, and authority for a sovereign cloud.",
    50059: "The server found no tenant in the request: check tenant_id and authority.",
    50128: "There is no tenant with this domain name: check tenant_id.",
    900023: "tenant_id is neither a tenant's GUID nor one of its domain names.",
    90038: _OTHER_CLOUD,
    900382: _OTHER_CLOUD,
    900432: _OTHER_CLOUD,
    500021: _TENANT_RESTRICTIONS,
    500022: _TENANT_RESTRICTIONS,
    100007: "Regional endpoints serve Microsoft's own applications only: leave region out.",
    # The request.
    900144: "A field of the request is missing: check that no proxy alters the request.",
    1002016: "The connection used TLS 1.0 or 1.1: Entra requires TLS 1.2 or later, also from a proxy in between.",
    1002012: "An application asks for a resource as a whole: write the scope as '<resource>/.default', such as "
    "'https://graph.microsoft.com/.default'.",
    70011: "The scope is not valid: write one resource and '/.default', such as 'https://storage.azure.com/.default'.",
    28000: "The scopes belong to more than one resource: call get_token once for each resource.",
    90009: "The application asks for a token for itself: write the scope as '<client_id>/.default'.",
    # The resource.
    50001: "The resource of the scope is disabled or does not exist: check the spelling of the scope.",
    500011: "The resource of the scope is not known in this tenant: check its spelling, and that the API's "
    "application exists there.",
    500014: "The resource's service principal is disabled in this tenant: an administrator enables it under "
    "Enterprise applications > Properties, or renews the subscription that has lapsed.",
    501051: "The resource demands an assignment, and the application has none: an administrator assigns it one of "
    "the resource's app roles and consents.",
    50105: "The user, or the application that asks for itself, is not assigned to the resource: an administrator "
    "does so under Enterprise applications > Users and groups, or with an app role.",
    650052: "The organisation has not enabled the service that the scope names: an administrator subscribes to it.",
    650056: "The application has no permission for the resource, or nobody consented to it: add it under API "
    "permissions and grant admin consent.",
    650057: "The resource is not among the application's API permissions: add it there.",
    # Policies and limits.
    53003: "A Conditional Access policy blocks the application: an administrator finds it in the sign-in logs under "
    "Service principal sign-ins.",
    530032: "A security policy of the tenant blocks the request: an administrator finds it in the sign-in logs.",
    50196: "The server sees the same request in a loop: keep one credential and reuse it.",
    90055: "The tenant sends too many requests: keep one credential and reuse it, and try again later.",
    90006: _BUSY,
    90024: _BUSY,
    90033: "The service is unavailable for a moment: try again later.",
    # TLS client authentication.
    51000: "mTLS client authentication is not enabled for this application or tenant.",
    392200: "The request reached the mTLS endpoint without a client certificate: check that no proxy terminates TLS.",
    392204: f"The TLS client certificate has expired: {_RENEW}",
    500181: "The TLS client certificate is another one than the assertion's.",
    # Federated identity credentials.
    70025: "The application has no federated identity credential: add one under Certificates & secrets.",
    700212: "No federated identity credential matches the assertion's audience: the token must be for "
    "'api://AzureADTokenExchange' or the audience of the registration.",
    700211: "No federated identity credential matches the assertion's issuer: compare it with the registration.",
    700213: "No federated identity credential matches the assertion's subject: compare it with the registration.",
    700222: "Entra takes no token that it issued itself as this application's assertion: federate with a managed "
    "identity of the same tenant, or with an issuer outside Entra.",
    700229: "The assertion is a user's token: assertion_source must return a token of an application itself.",
    82001: "The blueprint of agent identities gets no tokens of resources for itself: ask for them with agent(...).",
    # The user, and the user's assertion.
    65001: "The user or an administrator has not consented to this: let the front end ask for consent, or grant "
    "admin consent, and check that the scope is a permission of this application.",
    50072: f"The user has to enrol in multi-factor authentication: {_FRONT_END}",
    50074: f"The user needs multi-factor authentication: {_FRONT_END}",
    50076: f"The user needs multi-factor authentication for this resource: {_FRONT_END}",
    50078: f"The user's multi-factor authentication has expired: {_FRONT_END}",
    50079: f"The user has to enrol in multi-factor authentication: {_FRONT_END}",
    50158: f"The user has to pass another provider's check: {_FRONT_END}",
    50173: f"The user's tokens were revoked: {_SIGN_IN}",
    700005: "The refresh token is another tenant's: the user must sign in to this one.",
    700082: f"The user's session ended for lack of use: {_SIGN_IN}",
    7000114: "The user's assertion is an application's own token: only a token of a user can be exchanged.",
    240002: "The user's assertion is an ID token: the client must send its access token for this application.",
    50020: "The user is not in this tenant: name the user's own with tenant_id and additionally_allowed_tenants.",
    90072: "The user is not in this tenant: name the user's own with tenant_id and additionally_allowed_tenants.",
    50034: "The user does not exist in this tenant any more.",
    500131: "The user's assertion is for another audience: it must be issued for this application.",
    500133: f"The user's assertion has expired: {_SIGN_IN}",
    50013: "The user's assertion has a bad signature: hand over the token unchanged.",
    50057: "The user's account is disabled.",
    70043: f"The refresh token has expired by a Conditional Access policy's sign-in frequency: {_SIGN_IN}",
    53000: _DEVICE,
    53001: _DEVICE,
    530003: _DEVICE,
}

# Codes that mean something else when a token was asked for on behalf of a user.
USER_HINTS: dict[int, str] = {
    50027: "The user's assertion is no JWT, or is damaged: hand over the client's access token unchanged.",
    5002730: "The user's assertion is signed for another API, such as Microsoft Graph: the client must send its access "
    "token for this application.",
    53003: "A Conditional Access policy blocks the user's sign-in: pass the error's claims to the front end, for the "
    "client to sign in again; an administrator finds the policy in the sign-in logs under User sign-ins.",
    70011: "The scope is not valid: write permissions of one resource, such as "
    "'https://graph.microsoft.com/User.Read', or '<resource>/.default'.",
}

# Codes that mean something else in a leg of an agent identity.
_NO_SUCH_AGENT = (
    "There is no such agent identity in this tenant: check agent_client_id and tenant_id, and that the agent is below "
    "this blueprint."
)
AGENT_HINTS: dict[int, str] = {
    700016: _NO_SUCH_AGENT,
    7000229: _NO_SUCH_AGENT,
    700211: "An agent identity takes its blueprint's tokens of its own tenant alone: check tenant_id.",
    700213: "An agent identity takes the tokens of its own blueprint alone: check that the agent is below this one.",
    50034: "There is no such user account in this tenant: check object_id or username.",
    50105: "The agent or its user is not assigned to the resource, or the user account is not this agent's: an "
    "administrator assigns them under Enterprise applications > Users and groups.",
    500131: "The user's assertion is for another audience: an agent's users sign in to its blueprint.",
}

# After these a certificate that was renewed in the meantime may be accepted.
ROTATION_CODES = frozenset({700027, 700024, 7000214, 1000502, 7000274, 7000277})
# Entra knows the application and objects to the certificate, or to the assertion made with it.
CERTIFICATE_CODES = ROTATION_CODES | {
    *(700021, 700022, 700023, 700028, 700029, 700030),
    *(50012, 50032, 50048, 5002723, 5002738, 5002741, 7000213),
}
CLOCK_CODE = 700024
# OAuth's errors (RFC 6749 section 5.2, OpenID Connect Core section 3.1.2.6) that a user can act on: by signing in
# again, by a second factor, by consent.
USER_ERRORS = frozenset({"invalid_grant", "interaction_required", "login_required", "consent_required"})
# The server objects to the user's assertion itself.
USER_ASSERTION_CODES = frozenset({500131, 500133, 50013, 50027, 5002730, 7000114, 240002})
TRANSIENT_CODES = frozenset({90006, 90024, 90033})


def hint_for(codes: Iterable[int], *, for_user: bool = False, for_agent: bool = False) -> str | None:
    """Return the hint for the first code that has one.

    :param for_user: the token was asked for on a user's behalf.
    :param for_agent: an agent identity presented a token of its blueprint's.
    """
    table = HINTS | (USER_HINTS if for_user else {}) | (AGENT_HINTS if for_agent else {})
    return next((table[code] for code in codes if code in table), None)


def in_message(hint: str | None, codes: Iterable[int]) -> str:
    """Return the end of an error's message: the hint, and the command that says more about its code.

    :param hint: what :func:`hint_for` found for the codes; the other tables have no code that ``HINTS`` has not.
    """
    if hint is None:
        return ""
    return f"Hint: {hint} (certvar explain {next(code for code in codes if code in HINTS)})"
