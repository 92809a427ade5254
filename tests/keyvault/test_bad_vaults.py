"""If a vault fails, the error says how, where, and what to do; sync and async in the same words."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from azure_certvar_credential.exceptions import (
    CertificateSourceError,
    ConfigurationError,
    KeyVaultError,
    KeyVaultNotFoundError,
    KeyVaultPermissionError,
    KeyVaultSecretError,
    KeyVaultUnavailableError,
    KeyVaultVersionError,
)
from azure_certvar_credential.keyvault import KeyVaultSigner
from azure_certvar_credential.keyvault.aio import KeyVaultSigner as AsyncKeyVaultSigner
from azure_certvar_credential.testing import Fault, KeyVaultEmulator, Request
from tests.keyvault.conftest import Scene
from tests.testing.key_vault.kit import pair

DAY = 86_400


@dataclass
class Case:
    """A vault with something wrong.

    :ivar prepare: makes it wrong.
    :ivar error: what is raised.
    :ivar words: what the message has to say.
    :ivar options: of the source.
    """

    prepare: Callable[[Scene], object]
    error: type[Exception]
    words: tuple[str, ...]
    options: dict[str, Any] = field(default_factory=dict)


def allowed(*permissions: str, **certificate: Any) -> Callable[[Scene], object]:
    def prepare(scene: Scene) -> None:
        scene.vault.add_certificate("app", pair(), **certificate)
        scene.vault.allow(scene.reader, *permissions)

    return prepare


def stored(**certificate: Any) -> Callable[[Scene], object]:
    return lambda scene: scene.vault.add_certificate("app", pair(), **certificate)


def faulty(fault: Fault) -> Callable[[Scene], object]:
    def prepare(scene: Scene) -> None:
        scene.vault.add_certificate("app", pair())
        scene.vault.inject(fault, times=None)

    return prepare


def always(_request: Request) -> bool:
    return True


def html_before_the_challenge(scene: Scene) -> None:
    scene.vault.inject(Fault.not_json(), times=None, when=always)


def throttled(scene: Scene) -> None:
    scene.vault.add_certificate("app", pair())
    scene.vault.throttle(17, times=None)


def unregistered(scene: Scene) -> None:
    scene.vault.add_certificate("app", pair())
    scene.reader.disable()


def foreign(scene: Scene) -> None:
    scene.vault = KeyVaultEmulator(scene.entra, tenant=scene.entra.add_tenant())


def firewalled(scene: Scene) -> None:
    from azure_certvar_credential.testing.key_vault.access import VaultError

    error = VaultError(403, "Forbidden", "Client address is not authorized.", "ForbiddenByFirewall")
    scene.vault.inject(Fault("firewall", lambda _serve, conditions: error.response(conditions)), times=None)


USER, CRYPTO = "'Key Vault Certificate User'", "'Key Vault Crypto User'"

CASES: dict[str, Case] = {
    "no permission on certificates": Case(
        allowed(), KeyVaultPermissionError, ("certificates/get", USER, "AccessDenied")
    ),
    "no permission on secrets": Case(
        allowed("certificates/get"),
        KeyVaultPermissionError,
        ("secrets/get", USER, "prefer_remote", "keys/sign", CRYPTO),
    ),
    "no permission on keys": Case(
        allowed("certificates/get", exportable=False), KeyVaultPermissionError, ("keys/sign", CRYPTO)
    ),
    "no permission on the list": Case(
        allowed("certificates/get", enabled=False), KeyVaultPermissionError, ("certificates/list", "pin a version")
    ),
    "the vault's firewall": Case(firewalled, KeyVaultPermissionError, ("network rules", "ForbiddenByFirewall")),
    "a credential that gets no token": Case(unregistered, KeyVaultPermissionError, ("got no token", "AADSTS7000112")),
    "a vault of another tenant": Case(foreign, KeyVaultPermissionError, ("got no token", "tenant")),
    "no such certificate": Case(lambda _: None, KeyVaultNotFoundError, ("check name", "CertificateNotFound")),
    "no such version": Case(stored(), KeyVaultNotFoundError, ("version 0123", "not found"), {"version": "0123"}),
    "all versions disabled": Case(stored(enabled=False), KeyVaultVersionError, ("none of the 1", "is disabled")),
    "all versions expired": Case(stored(expires=DAY), KeyVaultVersionError, ("expired on 1970-01-02 00:00:00 UTC",)),
    "all versions early": Case(stored(not_before=4e9), KeyVaultVersionError, ("not valid before 2096-10-02",)),
    "a secret without key": Case(
        stored(secret=pair().public_pem(), content_type="application/x-pem-file"),
        KeyVaultSecretError,
        ("no private key", "prefer_remote"),
    ),
    "a secret that is none": Case(stored(secret="hello"), KeyVaultSecretError, ("cannot be used",)),
    "an empty secret": Case(stored(secret=""), KeyVaultSecretError, ("cannot be used",)),
    "the secret of another": Case(
        stored(secret=pair("other").to_pem()), KeyVaultSecretError, (pair("other").thumbprint,)
    ),
    "neither PFX nor PEM": Case(stored(content_type="text/plain"), KeyVaultSecretError, ("'text/plain'", "x-pkcs12")),
    "a vault that throttles": Case(throttled, KeyVaultUnavailableError, ("throttles", "for 17 s", "Throttled")),
    "a vault that is unavailable": Case(
        faulty(Fault.server_error()), KeyVaultUnavailableError, ("vault is unavailable", "503")
    ),
    "a page of HTML": Case(faulty(Fault.not_json()), KeyVaultUnavailableError, ("not Key Vault's", "proxy")),
    "a page of HTML at once": Case(html_before_the_challenge, KeyVaultUnavailableError, ("not Key Vault's", "proxy")),
    "a page of HTML that says 404": Case(
        faulty(Fault.not_json(404)), KeyVaultUnavailableError, ("not Key Vault's", "proxy")
    ),
    "JSON that is no object": Case(faulty(Fault.not_an_object()), KeyVaultUnavailableError, ("not Key Vault's",)),
    "a truncated answer": Case(faulty(Fault.truncated()), KeyVaultUnavailableError, ("app of https://",)),
    "a connection that is reset": Case(faulty(Fault.reset_before()), KeyVaultUnavailableError, ("no answer",)),
    "a vault that hangs": Case(
        faulty(Fault.hang()), KeyVaultUnavailableError, ("no answer", "Timeout"), {"read_timeout": 0.05}
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_the_error_says_what_is_wrong(scene: Scene, case: Case, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    case.prepare(scene)

    with pytest.raises(case.error) as caught:
        await scene.read(**{"retry_total": 0, **case.options})

    message = str(caught.value)
    for word in case.words:
        assert word in message
    assert "app" in message
    assert scene.vault.vault_url in message
    assert len(message) < 1500
    assert isinstance(caught.value, CertificateSourceError)
    # The cause would hold the request with its token, or frames with the secret.
    error: BaseException | None = caught.value
    assert error is not None
    assert error.__cause__ is None
    text = "".join(traceback.format_exception(error)) + caplog.text
    assert "PRIVATE KEY" not in text
    assert "eyJ" not in text


@pytest.mark.parametrize(("times", "word"), [({"enabled": False}, "disabled"), ({"expires": DAY}, "expired")])
async def test_a_pinned_version_that_cannot_be_used_is_named(scene: Scene, times: dict[str, Any], word: str) -> None:
    version = scene.vault.add_certificate("app", pair(), **times)

    with pytest.raises(KeyVaultVersionError, match=f"{version} .*{word}.*pin another"):
        await scene.read(version=version)


async def test_the_status_and_the_code_are_there_to_be_looked_at(scene: Scene) -> None:
    allowed()(scene)

    with pytest.raises(KeyVaultError) as caught:
        await scene.read()

    assert (caught.value.status_code, caught.value.code) == (403, "AccessDenied")


async def test_throttling_that_ends_is_waited_for(scene: Scene) -> None:
    scene.vault.add_certificate("app", pair())
    scene.vault.throttle(2)
    transport = scene.vault_transport()

    assert await scene.read(transport=transport) == pair()
    assert transport.sleeps == (2,)


async def test_a_credential_passes_the_error_on(scene: Scene) -> None:
    allowed("certificates/get")(scene)

    with pytest.raises(KeyVaultPermissionError, match="secrets/get"):
        await scene.token(scene.source())


async def test_a_host_that_is_no_vaults_gets_no_token(scene: Scene) -> None:
    scene.vault.add_certificate("app", pair())

    for _ in range(2):  # a challenge that was remembered is no better
        with pytest.raises(ConfigurationError, match="verify_challenge_resource"):
            await scene.read(vault_url=f"https://{scene.kind}.example.com")

    assert not scene.entra.requests


async def test_a_signature_that_is_not_the_keys_is_refused(scene: Scene) -> None:
    version = scene.vault.add_certificate("app", pair(), exportable=False)
    signer_class: Any = KeyVaultSigner if scene.kind == "sync" else AsyncKeyVaultSigner
    signer = signer_class(
        f"{scene.vault.vault_url}/keys/app/{version}",
        pair("other").leaf,
        scene.bootstrap(),
        transport=scene.vault_transport(),
    )

    with pytest.raises(KeyVaultError, match="does not verify"):
        await (asyncio.to_thread(signer.sign, b"m", "PS256") if scene.kind == "sync" else signer.sign(b"m", "PS256"))
    with pytest.raises(ConfigurationError, match="ES256 needs an EC key"):
        await (asyncio.to_thread(signer.sign, b"m", "ES256") if scene.kind == "sync" else signer.sign(b"m", "ES256"))
