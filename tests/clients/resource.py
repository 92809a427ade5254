"""A stand-in for the services of Azure that no emulator exists for: it verifies the caller's token and answers a table.

It listens on loopback TLS. Each request needs a token of the local Entra for the audience that the service has in
Azure: joserfc verifies the signature under the keys that Entra publishes, then audience, issuer and times. Of this
package it uses nothing. What it answers is the least that the client needs to go on.
"""

from __future__ import annotations

import json
import re
import ssl
import threading
import time
import urllib.request
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from tests.real.servers.https import HttpsServer, Request, Response

_JSON: Final = {"Content-Type": "application/json"}
_CHALLENGE: Final = 'Bearer authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"'


@dataclass(frozen=True, slots=True)
class Answer:
    """What the stand-in answers.

    :ivar asked: a regular expression for the method and the path, such as ``GET /users``; it has to match them whole.
    :ivar body: JSON, or the octets of another body.
    :ivar headers: header fields besides those that the body brings.
    :ivar public: whether it needs no token, as metadata does.
    """

    asked: str
    body: Any = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    public: bool = False

    def response(self, base: str) -> Response:
        """The HTTP response; ``{base}`` in header fields and JSON texts is the stand-in's URL."""
        octets = isinstance(self.body, bytes)
        body = self.body if octets else json.dumps(self.body).replace("{base}", base).encode()
        headers = {name: value.replace("{base}", base) for name, value in self.headers.items()}
        return Response(self.status, headers if octets else {**_JSON, **headers}, body)


@dataclass(frozen=True, slots=True)
class Call:
    """A request as the stand-in saw it.

    :ivar asked: the method and the path.
    :ivar status: the status of the answer.
    :ivar claims: the claims of the token; empty if it was not valid.
    """

    asked: str
    status: int
    claims: Mapping[str, Any] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class KeyRing:
    """The keys of the local Entra, and what they verify.

    :param url: scheme, host and port of the local Entra.
    :param trust: the client context for it.
    :ivar key_set: the JWK set that it publishes.
    """

    def __init__(self, url: str, trust: ssl.SSLContext) -> None:
        # A proxy of the machine has no way to this loopback port.
        opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=trust), urllib.request.ProxyHandler({})
        )
        with opener.open(f"{url}/common/discovery/v2.0/keys", timeout=30) as response:
            self.key_set: dict[str, Any] = json.load(response)
        self._keys = KeySet.import_key_set(self.key_set)

    def verify(self, token: str, audience: str) -> dict[str, Any]:
        """Return the claims of an access token.

        :param audience: the resource it has to be for, with or without a slash at its end.
        :raises JoseError: it is not valid, for another audience, or of another issuer.
        """
        decoded = jwt.decode(token, self._keys, algorithms=["RS256"])
        claims = decoded.claims
        jwt.JWTClaimsRegistry(
            now=int(time.time()),
            aud={"essential": True, "values": [audience.rstrip("/"), f"{audience.rstrip('/')}/"]},
            iss={"essential": True, "value": f"https://sts.windows.net/{claims.get('tid')}/"},
            exp={"essential": True},
            nbf={"essential": True},
        ).validate(claims)
        return claims


class Resource:
    """One service at a time, on loopback TLS while its server is open.

    :param tls: a server context with the certificate for ``localhost``.
    :param keys: what verifies the tokens.
    :ivar server: a context manager.
    :ivar url: ``https://localhost:PORT``.
    """

    def __init__(self, tls: ssl.SSLContext, keys: KeyRing) -> None:
        self._keys = keys
        self._lock = threading.Lock()
        self.server = HttpsServer(tls, self._answer)
        self.url = f"https://localhost:{self.server.port}"
        self.play("nobody plays yet")

    def play(self, audience: str, *answers: Answer) -> Resource:
        """Be the service of an audience, which has had no calls yet; the first answer that fits a request is given."""
        with self._lock:
            self._audience, self._answers, self._calls = audience, answers, list[Call]()
            self._challenge: str | None = None
        return self

    def challenge(self, claims: str) -> None:
        """Refuse all tokens that were issued until now, with the claims challenge of continuous access evaluation.

        :param claims: the claims request, JSON.
        """
        with self._lock:
            self._challenge = claims
            self._refused = {call.claims["uti"] for call in self._calls if call.claims}

    @property
    def calls(self) -> Sequence[Call]:
        """The requests so far, oldest first."""
        with self._lock:
            return tuple(self._calls)

    @property
    def asked(self) -> list[str]:
        """Method and path of the requests with a valid token, and the status of an answer that is an error."""
        valid = (call for call in self.calls if call.claims)
        return [call.asked if call.status < 400 else f"{call.asked} {call.status}" for call in valid]

    def _answer(self, request: Request) -> Response:
        asked = f"{request.method} {urlsplit(request.target).path}"
        for answer in self._answers:
            if answer.public and re.fullmatch(answer.asked, asked):
                return answer.response(self.url)
        claims: Mapping[str, Any] = {}
        try:
            token = _token(request.headers.get("authorization", ""))
            claims = self._keys.verify(token, self._audience)
            response = self._challenged(claims) or self._respond(asked)
        except (JoseError, ValueError) as error:
            response = _refusal(401, str(error), {"WWW-Authenticate": _CHALLENGE})
        with self._lock:
            self._calls.append(Call(asked, response.status, claims, request.headers, request.body))
        return response

    def _respond(self, asked: str) -> Response:
        for answer in self._answers:
            if re.fullmatch(answer.asked, asked):
                return answer.response(self.url)
        return _refusal(404, f"nobody expected {asked}", {})

    def _challenged(self, claims: Mapping[str, Any]) -> Response | None:
        if self._challenge is None or claims["uti"] not in self._refused:
            return None
        encoded = b64encode(self._challenge.encode()).decode()
        header = f'{_CHALLENGE}, error="insufficient_claims", claims="{encoded}"'
        return _refusal(401, "the token was revoked", {"WWW-Authenticate": header})


def _token(authorization: str) -> str:
    """The token of a header; empty, which joserfc refuses, if there is none."""
    # Cosmos DB has a scheme of its own.
    found = re.fullmatch(r"(?:[Bb]earer |type=aad&ver=1\.0&sig=)(\S+)", unquote(authorization))
    return found[1] if found else ""


def _refusal(status: int, message: str, headers: Mapping[str, str]) -> Response:
    body = {"error": {"code": str(status), "message": message}}
    return Response(status, {**_JSON, **headers}, json.dumps(body).encode())
