"""Make a token cache of Azure Blob Storage, and pass the contract of such caches; it prints "10 checks passed".

Set TOKEN_CONTAINER_URL to a container's URL with a SAS for all that is done to blobs, or run it with --local. Install,
in a clone of this repository:

    pip install '.[testing]' azure-storage-blob
"""

import os
import sys
import time
from contextlib import suppress

from azure.core import MatchConditions, exceptions
from azure.storage.blob import ContainerClient

import local
from azure_certvar_credential.testing import TOKEN_CACHE_CONTRACT

SAME = MatchConditions.IfNotModified
LOST = (exceptions.ResourceExistsError, exceptions.ResourceModifiedError, exceptions.ResourceNotFoundError)


class BlobTokenCache:
    def __init__(self, container: ContainerClient) -> None:
        self.blob = container.get_blob_client

    def get(self, key: str) -> bytes | None:
        with suppress(*LOST):
            if float((found := self.blob(key).download_blob()).properties.metadata["ends"]) > time.time():
                return found.readall()
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
            if float((old := blob.get_blob_properties()).metadata["ends"]) <= time.time():
                new = blob.upload_blob(b"", overwrite=True, metadata=ends, etag=old.etag, match_condition=SAME)
                return str(new["etag"])
        return None

    def unlock(self, key: str, holder: str) -> None:
        with suppress(*LOST):
            self.blob(f"{key}.lock").delete_blob(etag=holder, match_condition=SAME)


if "--local" in sys.argv:
    local.start()
for check in TOKEN_CACHE_CONTRACT:
    check(lambda: BlobTokenCache(ContainerClient.from_container_url(os.environ["TOKEN_CONTAINER_URL"])))
print(f"{len(TOKEN_CACHE_CONTRACT)} checks passed")
