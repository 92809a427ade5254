"""A protected resource, which verifies access tokens as a real one does and can send claims challenges.

https://learn.microsoft.com/entra/identity-platform/claims-challenge
"""

from __future__ import annotations

import base64
import threading

import jwt

from azure_certvar_credential.testing.entra.claims import Challenge, make_challenge, write_claims
from azure_certvar_credential.testing.entra.directory.resources import resource_client_id
from azure_certvar_credential.testing.entra.directory.store import Directory
from azure_certvar_credential.testing.entra.tokens import TokenIssuer
from azure_certvar_credential.testing.http import Conditions, Request, Response, respond_json
from azure_certvar_credential.testing.signing import signing_key

PROTECTED_RESOURCE = "api://protected"
"""The identifier of the resource at ``/protected``; its scope is ``api://protected/.default``."""

USER_PATH = "/protected/user"
"""This path accepts only delegated tokens; the next segment, if any, names the permission that they need."""

_SHOWN = ("aud", "iss", "name", "oid", "preferred_username", "roles", "scp", "tid", "upn", "ver", "xms_cc")


class ProtectedResource:
    """Answers the requests below ``/protected``; thread-safe."""

    def __init__(self, directory: Directory, issuer: TokenIssuer) -> None:
        self._directory = directory
        self._issuer = issuer
        self._lock = threading.Lock()
        self._challenge: Challenge | None = None

    def challenge_next(self, claims: str) -> None:
        """Accept only tokens that are issued from now on in answer to ``claims``.

        :param claims: a claims request, JSON.
        :raises ValueError: the claims request is not JSON or is empty.
        """
        challenge = make_challenge(claims, self._issuer.count)
        with self._lock:
            self._challenge = challenge

    def answer(self, request: Request, conditions: Conditions) -> Response:
        """Answer 200 with the caller's identity, 401 with a challenge, or 403 if the token lacks the permission."""
        if request.method != "GET":
            return respond_json(conditions, 405, {"error": "method_not_allowed"}, headers={"Allow": "GET"})
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return _refused(request, conditions, "")
        try:
            claims = self._verify(token.strip(), conditions.now)
        except jwt.InvalidTokenError as error:
            return _refused(request, conditions, f', error="invalid_token", error_description="{_quoted(str(error))}"')
        with self._lock:
            challenge = self._challenge
        # A real resource challenges only CP1 clients; others would have to wait until their token expires.
        if challenge and not self._issuer.answers(claims["uti"], challenge):
            encoded = base64.b64encode(challenge.claims.encode()).decode()
            return _refused(
                request, conditions, f', error="insufficient_claims", claims="{encoded}"', first='realm="", '
            )
        needed = _permission(request.path)
        if needed is not None:
            # RFC 6750 section 3.1: "The request requires higher privileges than provided by the access token."
            granted = str(claims.get("scp", "")).split()
            if not granted or needed not in ("", *granted):
                wanted = f', scope="{_quoted(needed)}"' if needed else ""
                return _refused(request, conditions, f', error="insufficient_scope"{wanted}', status=403)
        caller = {"appid": claims.get("appid", claims.get("azp")), "path": request.path}
        return respond_json(conditions, 200, caller | {name: claims[name] for name in _SHOWN if name in claims})

    def _verify(self, token: str, now: float) -> dict[str, object]:
        claims: dict[str, object] = jwt.decode(
            token,
            signing_key().private_key.public_key(),
            algorithms=["RS256"],
            audience=[PROTECTED_RESOURCE, resource_client_id(PROTECTED_RESOURCE)],
            # PyJWT checks times by the computer's clock; the emulator has its own.
            options={"verify_exp": False, "verify_nbf": False, "verify_iat": False, "require": ["exp", "nbf", "uti"]},
        )
        if not float(str(claims["nbf"])) <= now < float(str(claims["exp"])):
            raise jwt.ExpiredSignatureError("the token is not valid at this time")
        if self._directory.tenant(str(claims.get("tid"))) is None:
            raise jwt.InvalidIssuerError("the token's tenant is unknown")
        return claims


def _permission(path: str) -> str | None:
    """The permission that ``path`` needs; empty for any permission, None if app-only tokens are accepted too."""
    if path == USER_PATH:
        return ""
    return path.removeprefix(f"{USER_PATH}/").partition("/")[0] if path.startswith(f"{USER_PATH}/") else None


def _quoted(text: str) -> str:
    # For a quoted-string (RFC 9110 section 5.6.4).
    return text.replace("\\", "").replace('"', "'")


def _refused(request: Request, conditions: Conditions, more: str, *, first: str = "", status: int = 401) -> Response:
    uri = f"{request.base}/common/oauth2/authorize"
    challenge = f'Bearer {first}authorization_uri="{uri}"{more}'
    error = "unauthorized" if status == 401 else "forbidden"
    return respond_json(conditions, status, {"error": error}, headers={"WWW-Authenticate": challenge})


def default_challenge(now: float) -> str:
    """The claims challenge that Microsoft's services send for a revoked session: a token no older than ``now``."""
    return write_claims("nbf", value=str(int(now)))
