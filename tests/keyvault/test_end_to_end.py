"""Bootstrap credential, vault, certificate, token, blob: over real sockets, and with many callers at once."""

from __future__ import annotations

import asyncio
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from azure_certvar_credential import CertVarCredential, aio
from azure_certvar_credential.keyvault import KeyVaultCertificate, KeyVaultSigner
from azure_certvar_credential.keyvault.aio import KeyVaultCertificate as AsyncKeyVaultCertificate
from azure_certvar_credential.testing import Fault
from tests.keyvault.conftest import GRAPH, Scene
from tests.real.servers.azurite import Azurite
from tests.testing.key_vault.kit import pair


@pytest.mark.parametrize("exportable", [True, False])
async def test_a_blob_goes_up_with_a_certificate_out_of_the_vault(
    scene: Scene, azurite: Azurite, exportable: bool
) -> None:
    from azure.storage.blob import BlobServiceClient
    from azure.storage.blob.aio import BlobServiceClient as AsyncBlobServiceClient

    scene.vault.add_certificate("app", pair(), exportable=exportable)
    tenant_id, container, content = scene.application.tenant_id, f"c-{uuid.uuid4().hex}", b"out of the vault"
    with scene.entra.serve() as entra, scene.vault.serve() as vault:
        sign_in: dict[str, Any] = {
            "authority": entra.authority,
            "disable_instance_discovery": True,
            "connection_verify": entra.ca_file,
        }
        reach: dict[str, Any] = {"connection_verify": vault.ca_file, "verify_challenge_resource": False}
        blobs: dict[str, Any] = {"connection_verify": azurite.ca_file}
        reader, user = (tenant_id, scene.reader.client_id), (tenant_id, scene.application.client_id)
        if scene.kind == "sync":
            with CertVarCredential(*reader, pair("bootstrap"), **sign_in) as bootstrap:
                source = KeyVaultCertificate(vault.vault_url, "app", bootstrap, **reach)
                with (
                    CertVarCredential(*user, source, **sign_in) as credential,
                    BlobServiceClient(azurite.account_url, credential=credential, **blobs) as service,
                ):
                    client = service.create_container(container).upload_blob("hello", content)
                    assert client.download_blob().readall() == content
        else:
            async with aio.CertVarCredential(*reader, pair("bootstrap"), **sign_in) as first:
                other = AsyncKeyVaultCertificate(vault.vault_url, "app", first, **reach)
                async with (
                    aio.CertVarCredential(*user, other, **sign_in) as second,
                    AsyncBlobServiceClient(azurite.account_url, credential=second, **blobs) as services,
                ):
                    blob = await (await services.create_container(container)).upload_blob("hello", content)
                    assert await (await blob.download_blob()).readall() == content
    assert scene.entra.requests[-1].form["client_id"] == scene.application.client_id
    assert ("secrets/get" in scene.used) is exportable
    assert ("keys/sign" in scene.used) is not exportable


async def test_a_vault_that_fails_later_leaves_the_certificate_in_use(scene: Scene) -> None:
    scene.vault.add_certificate("app", pair())
    source: Any = scene.source(max_age=1e-6, retry_total=0)
    tenant_id, client_id = scene.application.tenant_id, scene.application.client_id
    credential: Any = (
        CertVarCredential(tenant_id, client_id, source, transport=scene.entra.transport())
        if scene.kind == "sync"
        else aio.CertVarCredential(tenant_id, client_id, source, transport=scene.entra.async_transport())
    )

    async def token(scope: str) -> str:
        got = credential.get_token(scope)
        return str((await got if scene.kind == "aio" else got).token)

    assert await token(GRAPH)
    scene.vault.inject(Fault.server_error(), times=None)

    assert await token("https://storage.azure.com/.default")

    for _ in range(1000):
        if scene.vault.requests[-1].status == 503:
            break
        await asyncio.sleep(0.01)
    assert scene.vault.requests[-1].status == 503
    assert await token("https://management.azure.com/.default")
    closed = credential.close()
    if closed is not None:
        await closed


def test_many_threads_sign_at_once(scene: Scene) -> None:
    version = scene.vault.add_certificate("app", pair(), exportable=False)
    credential = CertVarCredential(
        scene.reader.tenant_id, scene.reader.client_id, pair("bootstrap"), transport=scene.entra.transport()
    )
    key_id = f"{scene.vault.vault_url}/keys/app/{version}"
    # Each signature is verified with the public key before it is returned.
    signer = KeyVaultSigner(key_id, pair().leaf, credential, transport=scene.vault.transport())

    with ThreadPoolExecutor(16) as threads:
        signatures = list(threads.map(lambda number: signer.sign(b"%d" % number, "RS256"), range(32)))

    assert len(set(signatures)) == 32
    assert scene.used.count("keys/sign") == 32


async def test_the_assertion_of_a_key_in_the_vault_is_used_again(scene: Scene) -> None:
    scene.vault.add_certificate("app", pair(), exportable=False)
    source: Any = scene.source()
    tenant_id, client_id = scene.application.tenant_id, scene.application.client_id
    scopes = [f"api://app-{number}/.default" for number in range(10)]
    if scene.kind == "sync":
        credential = CertVarCredential(tenant_id, client_id, source, transport=scene.entra.transport())
        for scope in scopes:
            assert credential.get_token(scope).token
    else:
        transport = scene.entra.async_transport()
        async with aio.CertVarCredential(tenant_id, client_id, source, transport=transport) as other:
            for scope in scopes:
                assert (await other.get_token(scope)).token

    # Once to see that it signs, once for all the tokens.
    assert scene.used.count("keys/sign") == 2
