"""The hosts that :mod:`local.proxy` answers for: the local Entra and Key Vault, and services that take their tokens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import jwt

from azure_certvar_credential.testing import KeyVaultEmulator, Request, Response
from local import oidc, replies
from local.blob import SAS, Account
from local.proxy import LOOPBACK, Answer
from local.scene import Scene, say

_BLOB = "contoso.blob.core.windows.net"
VARIABLES = (
    oidc.VARIABLES
    | replies.VARIABLES
    | {
        "STORAGE_ACCOUNT_URL": f"https://{_BLOB}",
        "TOKEN_CONTAINER_URL": f"https://{_BLOB}/tokens?sig={SAS}",
        "KEY_VAULT_URL": "https://contoso.vault.azure.net",
        "KEY_VAULT_CERTIFICATE": "app",
        "ORDERS_SCOPE": "api://protected/Orders.Read",
    }
)


def hosts(scene: Scene) -> dict[str, Answer]:
    """Return what answers for each host name."""
    vault, account = KeyVaultEmulator(scene.entra, name="contoso"), Account()
    vault.add_certificate("app", scene.renewed, exportable=False)
    tables = {
        host: _verified(scene, host, audience, _Table(table)) for host, (audience, table) in replies.REPLIES.items()
    }
    return tables | {
        "login.microsoftonline.com": _named("login.microsoftonline.com is the local Entra", scene.entra.handle),
        "idp.contoso.example": _named("idp.contoso.example is a stand-in", oidc.Provider(scene).answer),
        "orders.contoso.example": _named("orders.contoso.example is a stand-in", oidc.greet),
        LOOPBACK: scene.entra.handle,
        "contoso.vault.azure.net": _named("contoso.vault.azure.net is the local Key Vault", vault.handle),
        _BLOB: _verified(scene, _BLOB, "https://storage.azure.com", account.answer),
    }


def _named(what: str, answer: Answer) -> Answer:
    """Return what answers as ``answer`` does, which verifies assertions or tokens itself, and says what it is."""

    def answered(request: Request) -> Response:
        say(what)
        return answer(request)

    return answered


class _Table:
    """Answers from a table of JSON values by method and path."""

    def __init__(self, replies: Mapping[str, Any]) -> None:
        self._replies = replies

    def __call__(self, request: Request) -> Response:
        asked = f"{request.method} {request.path.replace('//', '/')}"
        if asked not in self._replies:
            return _json(404, {"error": {"code": "NotFound", "message": f"--local has no {asked}"}})
        return _json(200, self._replies[asked])


def _verified(scene: Scene, host: str, audience: str, answer: Answer) -> Answer:
    """Return what answers requests with a valid token as ``answer`` does, and others with 401."""

    def checked(request: Request) -> Response:
        try:
            scene.verify(request.headers.get("authorization", "").removeprefix("Bearer "), audience)
        except jwt.InvalidTokenError as error:
            # A shared access signature has the place of a token.
            if request.query.get("sig") != SAS and not request.path.startswith(replies.PUBLIC):
                return _json(401, {"error": {"code": "InvalidAuthenticationToken", "message": str(error)}})
            say(f"{host} is a stand-in")
        else:
            say(f"{host} is a stand-in; it verified the token")
        return answer(request)

    return checked


def _json(status: int, value: object) -> Response:
    return Response(status, {"Content-Type": "application/json"}, json.dumps(value).encode())
