"""A stand-in for an OpenID provider that takes ``private_key_jwt``, and for an API that takes its tokens."""

from __future__ import annotations

import json
import secrets

import jwt

from azure_certvar_credential.testing import Request, Response
from local.scene import Scene

ISSUER = "https://idp.contoso.example"
API = "https://orders.contoso.example"
VARIABLES = {"OIDC_ISSUER": ISSUER, "OIDC_SCOPE": "orders", "API_URL": API}
_METADATA = {
    "issuer": ISSUER,
    "token_endpoint": f"{ISSUER}/token",
    "authorization_endpoint": f"{ISSUER}/authorize",
    "jwks_uri": f"{ISSUER}/jwks",
    "response_types_supported": ["code"],
    "grant_types_supported": ["client_credentials"],
    "token_endpoint_auth_methods_supported": ["private_key_jwt"],
    "token_endpoint_auth_signing_alg_values_supported": ["PS256"],
}
# Its tokens are opaque: the client's id for each that it has issued.
issued: dict[str, str] = {}


class Provider:
    """Issues tokens to one client."""

    def __init__(self, scene: Scene) -> None:
        self._client_id, self._key = scene.application.client_id, scene.certificate.signer.public_key

    def answer(self, request: Request) -> Response:
        """Answer with the metadata or a token."""
        if request.path != "/token":
            known = request.path in {"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"}
            return _json(200, _METADATA) if known else _json(404, {"error": "not_found"})
        assertion = dict(request.form()).get("client_assertion", "")
        try:
            claims = jwt.decode(
                assertion,
                self._key,
                algorithms=["PS256"],
                audience=ISSUER,
                subject=self._client_id,
                issuer=self._client_id,
                options={"require": ["exp", "jti"]},
            )
        except jwt.InvalidTokenError as error:
            return _json(401, {"error": "invalid_client", "error_description": str(error)})
        token = secrets.token_urlsafe()
        issued[token] = claims["sub"]
        return _json(200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600})


def greet(request: Request) -> Response:
    """Answer as an API that takes the provider's tokens."""
    client_id = issued.get(request.headers.get("authorization", "").removeprefix("Bearer "))
    if client_id is None:
        return _json(401, {"error": "invalid_token"})
    return Response(200, {"Content-Type": "text/plain"}, f"hello {client_id}".encode())


def _json(status: int, value: object) -> Response:
    return Response(status, {"Content-Type": "application/json"}, json.dumps(value).encode())
