"""Call an API of any OpenID provider with requests, httpx or authlib; the certificate signs each client assertion.

Install, in a clone of this repository:

    pip install '.[testing]' authlib httpx requests

Set in the environment, or run it with --local:

    OIDC_ISSUER      the provider's issuer, such as https://idp.example.com
    OIDC_SCOPE       what the tokens are for
    API_URL          what to call with them
    AZURE_CLIENT_ID  the client's id at the provider
    APP_CERT         certificate and private key, PEM or base64 of a PFX

It prints what the API answers to each client:

    requests: …
    httpx: …
    authlib: …
"""

import os
import sys
from typing import Any

import httpx
import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT

import local
from azure_certvar_credential import CertVarCredential

if "--local" in sys.argv:
    local.start()
issuer, scope, client_id = os.environ["OIDC_ISSUER"], os.environ["OIDC_SCOPE"], os.environ["AZURE_CLIENT_ID"]
url, certificate = os.environ["API_URL"], os.environ["APP_CERT"]
credential = CertVarCredential("none.example", client_id, certificate, oidc_authority=issuer)
token = credential.token_provider(scope)  # a function: each call returns the token in the cache, or a new one


def bearer(request: Any) -> Any:
    """Authorise a request; both requests and httpx take a function for that."""
    request.headers["Authorization"] = f"Bearer {token()}"
    return request


class CertificateJWT(PrivateKeyJWT):  # type: ignore[misc] # authlib has no types; it asks for the assertion alone
    def sign(self, auth: object, token_endpoint: str) -> str:  # noqa: ARG002 - authlib's signature
        return credential.client_assertion()


print("requests:", requests.get(url, auth=bearer, timeout=30).text)
print("httpx:", httpx.get(url, auth=bearer).text)
session = OAuth2Session(client_id, "", scope=scope, token_endpoint_auth_method=CertificateJWT.name)
session.register_client_auth_method(CertificateJWT())
session.fetch_token(requests.get(f"{issuer}/.well-known/openid-configuration", timeout=30).json()["token_endpoint"])
print("authlib:", session.get(url).text)
