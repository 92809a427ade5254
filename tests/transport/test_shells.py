"""Each option works in every credential, or is refused by the constructor of each."""

from __future__ import annotations

import asyncio
import inspect
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from azure_certvar_credential import CertVarCredential, ClientCertificate
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential
from azure_certvar_credential.aio import MsalCertVarCredential as AsyncMsalCertVarCredential
from azure_certvar_credential.exceptions import ConfigurationError
from azure_certvar_credential.msal import MsalCertVarCredential
from azure_certvar_credential.testing import EntraEmulator
from tests.transport.option_values import BAD, GOOD, cases

STORAGE = "https://storage.azure.com/.default"

MakeCredential = Callable[..., Any]


@pytest.fixture(scope="module")
def certificate() -> ClientCertificate:
    return ClientCertificate.self_signed("a service")


@pytest.fixture(
    params=[CertVarCredential, AsyncCertVarCredential, MsalCertVarCredential, AsyncMsalCertVarCredential],
    ids=["sync", "aio", "msal", "msal-aio"],
)
def make(request: pytest.FixtureRequest) -> MakeCredential:
    kind: MakeCredential = request.param
    return kind


@pytest.fixture(scope="module")
def entra(certificate: ClientCertificate) -> Iterator[tuple[dict[str, Any], str, ssl.SSLContext]]:
    """Arguments of a credential for a served Entra, the file with its authority, and a context that trusts it."""
    emulator = EntraEmulator()
    application = emulator.add_application(certificate)
    with emulator.serve() as server:
        arguments = {
            "tenant_id": application.tenant_id,
            "client_id": application.client_id,
            "certificate": certificate,
            "authority": server.url,
            "disable_instance_discovery": True,
            "retry_total": 0,
        }
        yield arguments, server.ca_file, ssl.create_default_context(cafile=server.ca_file)


def token_of(credential: Any) -> str:
    """Acquire a token from a credential of either kind and close it."""

    async def acquire() -> str:
        try:
            token: Any = credential.get_token(STORAGE)
            return str((await token if inspect.isawaitable(token) else token).token)
        finally:
            closing = credential.close()
            if inspect.isawaitable(closing):
                await closing

    return asyncio.run(acquire())


@pytest.mark.parametrize(("name", "value"), cases(BAD))
def test_what_cannot_work_is_refused_by_every_constructor(
    make: MakeCredential, certificate: ClientCertificate, name: str, value: Any
) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name} must be ") as caught:
        make("contoso.example", "client", certificate, **{name: value})
    assert isinstance(caught.value, ValueError)
    assert "SEC" not in str(caught.value)


# Those that lead elsewhere than to the server: a transport or policies of the caller's, trust in others, a proxy.
ELSEWHERE = {"transport", "policies", "connection_verify", "proxies"}


@pytest.mark.parametrize(("name", "value"), cases({n: v for n, v in GOOD.items() if n not in ELSEWHERE}))
@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_what_a_constructor_accepts_is_sent_with(
    make: MakeCredential, entra: tuple[dict[str, Any], str, ssl.SSLContext], name: str, value: Any
) -> None:
    arguments, authority, _ = entra
    assert token_of(make(**arguments, **{"use_env_settings": False, "connection_verify": authority, name: value}))


@pytest.mark.parametrize("trust", ["file", "context", "nothing"])
@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_every_kind_of_trust_works(
    make: MakeCredential, entra: tuple[dict[str, Any], str, ssl.SSLContext], trust: str
) -> None:
    arguments, authority, context = entra
    verify = {"file": authority, "context": context, "nothing": False}[trust]
    assert token_of(make(**arguments, use_env_settings=False, connection_verify=verify))


@pytest.mark.parametrize(
    "proxies",
    [{}, {"https": None}, {"http": "http://proxy.example"}],
)
def test_a_proxy_for_other_requests_is_not_used(
    make: MakeCredential, entra: tuple[dict[str, Any], str, ssl.SSLContext], proxies: dict[str, str | None]
) -> None:
    arguments, authority, _ = entra
    assert token_of(make(**arguments, use_env_settings=False, connection_verify=authority, proxies=proxies))


# Every keyword of azure-identity's CertificateCredential with its default, and its own way to say "nothing".
IDENTITY: dict[str, Any] = {
    "certificate_path": None,
    "password": None,
    "send_certificate_chain": False,
    "cache_persistence_options": None,
    "disable_instance_discovery": True,
    "additionally_allowed_tenants": [],
    "enable_support_logging": None,
    "permit_redirects": False,
    "_cache": None,
    "_cae_cache": None,
    "logging_enable": False,
    "transport": None,
}


def test_azure_identitys_keywords_with_their_defaults_change_nothing(
    make: MakeCredential, entra: tuple[dict[str, Any], str, ssl.SSLContext]
) -> None:
    arguments, authority, _ = entra
    certificate = arguments["certificate"]
    given = {**arguments, **IDENTITY, "certificate": None, "certificate_data": certificate}
    assert token_of(make(**given, use_env_settings=False, connection_verify=authority))


@pytest.mark.parametrize("name", ["disable_instance_discovery", "additionally_allowed_tenants", "authority"])
def test_azure_identitys_none_is_the_default(make: MakeCredential, certificate: ClientCertificate, name: str) -> None:
    make("contoso.example", "client", certificate, **{name: None})
