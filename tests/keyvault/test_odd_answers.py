"""Rare answers of a vault, injected into the local one and read by Azure's own clients."""

from __future__ import annotations

import base64
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
    KeyVaultUnavailableError,
)
from azure_certvar_credential.testing import Fault, Request, Response
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
            raise RuntimeError("the metadata service is missing")

    class AsyncBroken:
        async def get_token(self, *scopes: str, **options: Any) -> Any:
            raise RuntimeError("the metadata service is missing")

    with pytest.raises(KeyVaultError, match="RuntimeError: the metadata service is missing"):
        await scene.read(credential=Broken() if scene.kind == "sync" else AsyncBroken())


async def test_a_certificate_of_a_version_that_does_not_exist_is_named(scene: Scene) -> None:
    scene.vault.add_certificate("app", pair())
    der = pair().public_der()
    odd = der.replace(bytes.fromhex("a003020102"), bytes.fromhex("a003020105"), 1)
    assert odd != der
    scene.vault.inject(edited(lambda body: {**body, "cer": base64.b64encode(odd).decode()}))

    with pytest.raises(KeyVaultError, match="InvalidVersion") as caught:
        await scene.read()

    assert caught.value.__context__ is None


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(scene: Scene, status: int) -> None:
    scene.vault.add_certificate("app", pair())
    elsewhere = {"Location": "https://other.vault.azure.net/elsewhere"}
    scene.vault.inject(Fault("redirect", lambda _serve, _conditions: Response(status, elsewhere)), times=None)

    with pytest.raises(KeyVaultUnavailableError, match=f"not Key Vault's.*HTTP {status}"):
        await scene.read()

    assert "/elsewhere" not in {request.path for request in scene.vault.requests}


def with_key_id(key_id: object) -> Fault:
    return edited(lambda body: {**body, "kid": key_id})


@pytest.mark.parametrize("host", ["other.vault.azure.net", "example.com", "user@example.com", "["])
async def test_the_key_is_used_in_the_vault_that_has_its_certificate(scene: Scene, host: str) -> None:
    version = scene.vault.add_certificate("app", pair(), exportable=False)
    scene.vault.inject(with_key_id(f"https://{host}/keys/app/{version}"), when=newest)

    certificate = await scene.read()

    signer: Any = certificate.signer
    assert signer.key_id == f"{scene.vault.vault_url}/keys/app/{version}"
    assert scene.used[-1] == "keys/sign"


@pytest.mark.parametrize("key_id", ["http://x/keys/app/1", "app", "https://x/keys/app", None])
async def test_what_is_no_key_of_a_certificate_is_named(scene: Scene, key_id: object) -> None:
    scene.vault.add_certificate("app", pair(), exportable=False)
    scene.vault.inject(with_key_id(key_id), when=newest)

    with pytest.raises(KeyVaultError, match="not the identifier of a key with its version"):
        await scene.read()
