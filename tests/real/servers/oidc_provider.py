"""npm's oidc-provider: an OpenID provider that nobody here wrote, and the strictest verifier of assertions at hand."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from tests.real.servers.node import Node
from tests.real.servers.process import ServerProcess
from tests.real.servers.tls import TlsFiles

TENANT_ID = "3fe1e0ab-2ffe-4e33-b4cd-8f12a44b66ad"
TOKEN_SECONDS = 3600
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_REQUEST_SECONDS = 20.0
_READY = re.compile(r'^(\{"issuer".*\})$')


@dataclass(frozen=True, slots=True)
class Answer:
    """What the provider answered: an HTTP status and a JSON body."""

    status: int
    body: dict[str, Any]


class OidcProvider:
    """A running oidc-provider; see ``oidc_provider.mjs`` for what it demands.

    :param audience: what an assertion's ``aud`` must be, ``token_endpoint`` or ``issuer``.
    :ivar authority: ``https://localhost:PORT``, to be given to a credential as ``authority``.
    :ivar tenant_id: the tenant in the path of its token endpoint.
    :ivar issuer: ``iss`` of the access tokens that it issues.
    :ivar token_endpoint: the URL of its token endpoint.
    :ivar ca_file: path of the PEM file with the authority of its TLS certificate, for ``connection_verify``.
    """

    def __init__(self, node: Node, tls: TlsFiles, directory: Path, audience: str = "token_endpoint") -> None:
        options = {
            "modules": str(node.modules),
            "cert": str(tls.certificate),
            "key": str(tls.key),
            "tenant": TENANT_ID,
            "audience": audience,
            "tokenLifetime": TOKEN_SECONDS,
        }
        script = Path(__file__).with_name("oidc_provider.mjs")
        self.process = ServerProcess("oidc-provider", [str(node.program), str(script), json.dumps(options)], directory)
        ready = json.loads(self.process.wait_for(_READY)[1])
        self.tenant_id = TENANT_ID
        self.issuer: str = ready["issuer"]
        self.token_endpoint: str = ready["token_endpoint"]
        self.authority = self.token_endpoint.removesuffix(f"/{TENANT_ID}/oauth2/v2.0/token")
        self.ca_file = str(tls.ca)
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=tls.context()),
            urllib.request.ProxyHandler({}),  # a proxy of the machine has no way to this loopback port
        )

    def register(self, *public_keys: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> str:
        """Register a client that authenticates with one of these keys (RFC 7591), and return its ``client_id``."""
        keys = [
            RSAAlgorithm.to_jwk(key, as_dict=True)
            if isinstance(key, rsa.RSAPublicKey)
            else ECAlgorithm.to_jwk(key, as_dict=True)
            for key in public_keys
        ]
        answer = self._send(
            f"{self.authority}/reg",
            json.dumps(
                {
                    "token_endpoint_auth_method": "private_key_jwt",
                    "grant_types": ["client_credentials"],
                    "response_types": [],
                    "redirect_uris": [],
                    "jwks": {"keys": keys},
                }
            ).encode(),
            "application/json",
        )
        if answer.status != 201:
            raise RuntimeError(f"oidc-provider did not register the client: {answer}")
        return str(answer.body["client_id"])

    def token(self, client_id: str, assertion: str, scope: str = "api://orders/.default") -> Answer:
        """Ask for a token with a ready-made assertion, as RFC 7523 section 2.2 says."""
        return self.post(
            {
                "grant_type": "client_credentials",
                "client_id": client_id,
                "scope": scope,
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": assertion,
            }
        )

    def post(self, form: Mapping[str, str]) -> Answer:
        """Post a form to the token endpoint."""
        return self._send(
            self.token_endpoint, urllib.parse.urlencode(form).encode(), "application/x-www-form-urlencoded"
        )

    def verified_claims(self, access_token: str, audience: str = "api://orders") -> dict[str, Any]:
        """The claims of an access token, after its signature, issuer, audience and times were verified with PyJWT."""
        with self._opener.open(f"{self.authority}/jwks", timeout=_REQUEST_SECONDS) as response:
            keys = jwt.PyJWKSet.from_dict(json.load(response))
        key = keys[jwt.get_unverified_header(access_token)["kid"]]
        claims: dict[str, Any] = jwt.decode(
            access_token, key, algorithms=["RS256"], audience=audience, issuer=self.issuer
        )
        return claims

    def _send(self, url: str, body: bytes, content_type: str) -> Answer:
        headers = {"Content-Type": content_type, "Accept": "application/json"}
        request = urllib.request.Request(url, body, headers)  # noqa: S310 - always this provider's own https URL
        try:
            with self._opener.open(request, timeout=_REQUEST_SECONDS) as response:
                return Answer(response.status, json.load(response))
        except urllib.error.HTTPError as refusal:
            with refusal:
                return Answer(refusal.code, json.load(refusal))
