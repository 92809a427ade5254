"""A resource behind the tokens: it takes them as a real one does, and can ask for more with a claims challenge.

https://learn.microsoft.com/entra/identity-platform/claims-challenge
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass

import jwt

from azure_certvar_credential.testing.http import Conditions, Request, Response, respond_json
from azure_certvar_credential.testing.model import Directory
from azure_certvar_credential.testing.tokens import TokenIssuer, parse_claims_request, resource_client_id, signing_key

PROTECTED_RESOURCE = "api://protected"
"""The resource that ``/protected`` stands for: its scope is ``api://protected/.default``."""

_SHOWN = ("aud", "iss", "oid", "roles", "tid", "ver", "xms_cc")


@dataclass(frozen=True, slots=True)
class _Challenge:
    claims: str
    requested: Mapping[str, object]
    since: int


class ProtectedResource:
    """Answers the requests below ``/protected``; safe between threads."""

    def __init__(self, directory: Directory, issuer: TokenIssuer) -> None:
        self._directory = directory
        self._issuer = issuer
        self._lock = threading.Lock()
        self._challenge: _Challenge | None = None

    def challenge_next(self, claims: str) -> None:
        """Take no token any more that was not issued, from now on, in answer to ``claims``.

        :param claims: a claims request, JSON.
        :raises ValueError: it is none, or it asks for nothing.
        """
        requested = parse_claims_request(claims)
        if not requested:
            raise ValueError("the claims have no access_token member, so there is nothing to ask for")
        with self._lock:
            self._challenge = _Challenge(claims, requested, self._issuer.count)

    def answer(self, request: Request, conditions: Conditions) -> Response:
        """Answer a request: 200 with who the caller is, or 401 with a challenge."""
        if request.method != "GET":
            return respond_json(conditions, 405, {"error": "method_not_allowed"}, headers={"Allow": "GET"})
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return _unauthorized(request, conditions, "")
        try:
            claims = self._verify(token.strip(), conditions.now)
        except jwt.InvalidTokenError as error:
            return _unauthorized(request, conditions, f', error="invalid_token", error_description="{_said(error)}"')
        with self._lock:
            challenge = self._challenge
        # A real resource asks only callers that say CP1; the others would have to wait until their token expires.
        if challenge and not self._issuer.answers(claims["uti"], challenge.requested, challenge.since):
            encoded = base64.b64encode(challenge.claims.encode()).decode()
            return _unauthorized(
                request, conditions, f', error="insufficient_claims", claims="{encoded}"', 'realm="", '
            )
        caller = {"appid": claims.get("appid", claims.get("azp")), "path": request.path}
        return respond_json(conditions, 200, caller | {name: claims[name] for name in _SHOWN if name in claims})

    def _verify(self, token: str, now: float) -> dict[str, object]:
        claims: dict[str, object] = jwt.decode(
            token,
            signing_key().private_key.public_key(),
            algorithms=["RS256"],
            audience=[PROTECTED_RESOURCE, resource_client_id(PROTECTED_RESOURCE)],
            # PyJWT only knows the computer's clock, and the emulator has its own.
            options={"verify_exp": False, "verify_nbf": False, "verify_iat": False, "require": ["exp", "nbf", "uti"]},
        )
        if not float(str(claims["nbf"])) <= now < float(str(claims["exp"])):
            raise jwt.ExpiredSignatureError("the token is not valid at this time")
        if self._directory.tenant(str(claims.get("tid"))) is None:
            raise jwt.InvalidIssuerError("the token is of an unknown tenant")
        return claims


def _said(error: jwt.InvalidTokenError) -> str:
    # Inside a quoted-string (RFC 9110 section 5.6.4).
    return str(error).replace("\\", "").replace('"', "'")


def _unauthorized(request: Request, conditions: Conditions, more: str, first: str = "") -> Response:
    uri = f"{request.base}/common/oauth2/authorize"
    challenge = f'Bearer {first}authorization_uri="{uri}"{more}'
    return respond_json(conditions, 401, {"error": "unauthorized"}, headers={"WWW-Authenticate": challenge})


def default_challenge(now: float) -> str:
    """The claims challenge of a revoked session, as Microsoft's services send it: a token not older than ``now``."""
    return json.dumps({"access_token": {"nbf": {"essential": True, "value": str(int(now))}}}, separators=(",", ":"))
