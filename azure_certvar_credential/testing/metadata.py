"""What clients and resource servers read before and after a token: OpenID metadata, keys, instance discovery.

https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc
"""

from __future__ import annotations

from urllib.parse import urlsplit

from azure_certvar_credential.testing.http import Conditions, Request, Response, respond_json
from azure_certvar_credential.testing.tokens import signing_key


def openid_configuration(base: str, tenant_id: str, version: int) -> dict[str, object]:
    """Build the OpenID provider metadata (OpenID Connect Discovery section 3).

    :param base: scheme and host.
    :param tenant_id: the tenant's GUID, or ``{tenantid}`` for the shared endpoints, as Entra writes it.
    :param version: 1 or 2: whose issuer and endpoints.
    """
    tenant = f"{base}/{tenant_id}" if tenant_id != "{tenantid}" else f"{base}/common"
    oauth2 = f"{tenant}/oauth2/v2.0" if version == 2 else f"{tenant}/oauth2"
    issuer = f"{base}/{tenant_id}/v2.0" if version == 2 else f"https://sts.windows.net/{tenant_id}/"
    return {
        # The token endpoint of v2 in both: the older one takes `resource` instead of `scope` and is not built here.
        "token_endpoint": f"{tenant}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["PS256", "RS256"],
        "jwks_uri": f"{tenant}/discovery/v2.0/keys" if version == 2 else f"{base}/common/discovery/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code"],
        "grant_types_supported": ["client_credentials"],
        "scopes_supported": ["openid"],
        "issuer": issuer,
        "authorization_endpoint": f"{oauth2}/authorize",
        "device_authorization_endpoint": f"{oauth2}/devicecode",
        "claims_supported": ["aud", "exp", "iat", "iss", "oid", "sub", "tid", "ver"],
        "cloud_instance_name": "localhost",
        "tenant_region_scope": None,
    }


def adfs_configuration(base: str) -> dict[str, object]:
    """Build the metadata of Active Directory Federation Services, as far as MSAL reads it."""
    oauth2 = f"{base}/adfs/oauth2"
    return {
        "issuer": f"{base}/adfs",
        "authorization_endpoint": f"{oauth2}/authorize/",
        "token_endpoint": f"{oauth2}/token",
        "device_authorization_endpoint": f"{oauth2}/devicecode",
        "jwks_uri": f"{base}/adfs/discovery/keys",
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "grant_types_supported": ["client_credentials"],
    }


def keys(conditions: Conditions) -> Response:
    """The JSON Web Key Set (RFC 7517 section 5) that verifies the access tokens."""
    return respond_json(conditions, 200, {"keys": [signing_key().jwk()]})


def instance_discovery(request: Request, conditions: Conditions) -> Response:
    """Say that the host is a known authority, whichever the client asks about.

    Clients ask with the authorization endpoint that they mean; MSAL for Python drops its port, so the answer names the
    host that was really called.
    """
    endpoint = urlsplit(request.query.get("authorization_endpoint", "")).path.strip("/").split("/")
    tenant = endpoint[0] or "common"
    host = urlsplit(request.base).netloc
    return respond_json(
        conditions,
        200,
        {
            "tenant_discovery_endpoint": f"{request.base}/{tenant}/v2.0/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
        },
    )
