"""What the examples in docstrings may use without defining it, beside the names of a page and of their module."""

from __future__ import annotations

import asyncio
import atexit
import base64
import json
import os
import pathlib
import secrets
import tempfile
import threading
import time
import urllib.request
import warnings
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from typing import Any

import msal
import redis
import redis.asyncio
from azure.keyvault.secrets import SecretClient
from azure.storage.blob import BlobServiceClient
from cryptography.hazmat.primitives.asymmetric import ed25519
from redis.auth.token_manager import RetryPolicy, TokenManagerConfig
from redis_entraid.cred_provider import EntraIdCredentialsProvider
from redis_entraid.identity_provider import DefaultAzureCredentialProvider

from azure_certvar_credential import (
    AsyncCallbackSigner,
    CertVarCredential,
    ClientCertificate,
    FederatedCredential,
    Signer,
    SQLiteTokenCache,
    TokenCache,
    aio,
    keyvault,
)
from azure_certvar_credential.testing import Application, EntraEmulator, Fault, KeyVaultEmulator
from tests.certificates.making import NOW, key_bytes, pem, rsa_key, self_signed
from tests.docs.docstrings import Documented
from tests.test_public_names import PACKAGE

_MODULES = (asyncio, base64, json, msal, os, pathlib, redis, secrets, threading, time, urllib, warnings)
_CLASSES = (
    BlobServiceClient,
    CertVarCredential,
    ClientCertificate,
    DefaultAzureCredentialProvider,
    EntraIdCredentialsProvider,
    FederatedCredential,
    RetryPolicy,
    SecretClient,
    TokenManagerConfig,
)
# What the credential in the example of each exception meets.
_STEP_UP = Fault.aadsts(50076, claims='{"access_token":{"acrs":{"value":"c1"}}}')
_REFUSALS = {
    "AcquisitionTimeoutError": Fault.hang(),
    "AuthenticationError": Fault.aadsts(700016),
    "CertificateRejectedError": Fault.unknown_certificate(),
    "InteractionRequiredError": _STEP_UP,
    "OnBehalfOfError": _STEP_UP,
    "ResponseFormatError": Fault.not_json(),
    "TemporarilyUnavailableError": Fault.throttled(60),
    "UserAssertionRejectedError": Fault.aadsts(50013),
}
_VAULTS: dict[str, Callable[[KeyVaultEmulator, Application], object]] = {
    "KeyVaultError": lambda vault, application: vault.allow(application, "certificates/get"),
    "KeyVaultPermissionError": lambda vault, application: vault.allow(application, "certificates/get"),
    "KeyVaultNotFoundError": lambda *_: None,
    "KeyVaultVersionError": lambda vault, _: vault.set_enabled("app", enabled=False),
    "KeyVaultSecretError": lambda vault, _: vault.rotate("app", ClientCertificate.self_signed("app"), secret="hello"),
    "KeyVaultUnavailableError": lambda vault, _: vault.throttle(60, times=None),
}
# Servers and folders, until the process ends.
_open = ExitStack()
atexit.register(_open.close)


def names_for(page: dict[str, Any]) -> Callable[[Documented], dict[str, Any]]:
    """Return what gives a docstring its names.

    :param page: the names of a page, whose servers are those of ``conftest.py``.
    """
    certificate = ClientCertificate.load(page["pem"])
    common = {
        **page,
        **{module.__name__: module for module in _MODULES},
        **{one.__name__: one for one in _CLASSES},
        "aio": aio,
        "authority": f"https://login.microsoftonline.com/{page['tenant_id']}",
        "cache": msal.SerializableTokenCache(),
        "certificate": certificate,
        "key_service": certificate.signer,
        "leaf": certificate.leaf,
        "public_pem": certificate.public_pem(),
    }
    sync, asynchronous = _signed_in(page, CertVarCredential), _signed_in(page, aio.CertVarCredential)
    in_vault = keyvault.KeyVaultCertificate(page["vault_url"], "app", sync["vault_credential"], prefer_remote=True)
    common["key_id"] = in_vault().signer.key_id  # type: ignore[attr-defined]

    def names(one: Documented) -> dict[str, Any]:
        module = one.module.removeprefix(PACKAGE)
        if module == ".testing":
            return {**common, **_local(certificate)}
        if module == ".exceptions":
            return {**common, **_broken(one.name, certificate)}
        folder = _open.enter_context(tempfile.TemporaryDirectory(prefix="docstring-"))
        sqlite = SQLiteTokenCache(pathlib.Path(folder) / "tokens.db")
        is_async = module.endswith("aio") or one.name.startswith("AsyncTokenCache")
        return {
            **common,
            **(asynchronous if is_async else sync),
            "async_signer": AsyncCallbackSigner(certificate.leaf, _InThreads(certificate.signer).sign),
            "sqlite_cache": sqlite,
            "token_cache": _InThreads(sqlite) if is_async else sqlite,
        }

    return names


class _InThreads:
    """A token cache or signer whose methods are coroutine functions."""

    def __init__(self, synchronous: TokenCache | Signer) -> None:
        self._synchronous = synchronous

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        return partial(asyncio.to_thread, getattr(self._synchronous, name))


def _signed_in(page: dict[str, Any], made: Callable[..., Any]) -> dict[str, Any]:
    """Return credentials that sign in to the Entra of the page."""
    blueprint = made(page["tenant_id"], page["blueprint_client_id"], page["pem"])
    return {
        "agent": blueprint.agent(page["agent_client_id"]),
        "blueprint": blueprint,
        "credential": made(page["tenant_id"], page["client_id"], page["pem"]),
        "vault_credential": made(page["tenant_id"], page["client_id"], page["pem"]),
    }


def _local(certificate: ClientCertificate) -> dict[str, Any]:
    """Return an Entra and a vault for one docstring alone, which may break them."""
    entra = EntraEmulator()
    application = entra.add_application(certificate)
    vault = KeyVaultEmulator(entra)
    vault.add_certificate("app", certificate)
    own = (application.tenant_id, application.client_id, certificate)
    return {
        "application": application,
        "async_credential": aio.CertVarCredential(*own, transport=entra.async_transport()),
        "credential": CertVarCredential(*own, transport=entra.transport()),
        "entra": entra,
        "keyvault": keyvault,
        "other_certificate": ClientCertificate.self_signed("other"),
        "vault": vault,
    }


def _broken(name: str, certificate: ClientCertificate) -> dict[str, Any]:
    """Return a credential that meets what an exception is for, and wrong inputs."""
    local = _local(certificate)
    entra, vault, application = local["entra"], local["vault"], local["application"]
    user_token = entra.issue_user_token(entra.add_user("Megan Bowen"), application)
    if name in _REFUSALS:
        entra.inject(_REFUSALS[name], times=None)
    if name in _VAULTS:
        wanted = "orders" if name == "KeyVaultNotFoundError" else "app"
        in_vault = keyvault.KeyVaultCertificate(
            vault.vault_url, wanted, local["credential"], transport=vault.transport()
        )
        local["credential"] = CertVarCredential(
            application.tenant_id, application.client_id, in_vault, transport=entra.transport()
        )
        _VAULTS[name](vault, application)
    ended = self_signed("expired", rsa_key(), ends=NOW - timedelta(days=1))
    untrusted = _open.enter_context(entra.serve())
    return {
        **local,
        "behind_proxy": CertVarCredential(
            application.tenant_id,
            application.client_id,
            certificate,
            authority=untrusted.authority,
            disable_instance_discovery=True,
        ),
        "edwards_key": ed25519.Ed25519PrivateKey.generate(),
        "expired_pem": key_bytes(rsa_key()) + pem(ended),
        "user_token": user_token,
    }
