"""Answers that a vault seldom gives: put into the local vault's mouth, read by Azure's own clients."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from azure_certvar_credential.exceptions import (
    KeyVaultError,
    KeyVaultNotFoundError,
    KeyVaultPermissionError,
    KeyVaultSecretError,
)
from azure_certvar_credential.keyvault.guard import GuardedCredential
from azure_certvar_credential.testing import Fault, Request
from azure_certvar_credential.testing.key_vault.access import VaultError
from tests.keyvault.conftest import Scene
from tests.testing.key_vault.kit import pair


def refusal(*arguments: Any, **options: Any) -> Fault:
    error = VaultError(*arguments, **options)
    return Fault("refusal", lambda _serve, conditions: error.response(conditions))


def edited(edit: Callable[[dict[str, Any]], dict[str, Any]]) -> Fault:
    """Change the JSON of an answer."""

    def apply(serve: Any, conditions: Any) -> Any:
        response = serve(conditions)
        body = json.dumps(edit(response.json())).encode()
        return replace(response, headers={**response.headers, "Content-Length": str(len(body))}, body=body)

    return Fault("edited", apply)


def newest(request: Request) -> bool:
    return request.path == "/certificates/app/" and "authorization" in request.headers


def without_policy(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "policy"}


async def test_a_newest_version_that_is_not_even_shown_is_passed_over(scene: Scene) -> None:
    scene.vault.add_certificate("app", pair())
    scene.vault.add_certificate("app", pair("other"), enabled=False)
    refused = refusal(
        403, "Forbidden", "Operation get is not allowed on a disabled certificate.", "CertificateDisabled"
    )
    scene.vault.inject(refused, when=newest)

    assert await scene.read() == pair()


@pytest.mark.parametrize("exportable", [True, False])
async def test_without_a_policy_the_secret_tells_whether_the_key_may_leave(scene: Scene, exportable: bool) -> None:
    scene.vault.add_certificate("app", pair(), exportable=exportable)
    scene.vault.inject(edited(without_policy), when=newest)

    assert await scene.token(scene.source())

    assert ("keys/sign" in scene.used) is not exportable


async def test_a_version_from_before_the_policy_allowed_export_is_named(scene: Scene) -> None:
    first = scene.vault.add_certificate("app", pair(), exportable=False)

    def exportable(body: dict[str, Any]) -> dict[str, Any]:
        body["policy"]["key_props"]["exportable"] = True
        return body

    scene.vault.inject(edited(exportable))

    with pytest.raises(KeyVaultSecretError, match="older than that policy"):
        await scene.read(version=first)


async def test_a_certificate_that_is_no_der_is_named(scene: Scene) -> None:
    scene.vault.add_certificate("app", pair())
    scene.vault.inject(edited(lambda body: {**body, "cer": "AAAA"}))

    with pytest.raises(KeyVaultError, match=r"not X\.509 in DER"):
        await scene.read()


async def test_a_token_that_the_vault_does_not_take_is_named(scene: Scene) -> None:
    challenge = {"WWW-Authenticate": f'Bearer authorization="https://login.windows.net/{scene.reader.tenant_id}", '}
    challenge["WWW-Authenticate"] += 'resource="https://vault.azure.net"'
    scene.vault.inject(refusal(401, "Unauthorized", "AKV10032: Invalid issuer.", headers=challenge), times=None)

    with pytest.raises(KeyVaultPermissionError, match=r"same tenant and cloud.*AKV10032") as caught:
        await scene.read()

    assert caught.value.status_code == 401


async def test_any_other_refusal_is_passed_on_in_the_vaults_words(scene: Scene) -> None:
    scene.vault.inject(refusal(400, "BadParameter", "The request URI contains an invalid name."), times=None)

    with pytest.raises(KeyVaultError, match=r"HTTP 400, BadParameter: The request URI") as caught:
        await scene.read()

    assert not isinstance(caught.value, KeyVaultNotFoundError)
    assert caught.value.code == "BadParameter"


async def test_a_credential_that_fails_in_its_own_way_is_named(scene: Scene) -> None:
    class Broken:
        def get_token(self, *scopes: str, **options: Any) -> Any:
            raise RuntimeError("the metadata service is not there")

    class AsyncBroken:
        async def get_token(self, *scopes: str, **options: Any) -> Any:
            raise RuntimeError("the metadata service is not there")

    with pytest.raises(KeyVaultError, match="RuntimeError: the metadata service is not there"):
        await scene.read(credential=Broken() if scene.kind == "sync" else AsyncBroken())


class Asked:
    """A credential that notes what it is asked for."""

    other = "anything else"

    def __init__(self) -> None:
        self.scopes: list[str] = []

    def get_token(self, *scopes: str, **options: Any) -> str:
        self.scopes += scopes
        return f"token {options}"


@pytest.mark.parametrize(
    ("url", "scope"),
    [
        ("https://contoso.vault.azure.net", "https://vault.azure.net/.default"),
        ("https://CONTOSO.vault.azure.net:443", "https://vault.azure.net/.default"),
        ("https://contoso.vault.azure.cn/keys/app/1", "https://vault.azure.cn/.default"),
        ("https://contoso.managedhsm.azure.net", "https://managedhsm.azure.net/.default"),
    ],
)
def test_the_guard_lets_a_vault_have_tokens_for_its_service(url: str, scope: str) -> None:
    guarded: Any = GuardedCredential(Asked(), url)

    assert guarded.get_token(scope, tenant_id="t") == "token {'tenant_id': 't'}"
    assert guarded.other == "anything else"
    assert not hasattr(guarded, "get_token_info")


@pytest.mark.parametrize(
    ("url", "scope"),
    [
        ("https://vault.example.com", "https://vault.azure.net/.default"),
        ("https://evilvault.azure.net", "https://vault.azure.net/.default"),
        ("https://contoso.vault.azure.net", "https://management.azure.com/.default"),
        ("https://contoso.vault.azure.net", "https://graph.microsoft.com/.default"),
        ("https://contoso.vault.azure.net", "nonsense"),
        ("https://contoso.vault.azure.net", ""),
    ],
)
def test_the_guard_lets_nobody_have_tokens_for_another_service(url: str, scope: str) -> None:
    inner = Asked()

    with pytest.raises(ValueError, match="verify_challenge_resource"):
        GuardedCredential(inner, url).get_token(scope)

    assert not inner.scopes
