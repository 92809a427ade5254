"""The public documents: OpenID metadata, keys, instance discovery.

https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc
"""

from __future__ import annotations

from urllib.parse import urlsplit

from azure_certvar_credential.testing.entra.directory.store import Directory
from azure_certvar_credential.testing.entra.errors import error_response, refuse
from azure_certvar_credential.testing.entra.grants.scopes import RESERVED
from azure_certvar_credential.testing.entra.grants.table import GRANTS
from azure_certvar_credential.testing.entra.routes import ADFS, ENTRA, TENANTLESS, Route
from azure_certvar_credential.testing.http import Conditions, Request, Response, respond_json
from azure_certvar_credential.testing.signing import signing_key


def metadata(request: Request, conditions: Conditions, route: Route, directory: Directory) -> Response:
    """Answer with the OpenID provider metadata of an authority (OpenID Connect Discovery section 4).

    :param request: the request.
    :param conditions: its time and ids.
    :param route: the authority and version that it addresses.
    :param directory: the directory with the tenants.
    """
    if route.dialect is ADFS:
        return respond_json(conditions, 200, _adfs_configuration(route))
    tenant = directory.tenant(route.tenant)
    if tenant is None and route.tenant not in TENANTLESS:
        return error_response(refuse(90002, tenant=route.tenant), request, conditions)
    return respond_json(conditions, 200, _openid_configuration(route, tenant.tenant_id if tenant else "{tenantid}"))


def _openid_configuration(route: Route, tenant_id: str) -> dict[str, object]:
    """Build the metadata (OpenID Connect Discovery section 3).

    :param route: the authority and version that the request addresses.
    :param tenant_id: the tenant's GUID; for the shared endpoints the literal ``{tenantid}``, as in Entra.
    """
    authority = f"{route.base}{route.authority.lower()}"
    version = route.version
    if route.dialect is ENTRA:
        authority = f"{route.base}/{tenant_id}" if tenant_id != "{tenantid}" else f"{route.base}/common"
    else:
        version = 2
    oauth2 = f"{authority}/oauth2/v2.0" if version == 2 else f"{authority}/oauth2"
    return {
        # Both versions name the v2 token endpoint: the emulator lacks that of v1, which takes `resource`, not `scope`.
        "token_endpoint": f"{authority}/{route.dialect.token_path}",
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": list(route.dialect.algorithms or ("PS256", "RS256")),
        "jwks_uri": f"{authority}/discovery/v2.0/keys" if version == 2 else f"{route.base}/common/discovery/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code"],
        "grant_types_supported": list(GRANTS),
        "scopes_supported": sorted(RESERVED),
        "issuer": route.issuer(tenant_id, version),
        "authorization_endpoint": f"{oauth2}/authorize",
        "device_authorization_endpoint": f"{oauth2}/devicecode",
        "claims_supported": ["aud", "exp", "iat", "iss", "oid", "sub", "tid", "ver"],
        "cloud_instance_name": "localhost",
        "tenant_region_scope": None,
    }


def _adfs_configuration(route: Route) -> dict[str, object]:
    """Build the part of ADFS's metadata that MSAL reads."""
    oauth2 = f"{route.base}/adfs/oauth2"
    return {
        "issuer": route.issuer("", 1),
        "authorization_endpoint": f"{oauth2}/authorize/",
        "token_endpoint": f"{oauth2}/token",
        "device_authorization_endpoint": f"{oauth2}/devicecode",
        "jwks_uri": f"{route.base}/adfs/discovery/keys",
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "grant_types_supported": list(GRANTS),
    }


def keys(conditions: Conditions) -> Response:
    """Answer with the JSON Web Key Set (RFC 7517 section 5) that verifies the tokens."""
    return respond_json(conditions, 200, {"keys": [signing_key().jwk()]})


def instance_discovery(request: Request, conditions: Conditions) -> Response:
    """Answer that the called host is a known authority.

    The query names the client's authorization endpoint. MSAL for Python omits its port, so the answer names the host
    that the request was sent to.
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
