"""The form and header fields of a token request."""

from __future__ import annotations

from collections.abc import Mapping

from azure_certvar_credential._core.grants import Grant
from azure_certvar_credential._core.request import TokenRequest


def form(request: TokenRequest, grant: Grant, *, client_id: str, proof: Mapping[str, str]) -> dict[str, str]:
    """Return the fields of the token request, for ``application/x-www-form-urlencoded``.

    :param request: the checked request.
    :param grant: the request's grant, or a refresh token in its place.
    :param client_id: the application's id.
    :param proof: the fields that authenticate the application (RFC 6749 section 2.3).
    """
    fields = {
        "client_id": client_id,
        "scope": " ".join(grant.requested_scopes(request.scopes)),
        **grant.fields(),
        **proof,
    }
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
