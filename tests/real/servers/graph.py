"""Microsoft Graph on loopback, as far as a directory's list of users: the resource server for the real msgraph-sdk.

It takes a bearer token as Graph does (RFC 6750 section 2.1): the signature is verified with PyJWT under a key that it
fetches from the issuer's JWKS endpoint over TLS, then audience, times and issuer. Of this package it uses nothing.

When sessions are revoked, it answers an older token with the claims challenge of continuous access evaluation, and goes
on to do so until it is given a newer one: https://learn.microsoft.com/entra/identity-platform/claims-challenge.
"""

from __future__ import annotations

import json
import ssl
import threading
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final
from urllib.parse import urlsplit

import jwt

from tests.real.servers.https import IDLE_SECONDS, HttpsServer, Request, Response

RESOURCE: Final = "https://graph.microsoft.com"
CLIENT_ID: Final = "00000003-0000-0000-c000-000000000000"
USERS: Final = ("Ada Lovelace", "Grace Hopper", "Ünal Çelik")
_AUTHORIZATION_URI: Final = "https://login.microsoftonline.com/common/oauth2/authorize"
_REQUIRED: Final = ["aud", "exp", "iat", "iss", "nbf", "tid", "uti"]


@dataclass(frozen=True, slots=True)
class Call:
    """One request as the server saw it.

    :ivar status: the HTTP status of the answer.
    :ivar token_id: ``uti`` of the access token; None if the token was not valid.
    :ivar client_port: the client's TCP port, which tells connections apart.
    """

    status: int
    token_id: str | None
    client_port: int


class GraphServer:
    """Serves ``/v1.0/users`` and its ``$count`` on 127.0.0.1 over TLS while it is open; safe between threads.

    :param tls: a server context with the certificate for the host name under which clients call.
    :param jwks_uri: where the issuer of the tokens publishes its keys.
    :param jwks_trust: the client context for ``jwks_uri``.
    :ivar port: the TCP port.
    """

    def __init__(self, tls: ssl.SSLContext, *, jwks_uri: str, jwks_trust: ssl.SSLContext) -> None:
        self._keys = _Keys(jwks_uri, jwks_trust)
        self._lock = threading.Lock()
        self._calls: list[Call] = []
        self._not_before = 0
        self._meeting: threading.Barrier | None = None
        self._server = HttpsServer(tls, self._answer)
        self.port = self._server.port

    @property
    def base_url(self) -> str:
        """For a Graph client: ``https://localhost:PORT/v1.0``."""
        return f"https://localhost:{self.port}/v1.0"

    @property
    def calls(self) -> tuple[Call, ...]:
        """The requests so far, oldest first."""
        with self._lock:
            return tuple(self._calls)

    @property
    def unauthorized(self) -> int:
        """How many requests were answered with 401."""
        return sum(call.status == 401 for call in self.calls)

    def revoke(self, not_before: int) -> str:
        """Take no token any more that was issued before a time, and say so with a claims challenge.

        :param not_before: seconds since the epoch.
        :returns: the claims of the challenge, JSON.
        """
        with self._lock:
            self._not_before = not_before
        return _claims(not_before)

    def hold_until(self, count: int) -> None:
        """Answer the next requests only when so many are there, which takes as many connections.

        Without the others for 30 seconds, each is answered with 503.
        """

        def part() -> None:
            self._meeting = None

        with self._lock:
            self._meeting = threading.Barrier(count, action=part, timeout=IDLE_SECONDS)

    def __enter__(self) -> GraphServer:
        self._server.__enter__()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.__exit__(exc_type, exc_value, traceback)

    def _answer(self, request: Request) -> Response:
        meeting = self._meeting
        token_id = None
        try:
            if meeting is not None:
                meeting.wait()
            claims = self._verified(request.headers.get("authorization", ""))
            token_id = str(claims["uti"])
            response = self._serve(request, claims)
        except threading.BrokenBarrierError:
            response = _refusal(503, "serviceNotAvailable", "the other requests did not come")
        except jwt.InvalidTokenError as error:
            response = _unauthorized(str(error))
        with self._lock:
            self._calls.append(Call(response.status, token_id, request.client_port))
        return response

    def _verified(self, authorization: str) -> dict[str, Any]:
        """Return the claims of the bearer's token.

        :raises jwt.InvalidTokenError: there is none, or it is not valid here.
        """
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise jwt.InvalidTokenError("Access token is empty.")
        key = self._keys.get(jwt.get_unverified_header(token).get("kid"))
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            audience=[RESOURCE, f"{RESOURCE}/", CLIENT_ID],
            options={"require": _REQUIRED},
        )
        if claims["iss"] != f"https://sts.windows.net/{claims['tid']}/":
            raise jwt.InvalidIssuerError("Invalid issuer")
        return claims

    def _serve(self, request: Request, claims: Mapping[str, Any]) -> Response:
        with self._lock:
            not_before = self._not_before
        if claims["nbf"] < not_before:
            # A client that does not say that it understands challenges is not sent any.
            understood = "CP1" in claims.get("xms_cc", ())
            return _unauthorized("Access token was issued before its revocation.", not_before if understood else None)
        # Graph takes the second slash that the SDK joins its base URL with.
        path = urlsplit(request.target).path.replace("//", "/")
        if path not in {"/v1.0/users", "/v1.0/users/$count"}:
            return _refusal(404, "ResourceNotFound", f"Resource not found for {path}.")
        if request.method != "GET":
            return _refusal(405, "methodNotAllowed", f"{request.method} is not allowed.", {"Allow": "GET"})
        if path == "/v1.0/users":
            return _json(200, {"@odata.context": f"{RESOURCE}/v1.0/$metadata#users", "value": _users()})
        # https://learn.microsoft.com/graph/aad-advanced-queries: $count needs this header.
        if request.headers.get("consistencylevel") != "eventual":
            return _refusal(400, "Request_BadRequest", "$count is not currently supported.")
        return Response(200, {"Content-Type": "text/plain"}, str(len(USERS)).encode())


class _Keys:
    """The issuer's keys, fetched when one is asked for that is not known yet."""

    def __init__(self, uri: str, trust: ssl.SSLContext) -> None:
        self._uri = uri
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=trust),
            urllib.request.ProxyHandler({}),  # a proxy of the machine has no way to this loopback port
        )
        self._lock = threading.Lock()
        self._known: dict[str, jwt.PyJWK] = {}

    def get(self, key_id: str | None) -> jwt.PyJWK:
        """Return a key.

        :raises jwt.InvalidTokenError: the issuer has none of this id.
        """
        with self._lock:  # two hundred requests at once are content with one answer
            if key_id not in self._known:
                with self._opener.open(self._uri, timeout=IDLE_SECONDS) as response:
                    keys = jwt.PyJWKSet.from_dict(json.load(response)).keys
                self._known = {key.key_id: key for key in keys if key.key_id}
            if key_id is None or key_id not in self._known:
                raise jwt.InvalidTokenError(f"no key {key_id!r}")
            return self._known[key_id]


def _users() -> list[dict[str, str]]:
    return [
        {
            "id": f"00000000-0000-0000-0000-{number:012}",
            "displayName": name,
            "userPrincipalName": f"user{number}@contoso.onmicrosoft.com",
        }
        for number, name in enumerate(USERS, 1)
    ]


def _claims(not_before: int) -> str:
    request = {"access_token": {"nbf": {"essential": True, "value": str(not_before)}}}
    return json.dumps(request, separators=(",", ":"))


def _unauthorized(message: str, not_before: int | None = None) -> Response:
    """401, with the claims challenge for a token not older than ``not_before`` if that is given."""
    challenge = f'Bearer realm="", authorization_uri="{_AUTHORIZATION_URI}", client_id="{CLIENT_ID}"'
    if not_before is not None:
        encoded = b64encode(_claims(not_before).encode()).decode()
        challenge += f', error="insufficient_claims", claims="{encoded}"'
    return _refusal(401, "InvalidAuthenticationToken", message, {"WWW-Authenticate": challenge})


def _refusal(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
    return _json(status, {"error": {"code": code, "message": message}}, headers)


def _json(status: int, content: object, headers: Mapping[str, str] | None = None) -> Response:
    content_type = {"Content-Type": "application/json;odata.metadata=minimal;charset=utf-8"}
    return Response(status, {**content_type, **(headers or {})}, json.dumps(content, ensure_ascii=False).encode())
