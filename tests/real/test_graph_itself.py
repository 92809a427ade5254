"""Our Graph on loopback accepts and refuses what Graph does, shown without this package's credentials."""

from __future__ import annotations

import json
import re
import ssl
import time
import urllib.error
import urllib.request
import uuid
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from tests.real.servers.graph import CLIENT_ID, USERS, GraphServer
from tests.real.servers.https import HttpsServer, Request, Response
from tests.real.servers.tls import TlsFiles

TENANT: Final = str(uuid.UUID(int=3))
NOW: Final = int(time.time())


@dataclass(frozen=True, slots=True)
class Issuer:
    """An issuer of tokens whose keys are published at :attr:`jwks_uri`."""

    jwks_uri: str
    key: rsa.RSAPrivateKey
    fetched: list[str]

    def token(self, *, key: Any = None, alg: str = "RS256", kid: str | None = "k", **changes: Any) -> str:
        claims = {
            "aud": "https://graph.microsoft.com",
            "iss": f"https://sts.windows.net/{TENANT}/",
            "tid": TENANT,
            "uti": "u",
            "iat": NOW - 60,
            "nbf": NOW - 60,
            "exp": NOW + 3600,
            "xms_cc": ["CP1"],
        } | changes
        present = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(present, self.key if key is None else key, alg, {} if kid is None else {"kid": kid})


@pytest.fixture(scope="module")
def server_context(server_tls: TlsFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server_tls.certificate, server_tls.key)
    return context


@pytest.fixture(scope="module")
def issuer(server_context: ssl.SSLContext) -> Iterator[Issuer]:
    key = rsa.generate_private_key(65537, 2048)
    jwk = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": "k", "use": "sig", "alg": "RS256"}
    fetched: list[str] = []

    def answer(request: Request) -> Response:
        fetched.append(request.target)
        return Response(200, {"Content-Type": "application/json"}, json.dumps({"keys": [jwk]}).encode())

    with HttpsServer(server_context, answer) as server:
        yield Issuer(f"https://localhost:{server.port}/keys", key, fetched)


@pytest.fixture
def graph(issuer: Issuer, server_context: ssl.SSLContext, server_tls: TlsFiles) -> Iterator[GraphServer]:
    with GraphServer(server_context, jwks_uri=issuer.jwks_uri, jwks_trust=server_tls.context()) as graph:
        yield graph


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    challenge: str | None
    text: str


class Caller:
    """Calls Graph with a header of the test's choosing."""

    def __init__(self, graph: GraphServer, tls: TlsFiles) -> None:
        self._base_url = graph.base_url
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=tls.context()), urllib.request.ProxyHandler({})
        )

    def get(self, authorization: str | None, path: str = "/users", method: str = "GET") -> Answer:
        headers = {} if authorization is None else {"Authorization": authorization}
        request = urllib.request.Request(self._base_url + path, headers=headers, method=method)  # noqa: S310 - https
        try:
            with self._opener.open(request, timeout=20) as response:
                return Answer(response.status, None, response.read().decode())
        except urllib.error.HTTPError as refusal:
            with refusal:
                return Answer(refusal.code, refusal.headers["WWW-Authenticate"], refusal.read().decode())


@pytest.fixture
def caller(graph: GraphServer, server_tls: TlsFiles) -> Caller:
    return Caller(graph, server_tls)


@pytest.mark.parametrize("audience", ["https://graph.microsoft.com", "https://graph.microsoft.com/", CLIENT_ID])
@pytest.mark.parametrize("path", ["/users", "//users", "/users?$top=3"])
def test_a_token_for_graph_lists_the_users(issuer: Issuer, caller: Caller, audience: str, path: str) -> None:
    answer = caller.get(f"Bearer {issuer.token(aud=audience)}", path)

    assert answer.status == 200
    page = json.loads(answer.text)
    assert page["@odata.context"] == "https://graph.microsoft.com/v1.0/$metadata#users"
    assert [user["displayName"] for user in page["value"]] == list(USERS)


WRONG_TOKENS: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "another resource's": ({"aud": "https://storage.azure.com"}, "Audience"),
    "no audience": ({"aud": None}, "aud"),
    "expired": ({"exp": NOW - 10}, "expired"),
    "not yet valid": ({"nbf": NOW + 3600}, "not yet valid"),
    "no expiry": ({"exp": None}, "exp"),
    "another tenant's issuer": ({"iss": f"https://sts.windows.net/{uuid.UUID(int=4)}/"}, "issuer"),
    "an unknown key's id": ({"kid": "stranger"}, "stranger"),
    "no key's id": ({"kid": None}, "None"),
    "under another algorithm": ({"alg": "PS256"}, "alg"),
    "signed with a shared secret": ({"alg": "HS256", "key": "s" * 32}, "alg"),
    "not signed": ({"alg": "none", "key": ""}, "alg"),
}


@pytest.mark.parametrize(("changes", "reason"), WRONG_TOKENS.values(), ids=WRONG_TOKENS)
def test_any_other_token_is_refused(
    issuer: Issuer, graph: GraphServer, caller: Caller, changes: dict[str, Any], reason: str
) -> None:
    answer = caller.get(f"Bearer {issuer.token(**changes)}")

    assert answer.status == 401
    assert reason in json.loads(answer.text)["error"]["message"]
    assert answer.challenge is not None
    assert "claims" not in answer.challenge
    assert [(call.status, call.token_id) for call in graph.calls] == [(401, None)]


def test_another_key_under_the_issuers_id_is_refused(issuer: Issuer, caller: Caller) -> None:
    stranger = rsa.generate_private_key(65537, 2048)

    answer = caller.get(f"Bearer {issuer.token(key=stranger)}")

    assert answer.status == 401
    assert "Signature" in answer.text


@pytest.mark.parametrize("authorization", [None, "", "Bearer ", "Basic dTpw", "Bearer not.a.token"])
def test_a_request_without_a_bearer_token_is_refused(caller: Caller, authorization: str | None) -> None:
    assert caller.get(authorization).status == 401


@pytest.mark.parametrize(("path", "method", "status"), [("/groups", "GET", 404), ("/users", "POST", 405)])
def test_nothing_but_users_is_served(issuer: Issuer, caller: Caller, path: str, method: str, status: int) -> None:
    assert caller.get(f"Bearer {issuer.token()}", path, method).status == status


def test_a_revoked_token_is_challenged_as_graph_does(issuer: Issuer, graph: GraphServer, caller: Caller) -> None:
    claims = graph.revoke(NOW - 30)

    for _ in range(2):  # not once: until there is a newer token
        answer = caller.get(f"Bearer {issuer.token()}")
        assert answer.status == 401
        assert answer.challenge is not None
        challenge = re.fullmatch(
            r'Bearer realm="", authorization_uri="https://login\.microsoftonline\.com/common/oauth2/authorize", '
            rf'client_id="{CLIENT_ID}", error="insufficient_claims", claims="([^"]+)"',
            answer.challenge,
        )
        assert challenge is not None
        assert b64decode(challenge[1]).decode() == claims
    assert json.loads(claims) == {"access_token": {"nbf": {"essential": True, "value": str(NOW - 30)}}}
    assert caller.get(f"Bearer {issuer.token(nbf=NOW - 30)}").status == 200
    assert graph.unauthorized == 2


def test_a_client_that_does_not_understand_challenges_is_sent_none(
    issuer: Issuer, graph: GraphServer, caller: Caller
) -> None:
    graph.revoke(NOW - 30)

    answer = caller.get(f"Bearer {issuer.token(xms_cc=None)}")

    assert answer.status == 401
    assert answer.challenge is not None
    assert "claims" not in answer.challenge


def test_the_keys_are_fetched_once(issuer: Issuer, caller: Caller) -> None:
    issuer.fetched.clear()

    for _ in range(3):
        assert caller.get(f"Bearer {issuer.token()}").status == 200

    assert issuer.fetched == ["/keys"]
