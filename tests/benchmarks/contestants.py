"""Ours, theirs and the floor, built alike; measured processes import this, so it imports nothing of weight itself."""

from __future__ import annotations

import os
from typing import Any, Literal, get_args

Who = Literal["ours", "theirs", "floor"]
WHO: tuple[Who, ...] = get_args(Who)

TENANT = "11111111-1111-1111-1111-111111111111"
CLIENT = "22222222-2222-2222-2222-222222222222"
SCOPE = "https://storage.azure.com/.default"

# A measured process finds its certificate where a deployed one would.
PEM, CA_FILE, AUTHORITY = "BENCHMARK_PEM", "BENCHMARK_CA_FILE", "BENCHMARK_AUTHORITY"


def credential(who: Who, **options: Any) -> Any:
    """Return a synchronous credential of the environment's certificate and endpoint."""
    return credential_class(who)(TENANT, CLIENT, **{**_arguments(), **options})


def async_credential(who: Who, **options: Any) -> Any:
    """Return an asynchronous one."""
    return async_credential_class(who)(TENANT, CLIENT, **{**_arguments(), **options})


def credential_class(who: Who) -> Any:
    """Import and return a class."""
    if who == "ours":
        from azure_certvar_credential import CertVarCredential

        return CertVarCredential
    if who == "floor":
        from tests.benchmarks.floor import FloorCredential

        return FloorCredential
    from azure.identity import CertificateCredential

    return CertificateCredential


def async_credential_class(who: Who) -> Any:
    """Import and return an asynchronous class."""
    if who == "ours":
        from azure_certvar_credential.aio import CertVarCredential

        return CertVarCredential
    from azure.identity.aio import CertificateCredential

    return CertificateCredential


def _arguments() -> dict[str, Any]:
    return {
        "certificate_data": os.environ[PEM].encode(),
        "authority": os.environ[AUTHORITY],
        "disable_instance_discovery": True,
        "connection_verify": os.environ[CA_FILE],
    }
