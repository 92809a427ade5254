"""The main job on a real storage service: a certificate in a variable uploads a blob through the real SDK."""

from __future__ import annotations

import asyncio
import hashlib
import io
import random
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from azure.storage.blob import BlobServiceClient
from azure.storage.blob.aio import BlobServiceClient as AsyncBlobServiceClient
from cryptography.hazmat.primitives.serialization import pkcs12

from azure_certvar_credential import CertVarCredential, ClientCertificate
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential
from azure_certvar_credential.testing import Application, EntraEmulator, EntraServer
from tests.real.servers.azurite import Azurite

MIB: Final = 1 << 20
PASSWORD: Final = "correct horse"

FORMS: Final[dict[str, Callable[[ClientCertificate], tuple[Any, str | None]]]] = {
    "PEM": lambda certificate: (certificate.to_pem(), None),
    "encrypted PEM": lambda certificate: (certificate.to_pem(PASSWORD), PASSWORD),
    "PFX": lambda certificate: (certificate.to_pfx(PASSWORD), PASSWORD),
    "base64": lambda certificate: (b64encode(certificate.to_pfx(None)).decode(), None),
    "objects": lambda certificate: (pkcs12.load_pkcs12(certificate.to_pfx(PASSWORD), PASSWORD.encode()), None),
}


@pytest.fixture(scope="module")
def certificate() -> ClientCertificate:
    return ClientCertificate.self_signed("uploader")


@pytest.fixture(scope="module")
def entra(certificate: ClientCertificate) -> Iterator[tuple[EntraEmulator, EntraServer, Application]]:
    emulator = EntraEmulator()
    application = emulator.add_application(certificate)
    with emulator.serve() as server:
        yield emulator, server, application


def _options(server: EntraServer) -> dict[str, Any]:
    return {"authority": server.authority, "disable_instance_discovery": True, "connection_verify": server.ca_file}


@pytest.mark.parametrize("form", FORMS)
def test_eight_mebibytes_go_up_and_come_back(
    azurite: Azurite,
    entra: tuple[EntraEmulator, EntraServer, Application],
    certificate: ClientCertificate,
    form: str,
) -> None:
    emulator, server, application = entra
    data, password = FORMS[form](certificate)
    content = random.Random(form).randbytes(8 * MIB)
    emulator.requests.clear()

    with (
        CertVarCredential(
            application.tenant_id, application.client_id, data, password=password, **_options(server)
        ) as credential,
        BlobServiceClient(azurite.account_url, credential=credential, connection_verify=azurite.ca_file) as service,
        service.create_container(f"c-{uuid.uuid4().hex}") as container,
    ):
        container.upload_blob("some.bin", content, max_concurrency=4)
        (blob,) = container.list_blobs()
        downloaded = container.download_blob("some.bin", max_concurrency=4).readall()

    assert (blob.name, blob.size) == ("some.bin", 8 * MIB)
    assert hashlib.sha256(downloaded).digest() == hashlib.sha256(content).digest()
    assert len(emulator.requests) == 1


def test_the_async_client_uploads_too(
    azurite: Azurite, entra: tuple[EntraEmulator, EntraServer, Application], certificate: ClientCertificate
) -> None:
    emulator, server, application = entra
    content = random.Random("async").randbytes(8 * MIB)
    emulator.requests.clear()

    async def work() -> bytes:
        async with (
            AsyncCertVarCredential(
                application.tenant_id, application.client_id, certificate.to_pem(), **_options(server)
            ) as credential,
            AsyncBlobServiceClient(
                azurite.account_url,
                credential=credential,
                connection_verify=azurite.ca_file,
                # aiohttp warns of single bodies over 1 MiB; blocks also make it many requests with the one token.
                max_single_put_size=MIB // 2,
                max_block_size=MIB // 2,
            ) as service,
        ):
            container = await service.create_container(f"c-{uuid.uuid4().hex}")
            async with container:
                await container.upload_blob("some.bin", io.BytesIO(content))
                assert [blob.name async for blob in container.list_blobs()] == ["some.bin"]
                download = await container.download_blob("some.bin")
                return await download.readall()

    assert asyncio.run(work()) == content
    assert len(emulator.requests) == 1
