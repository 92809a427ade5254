"""What a vault, its clients and its transport write holds neither the vault's token nor a password of the options."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.core.pipeline.transport import AsyncHttpTransport, HttpTransport

from azure_certvar_credential.exceptions import KeyVaultError
from azure_certvar_credential.testing import Fault, Request
from azure_certvar_credential.testing.http import respond
from tests.keyvault.conftest import Scene
from tests.reporters import reported
from tests.testing.key_vault.kit import pair

PASSWORD, HEADER = "pa55-of-the-proxy", "key-in-a-header"
OPTIONS: dict[str, Any] = {
    "proxies": {"https": f"http://user:{PASSWORD}@proxy.example:8080"},
    "headers": {"Ocp-Apim-Subscription-Key": HEADER},
    "retry_total": 0,
}


def _quoted(token: str) -> str:
    encoded = base64.b64encode(PASSWORD.encode()).decode()
    return f"via http://user:{PASSWORD}@proxy.example:8080 ({encoded}) with {HEADER} and Bearer {token}"


class _Broken:
    """A transport that fails with what it knows once the vault has challenged; its part of both kinds.

    :param fails: makes the exception of a text.
    """

    def __init__(self, inner: Any, fails: Any) -> None:
        self.inner, self.fails = inner, fails

    def failure(self, request: Any) -> Exception | None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return self.fails(_quoted(token)) if token else None


class _Sync(_Broken, HttpTransport[Any, Any]):
    def send(self, request: Any, **options: Any) -> Any:
        failure = self.failure(request)
        if failure is not None:
            raise failure
        return self.inner.send(request, **options)

    def open(self) -> None: ...
    def close(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


class _Async(_Broken, AsyncHttpTransport[Any, Any]):
    async def send(self, request: Any, **options: Any) -> Any:
        failure = self.failure(request)
        if failure is not None:
            raise failure
        return await self.inner.send(request, **options)

    async def open(self) -> None: ...
    async def close(self) -> None: ...
    async def __aexit__(self, *_: object) -> None: ...


class _OtherError(Exception):
    """Neither azure-core's nor Python's."""


@pytest.mark.parametrize(
    "fails", [ServiceRequestError, ServiceResponseError, HttpResponseError, ClientAuthenticationError, _OtherError]
)
async def test_a_transport_that_quotes_what_it_knows(scene: Scene, fails: Any) -> None:
    scene.vault.add_certificate("app", pair())
    kind = _Sync if scene.kind == "sync" else _Async
    tokens: list[str] = []

    def failing(text: str) -> Exception:
        tokens.append(text.rpartition(" ")[2])
        return fails(text)  # type: ignore[no-any-return]

    with pytest.raises(KeyVaultError) as caught:
        await scene.read(transport=kind(scene.vault_transport(), failing), **OPTIONS)

    assert tokens
    _assert_silent(caught.value, tokens[0])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 503])
async def test_a_vault_that_quotes_what_it_got(scene: Scene, status: int) -> None:
    scene.vault.add_certificate("app", pair())
    tokens: list[str] = []

    def has_token(request: Request) -> bool:
        tokens.extend(value.removeprefix("Bearer ") for value in [request.headers.get("authorization")] if value)
        return bool(tokens)

    def answer(_: Any, conditions: Any) -> Any:
        text = _quoted(tokens[0])
        body = json.dumps({"error": {"code": text[:80], "message": text, "innererror": {"code": tokens[0]}}}).encode()
        return respond(conditions, status, body, headers={"Retry-After": HEADER})

    scene.vault.inject(Fault("quoting", answer), times=None, when=has_token)
    with pytest.raises(KeyVaultError) as caught:
        await scene.read(**OPTIONS)

    assert tokens
    _assert_silent(caught.value, tokens[0])


def _assert_silent(error: KeyVaultError, token: str) -> None:
    text = reported(error) + repr(vars(error))
    for secret in (PASSWORD, base64.b64encode(PASSWORD.encode()).decode(), HEADER, token, *token.split(".")[1:]):
        assert secret not in text
    assert "proxy.example" in text or error.status_code is not None
