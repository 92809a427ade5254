"""The token request as it goes out: the form of each grant, and the header fields.

* ``client_credentials`` (RFC 6749 section 4.4): the application asks for itself;
* ``jwt-bearer`` (RFC 7523 section 2.1), used as Entra's on-behalf-of:
  https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow;
* ``refresh_token`` (RFC 6749 section 6): the next token of a user whose last one came with a refresh token.

In each the application authenticates with a client assertion (RFC 7523 section 2.2).
"""

from __future__ import annotations

from azure_certvar_credential._core.request import TokenRequest

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ON_BEHALF_OF = "urn:ietf:params:oauth:grant-type:jwt-bearer"
# Asks for a refresh token (OpenID Connect Core section 11).
OFFLINE_ACCESS = "offline_access"


def form(
    request: TokenRequest, *, client_id: str, client_assertion: str, refresh_token: str | None = None
) -> dict[str, str]:
    """Return the fields of the token request, to be sent as ``application/x-www-form-urlencoded``.

    :param request: what is asked for.
    :param client_id: the application's id.
    :param client_assertion: proves that the request comes from the application.
    :param refresh_token: to be used in the place of the user's assertion, or None.
    """
    scopes = request.scopes
    if request.user is not None and OFFLINE_ACCESS not in scopes:
        scopes = (*scopes, OFFLINE_ACCESS)
    fields = {
        "client_id": client_id,
        "scope": " ".join(scopes),
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": client_assertion,
    }
    if refresh_token is not None:
        fields |= {"grant_type": "refresh_token", "refresh_token": refresh_token}
    elif request.user is not None:
        fields |= {
            "grant_type": ON_BEHALF_OF,
            "assertion": request.user.value,
            "requested_token_use": "on_behalf_of",
        }
    elif request.fmi_path is not None:
        fields["fmi_path"] = request.fmi_path
    claims = request.claims_parameter
    if claims is not None:
        fields["claims"] = claims
    return fields


def headers(correlation_id: str) -> dict[str, str]:
    """Return the header fields of the token request.

    :param correlation_id: an id for this request, which Microsoft's support can search for.
    """
    return {
        "Accept": "application/json",
        "client-request-id": correlation_id,
        "return-client-request-id": "true",
        "x-client-SKU": "azure-certvar-credential",
        # Tells Entra's gateway that a 429 with Retry-After is understood.
        "x-ms-lib-capability": "retry-after, h429",
    }
