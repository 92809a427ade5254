"""Cause and remedy, in a sentence, for the AADSTS codes that certificate authentication can meet.

Codes and their meaning: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
"""

from __future__ import annotations

from collections.abc import Iterable

HINTS: dict[int, str] = {
    700027: "The certificate is not on the app registration, or is expired there: upload its public half (.cer) under "
    "Certificates & secrets and compare the thumbprint. A fresh upload can take a minute to be known.",
    700024: "The assertion's times do not fit the server's: set this computer's clock (NTP).",
    700023: "The assertion was made for another endpoint: check authority and tenant_id.",
    700021: "The assertion names another application: check that client_id is the 'Application (client) ID'.",
    700022: "The assertion has no 'sub' claim: something between this package and the server altered it.",
    50048: "The assertion's 'sub' and 'iss' differ: something between this package and the server altered it.",
    90014: "A claim is missing in the assertion: something between this package and the server altered it.",
    50027: "The server could not read the assertion: check that no proxy alters the request.",
    5002723: "The assertion names no certificate: this server wants a thumbprint in the header.",
    5002738: "Entra does not take this signature algorithm: use an RSA certificate and algorithm='PS256'.",
    1000502: "The certificate is not yet valid or no longer: make a new one and upload its public half.",
    7000214: "The certificate is revoked: make a new one and upload its public half.",
    7000274: "The signing certificate cannot be used any more: make a new one and upload its public half.",
    7000277: "The signing certificate cannot be used any more: make a new one and upload its public half.",
    700028: "This certificate's thumbprint is not authorised for the application: upload its public half (.cer).",
    700029: "The certificate does not chain to an authority that the tenant trusts: check issuer and chain.",
    700030: "The application trusts another subject name or issuer: compare the certificate with the registration, "
    "and pass send_certificate_chain=True.",
    7000216: "The server saw no assertion: check that no proxy alters the request.",
    7000218: "The server saw no assertion: check that no proxy alters the request.",
    700016: "There is no such application in this tenant: check client_id and tenant_id, and that an administrator "
    "has consented to the application there.",
    7000112: "The application is disabled: enable it under Enterprise applications > Properties.",
    7000229: "The application has no service principal in this tenant: an administrator must consent to it, "
    "for instance with 'az ad sp create --id <client_id>'.",
    90002: "There is no such tenant in this cloud: check tenant_id, and authority for a sovereign cloud.",
    900023: "tenant_id is neither a tenant's GUID nor one of its domain names.",
    900144: "A field of the request is missing: check that no proxy alters the request.",
    1002012: "An application asks for a resource as a whole: write the scope as '<resource>/.default', such as "
    "'https://graph.microsoft.com/.default'.",
    70011: "The scope is not valid: write one resource and '/.default', such as 'https://storage.azure.com/.default'.",
    500011: "The resource of the scope is not known in this tenant: check its spelling, and that the API's "
    "application exists there.",
    53003: "A Conditional Access policy blocks the application: an administrator finds it in the sign-in logs under "
    "Service principal sign-ins.",
    50196: "The server sees the same request in a loop: keep one credential and reuse it.",
    90006: "The service is busy: try again later.",
    90024: "The service is busy: try again later.",
    90033: "The service is unavailable for a moment: try again later.",
    51000: "mTLS client authentication is not enabled for this application or tenant.",
    392200: "The request reached the mTLS endpoint without a client certificate: check that no proxy ends the TLS.",
    392204: "The TLS client certificate has expired: make a new one and upload its public half.",
    500181: "The TLS client certificate is another one than the assertion's.",
    65001: "The user or an administrator has not consented to this: let the front end ask for consent, or grant "
    "admin consent, and check that the scope is a permission of this application.",
    50076: "The user needs multi-factor authentication for this resource: pass the error's claims to the front end.",
    50079: "The user has to enrol in multi-factor authentication: pass the error's claims to the front end.",
    50173: "The user's tokens were revoked: the client must sign in again.",
    700082: "The user's session ended for lack of use: the client must sign in again.",
    700212: "No federated identity credential matches the assertion's audience: the token must be for "
    "'api://AzureADTokenExchange' or the audience of the registration.",
    700211: "No federated identity credential matches the assertion's issuer: compare it with the registration.",
    700213: "No federated identity credential matches the assertion's subject: compare it with the registration.",
    7000114: "The user's assertion is an application's own token: only a token of a user can be exchanged.",
    240002: "The user's assertion is an ID token: the client must send its access token for this application.",
    50020: "The user is not in this tenant: ask the user's own, with tenant_id and additionally_allowed_tenants.",
    50034: "The user does not exist in this tenant any more.",
    500131: "The user's assertion is for another audience: it must be issued for this application.",
    500133: "The user's assertion has expired: the client must sign in again.",
    50013: "The user's assertion has a bad signature: hand over the token unchanged.",
    28000: "The scopes are of more than one resource: ask for each resource with a get_token of its own.",
    50057: "The user's account is disabled.",
    50105: "The user is not assigned to the application: an administrator does so under Enterprise applications > "
    "Users and groups.",
    70043: "The refresh token has expired by a Conditional Access policy's sign-in frequency: the client must sign in "
    "again.",
    530003: "A Conditional Access policy wants a device that the organisation manages: pass the error's claims to the "
    "front end.",
}

# What the same code means where a token was asked for on behalf of a user, if that is something else.
USER_HINTS: dict[int, str] = {
    50027: "The user's assertion is no JWT, or is damaged: hand over the client's access token unchanged.",
    53003: "A Conditional Access policy blocks the user's sign-in: pass the error's claims to the front end, for the "
    "client to sign in again; an administrator finds the policy in the sign-in logs under User sign-ins.",
    70011: "The scope is not valid: write permissions of one resource, such as "
    "'https://graph.microsoft.com/User.Read', or '<resource>/.default'.",
}

# After these a certificate that was renewed in the meantime may be accepted.
ROTATION_CODES = frozenset({700027, 700024, 7000214, 1000502, 7000274, 7000277})
# Entra knows the application and objects to the certificate, or to the assertion made with it.
CERTIFICATE_CODES = ROTATION_CODES | {700021, 700022, 700023, 700028, 700029, 700030, 50048, 5002723, 5002738}
CLOCK_CODE = 700024
# OAuth's errors (RFC 6749 section 5.2, OpenID Connect Core section 3.1.2.6) that a user can mend: by signing in again,
# by a second factor, by consent.
USER_ERRORS = frozenset({"invalid_grant", "interaction_required", "login_required", "consent_required"})
# What the server objects to is the user's assertion itself.
USER_ASSERTION_CODES = frozenset({500131, 500133, 50013, 50027, 7000114, 240002})
TRANSIENT_CODES = frozenset({90006, 90024, 90033})


def hint_for(codes: Iterable[int], *, for_user: bool = False) -> str | None:
    """Return the hint for the first code that has one.

    :param for_user: the token was asked for on a user's behalf.
    """
    table = {**HINTS, **USER_HINTS} if for_user else HINTS
    return next((table[code] for code in codes if code in table), None)
