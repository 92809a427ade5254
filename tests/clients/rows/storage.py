"""Storage."""

from __future__ import annotations

from typing import Final

from tests.clients.row import Row

ROWS: Final = (
    Row(
        "Storage: blobs",
        "azure-storage-blob",
        "BlobServiceClient(account_url, credential=credential)",
        "clients/test_storage.py::test_a_blob",
        sync="from azure.storage.blob import BlobServiceClient",
        aio="from azure.storage.blob.aio import BlobServiceClient",
    ),
    Row(
        "Storage: queues",
        "azure-storage-queue",
        "QueueServiceClient(account_url, credential=credential)",
        "clients/test_storage.py::test_a_message_in_a_queue",
        sync="from azure.storage.queue import QueueServiceClient",
        aio="from azure.storage.queue.aio import QueueServiceClient",
    ),
    Row(
        "Storage: tables",
        "azure-data-tables",
        "TableServiceClient(account_url, credential=credential)",
        "clients/test_storage.py::test_an_entity_in_a_table",
        sync="from azure.data.tables import TableServiceClient",
        aio="from azure.data.tables.aio import TableServiceClient",
    ),
    Row(
        "Storage: data lake",
        "azure-storage-file-datalake",
        "DataLakeServiceClient(account_url, credential=credential)",
        "clients/test_services.py::test_the_client_calls_its_service",
        sync="from azure.storage.filedatalake import DataLakeServiceClient",
        aio="from azure.storage.filedatalake.aio import DataLakeServiceClient",
    ),
    Row(
        "fsspec, Dask and pandas: `abfs://`",
        "adlfs",
        "AzureBlobFileSystem(account_name, credential=credential.shared())",
        "clients/test_storage.py::test_a_file_of_fsspec",
        aio="from adlfs import AzureBlobFileSystem",
    ),
)
