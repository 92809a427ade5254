"""A certificate from Key Vault signs in: in memory if its key is exportable, in the vault if not; sync and async."""

from __future__ import annotations

import time
import warnings
from typing import Any

import jwt
import pytest

from azure_certvar_credential import CertVarCredential, ClientCertificate, aio
from azure_certvar_credential.keyvault import KeyVaultCertificate, KeyVaultSigner
from azure_certvar_credential.keyvault.aio import KeyVaultCertificate as AsyncKeyVaultCertificate
from azure_certvar_credential.keyvault.aio import KeyVaultSigner as AsyncKeyVaultSigner
from azure_certvar_credential.signers.memory import MemorySigner
from azure_certvar_credential.testing import KeyVaultEmulator, KeyVaultServer
from azure_certvar_credential.testing.listener import Listener
from tests.keyvault.conftest import GRAPH, Scene, scene_of
from tests.testing.key_vault.kit import pair

DAY = 86_400
PFX, PEM = "application/x-pkcs12", "application/x-pem-file"


def remote(certificate: ClientCertificate) -> bool:
    return getattr(certificate.signer, "remote", False)


@pytest.mark.parametrize("content_type", [PFX, PEM])
async def test_an_exportable_key_is_fetched_and_signs_here(scene: Scene, content_type: str) -> None:
    scene.vault.add_certificate("app", pair(), content_type=content_type)

    token = await scene.token(scene.source())

    assert jwt.decode(token, options={"verify_signature": False})["appid"] == scene.application.client_id
    assert scene.used == ["certificates/get", "secrets/get"]
    certificate = await scene.read()
    assert certificate == pair()
    assert isinstance(certificate.signer, MemorySigner)


@pytest.mark.parametrize("options", [{"prefer_remote": True}, {}])
async def test_a_key_that_stays_signs_in_the_vault(scene: Scene, options: dict[str, Any]) -> None:
    scene.vault.add_certificate("app", pair(), exportable=bool(options))

    token = await scene.token(scene.source(**options))

    assert jwt.decode(token, options={"verify_signature": False})["appid"] == scene.application.client_id
    assert set(scene.used) == {"certificates/get", "keys/sign"}
    assert remote(await scene.read(**options))


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"])
async def test_every_algorithm_of_rsa_signs_in_the_vault(scene: Scene, algorithm: str) -> None:
    scene.vault.add_certificate("app", pair(), exportable=False)

    assert await scene.token(scene.source(), algorithm=algorithm)

    header = scene.entra.requests[-1].assertion_header
    assert header is not None
    assert header["alg"] == algorithm


async def test_an_elliptic_key_that_stays_signs_raw(scene: Scene) -> None:
    scene.vault.add_certificate("app", pair("ec"), exportable=False)

    certificate = await scene.read()
    signed: Any = certificate.signer.sign(b"message", "ES256")

    assert len(signed if scene.kind == "sync" else await signed) == 64


async def test_signing_takes_no_permission_but_sign(scene: Scene) -> None:
    scene.vault.add_certificate("app", pair(), exportable=False)
    scene.vault.allow(scene.reader, "certificates/get", "keys/sign")

    assert await scene.token(scene.source())


async def test_the_newest_version_is_used_and_a_pinned_one_stays(scene: Scene) -> None:
    first = scene.vault.add_certificate("app", pair())
    scene.vault.rotate("app", pair("other"))
    scene.vault.allow(scene.reader, "certificates/get", "secrets/get")

    assert await scene.read() == pair("other")
    assert await scene.read(version=first) == pair()


NOW = time.time()


@pytest.mark.parametrize(
    "newest", [{"enabled": False}, {"expires": NOW - DAY}, {"not_before": NOW + DAY}], ids=lambda case: next(iter(case))
)
async def test_a_newest_version_that_cannot_be_used_is_passed_over(scene: Scene, newest: dict[str, Any]) -> None:
    scene.vault.add_certificate("app", pair("other"), not_before=NOW - 3 * DAY)
    scene.vault.add_certificate("app", pair(), not_before=NOW - 2 * DAY)
    scene.vault.add_certificate("app", pair("other"), **newest)

    assert await scene.read() == pair()
    assert scene.used == ["certificates/get", "certificates/list", "certificates/get", "secrets/get"]


async def test_versions_are_found_on_every_page(scene: Scene) -> None:
    vault = KeyVaultEmulator(scene.entra, page_size=2)
    scene.vault = vault
    vault.add_certificate("app", pair())
    for _ in range(4):
        vault.add_certificate("app", pair("other"), enabled=False)

    assert await scene.read() == pair()
    assert scene.used.count("certificates/list") == 3


async def test_rotation_in_the_vault_is_seen_at_the_next_reading(scene: Scene) -> None:
    scene.vault.add_certificate("app", pair())
    source: Any = scene.source()
    assert isinstance(source, (KeyVaultCertificate, AsyncKeyVaultCertificate))

    results: list[Any] = [source()]
    scene.vault.rotate("app", pair("other"))
    results.append(source())
    if scene.kind == "aio":
        results = [await result for result in results]
        assert results[0] == results[1] == pair("other")  # coroutines begin when they are awaited
    else:
        assert results == [pair(), pair("other")]


async def test_a_refused_certificate_is_fetched_anew(scene: Scene) -> None:
    scene.vault.add_certificate("app", pair("other"))
    source: Any = scene.source()
    scene.application.register(pair("other"))
    tenant_id, client_id = scene.application.tenant_id, scene.application.client_id

    async def token(credential: Any, scope: str) -> str:
        got = credential.get_token(scope)
        return str((await got if scene.kind == "aio" else got).token)

    credential: Any = (
        CertVarCredential(tenant_id, client_id, source, transport=scene.entra.transport())
        if scene.kind == "sync"
        else aio.CertVarCredential(tenant_id, client_id, source, transport=scene.entra.async_transport())
    )
    assert await token(credential, GRAPH)
    scene.application.unregister(pair("other").thumbprint)
    scene.vault.rotate("app", pair())

    assert await token(credential, "https://storage.azure.com/.default")

    assert scene.entra.requests[-1].status == 200
    closed = credential.close()
    if closed is not None:
        await closed


async def test_the_vaults_of_other_clouds_are_reached_by_their_urls(scene: Scene) -> None:
    for resource in ("https://vault.azure.cn", "https://vault.usgovcloudapi.net"):
        scene.vault = KeyVaultEmulator(scene.entra, resource=resource)
        scene.vault.add_certificate("app", pair())

        assert await scene.read() == pair()
        assert scene.entra.requests[-1].form["scope"] == f"{resource}/.default"


async def test_over_tls_with_a_host_that_is_no_vaults(scene: Scene) -> None:
    scene.vault.add_certificate("app", pair(), exportable=False)
    with scene.vault.serve() as server:
        own = {"connection_verify": server.ca_file, "verify_challenge_resource": False}
        cls: Any = KeyVaultCertificate if scene.kind == "sync" else AsyncKeyVaultCertificate

        assert await scene.token(cls(server.vault_url, "app", scene.bootstrap(), **own))


async def test_a_vault_at_the_port_of_an_earlier_one_is_another_vault(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Azure's clients remember each host's challenge, and the system gives ports out again."""

    async def token(scene: Scene, server: KeyVaultServer) -> str:
        scene.vault.add_certificate("app", pair())
        own: dict[str, Any] = {
            "transport": None,
            "connection_verify": server.ca_file,
            "verify_challenge_resource": False,
        }
        return await scene.token(scene.source(vault_url=server.vault_url, **own))

    with scene.vault.serve() as server:
        assert await token(scene, server)
    other = scene_of(scene.kind)
    bind = Listener.server_bind

    def at_the_same_port(self: Listener) -> None:
        self.server_address = ("127.0.0.1", server.port)
        bind(self)

    monkeypatch.setattr(Listener, "server_bind", at_the_same_port)
    with other.vault.serve() as again:
        assert again.url == server.url
        assert await token(other, again)


async def test_a_signer_alone_signs_for_a_managed_hsm(scene: Scene) -> None:
    scene.vault = KeyVaultEmulator(scene.entra, resource="https://managedhsm.azure.net")
    version = scene.vault.add_certificate("app", pair(), exportable=False)
    key_id = f"{scene.vault.vault_url}/keys/app/{version}"
    cls: Any = KeyVaultSigner if scene.kind == "sync" else AsyncKeyVaultSigner

    signer = cls(key_id, pair().leaf, scene.bootstrap(), transport=scene.vault_transport())

    assert await scene.token(ClientCertificate(pair().leaf, signer))
    assert signer.key_id == key_id
    assert repr(signer).endswith(f"KeyVaultSigner {key_id} at {id(signer):#x}>")


async def test_nothing_warns_and_nothing_is_left_open(scene: Scene) -> None:
    scene.vault.add_certificate("app", pair())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert await scene.read() == pair()
