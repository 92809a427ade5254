"""The floor: the least that a hand-written credential over azure-core's pipeline does for a token.

The protocol of RFC 7523 section 2.2 and Entra's profile of it, and nothing else: no check of an argument, no proof that
key and certificate belong together, no retry, no refresh in the background, no single flight, no deadline, no secret
kept out of a message. What a credential costs beyond this is the price of what it promises.

https://learn.microsoft.com/entra/identity-platform/certificate-credentials
"""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from base64 import urlsafe_b64encode
from typing import Any

from azure.core.credentials import AccessToken
from azure.core.pipeline import Pipeline
from azure.core.pipeline.policies import HeadersPolicy, UserAgentPolicy
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate

_SHA256 = hashes.SHA256()
# PS256: RFC 7518 section 3.5.
_PSS = padding.PSS(padding.MGF1(_SHA256), _SHA256.digest_size)


class FloorCredential:
    """A ``TokenCredential`` for one application."""

    def __init__(
        self,
        tenant_id: str,
        client_id: str,
        *,
        certificate_data: bytes,
        authority: str,
        connection_verify: str,
        **_: Any,
    ) -> None:
        key = load_pem_private_key(certificate_data, None, unsafe_skip_rsa_key_validation=True)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError("an RSA key is needed")
        thumbprint = hashlib.sha256(load_pem_x509_certificate(certificate_data).public_bytes(Encoding.DER)).digest()
        self._tenant_id, self._client_id, self._authority, self._key = tenant_id, client_id, authority, key
        self._header = _encoded({"alg": "PS256", "typ": "JWT", "x5t#S256": _base64url(thumbprint)})
        self._transport = RequestsTransport(connection_verify=connection_verify)
        self._pipeline: Pipeline[Any, Any] = Pipeline(self._transport, [HeadersPolicy(), UserAgentPolicy()])
        self._tokens: dict[tuple[str, ...], AccessToken] = {}

    def get_token(self, *scopes: str, tenant_id: str | None = None, **_: Any) -> AccessToken:
        """Return a token, from memory if it lives for another five minutes."""
        key, now = (tenant_id or self._tenant_id, *scopes), time.time()
        token = self._tokens.get(key)
        if token is None or token.expires_on - now < 300:
            endpoint = f"{self._authority}/{tenant_id or self._tenant_id}/oauth2/v2.0/token"
            form = {
                "grant_type": "client_credentials",
                "client_id": self._client_id,
                "scope": " ".join(scopes),
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                "client_assertion": self._assertion(endpoint, int(now)),
            }
            response = self._pipeline.run(HttpRequest("POST", endpoint, data=form)).http_response
            response.raise_for_status()
            answer = response.json()
            token = self._tokens[key] = AccessToken(answer["access_token"], int(now) + int(answer["expires_in"]))
        return token

    def _assertion(self, audience: str, now: int) -> str:
        claims = {
            "aud": audience,
            "iss": self._client_id,
            "sub": self._client_id,
            "jti": str(uuid.uuid4()),
            "iat": now,
            "nbf": now,
            "exp": now + 600,
        }
        signed = f"{self._header}.{_encoded(claims)}"
        return f"{signed}.{_base64url(self._key.sign(signed.encode(), _PSS, _SHA256))}"

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def __enter__(self) -> FloorCredential:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _encoded(value: dict[str, object]) -> str:
    return _base64url(json.dumps(value, separators=(",", ":")).encode())


def _base64url(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()
