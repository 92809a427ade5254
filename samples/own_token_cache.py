"""Make a token cache of Azure Blob Storage, and pass the contract of such caches; it prints "10 checks passed".

Install, in a clone of this repository:

    pip install '.[testing]' azure-storage-blob

Set in the environment:

    TOKEN_CONTAINER_URL  a container's URL with a SAS for reading, creating, writing and deleting blobs
"""

import os
import time
from contextlib import suppress

from azure.core import MatchConditions, exceptions
from azure.storage.blob import ContainerClient

from azure_certvar_credential.testing import TOKEN_CACHE_CONTRACT

SAME = MatchConditions.IfNotModified
LOST = (exceptions.ResourceExistsError, exceptions.ResourceModifiedError, exceptions.ResourceNotFoundError)


class BlobTokenCache:
    def __init__(self, container: ContainerClient) -> None:
        self.blob = container.get_blob_client

    def get(self, key: str) -> bytes | None:
        with suppress(*LOST):
            found = self.blob(key).download_blob()
            return found.readall() if float(found.properties.metadata["ends"]) > time.time() else None
        return None

    def set(self, key: str, value: bytes, expires_on: float) -> None:
        self.blob(key).upload_blob(value, overwrite=True, metadata={"ends": str(expires_on)})

    def delete(self, key: str) -> None:
        with suppress(*LOST):
            self.blob(key).delete_blob()

    def lock(self, key: str, seconds: float) -> str | None:
        blob, ends = self.blob(f"{key}.lock"), {"ends": str(time.time() + seconds)}
        with suppress(*LOST):
            if not blob.exists():
                return str(blob.upload_blob(b"", metadata=ends)["etag"])
            old = blob.get_blob_properties()
            if float(old.metadata["ends"]) <= time.time():
                new = blob.upload_blob(b"", overwrite=True, metadata=ends, etag=old.etag, match_condition=SAME)
                return str(new["etag"])
        return None

    def unlock(self, key: str, holder: str) -> None:
        with suppress(*LOST):
            self.blob(f"{key}.lock").delete_blob(etag=holder, match_condition=SAME)


for check in TOKEN_CACHE_CONTRACT:
    check(lambda: BlobTokenCache(ContainerClient.from_container_url(os.environ["TOKEN_CONTAINER_URL"])))
print(f"{len(TOKEN_CACHE_CONTRACT)} checks passed")
