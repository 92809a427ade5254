"""Each option works in every credential and for every object that calls a vault, or its constructor refuses it."""

from __future__ import annotations

import asyncio
import inspect
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import trustme

from azure_certvar_credential import CertVarCredential, ClientCertificate, aio, keyvault, msal
from azure_certvar_credential.exceptions import (
    ConfigurationError,
    KeyVaultUnavailableError,
    UnknownOptionError,
    UntrustedServerError,
)
from azure_certvar_credential.keyvault import aio as keyvault_aio
from azure_certvar_credential.testing import EntraEmulator, KeyVaultEmulator
from tests.transport.option_values import BAD, GOOD, cases

STORAGE = "https://storage.azure.com/.default"

CREDENTIALS: dict[str, Callable[..., Any]] = {
    "sync": CertVarCredential,
    "aio": aio.CertVarCredential,
    "msal": msal.MsalCertVarCredential,
    "msal-aio": aio.MsalCertVarCredential,
}
VAULTS: dict[str, Callable[..., Any]] = {
    "certificate": keyvault.KeyVaultCertificate,
    "aio-certificate": keyvault_aio.KeyVaultCertificate,
    "signer": keyvault.KeyVaultSigner,
    "aio-signer": keyvault_aio.KeyVaultSigner,
}
# Each would show or replace what keeps the vault's secrets, so the classes of a vault have them not.
NOT_FOR_VAULTS = {"logging_enable", "policies"}


@dataclass(frozen=True)
class Shell:
    """Something that connects to a server.

    :ivar make: makes it; takes the options.
    :ivar use: has it send, and returns what came.
    :ivar authority: the file with the server's certificate authority.
    """

    make: Callable[..., Any]
    use: Callable[[Any], Any]
    authority: str

    def reach(self, **options: Any) -> Any:
        """Make one that trusts the server, and have it send."""
        return self.use(self.make(**{"use_env_settings": False, "connection_verify": self.authority, **options}))


@pytest.fixture(scope="module")
def certificate() -> ClientCertificate:
    return ClientCertificate.self_signed("a service")


@pytest.fixture(scope="module")
def shells(certificate: ClientCertificate) -> Iterator[dict[str, Shell]]:
    """Every credential for a served Entra, and every class of a vault for a served vault."""
    emulator = EntraEmulator()
    application = emulator.add_application(certificate)
    vault = KeyVaultEmulator(emulator)
    version = vault.add_certificate("app", certificate)
    ids: dict[str, Any] = {
        "tenant_id": application.tenant_id,
        "client_id": application.client_id,
        "certificate": certificate,
    }
    with emulator.serve() as server, vault.serve() as served:
        sign_in: dict[str, Any] = {**ids, "authority": server.url, "disable_instance_discovery": True, "retry_total": 0}
        made = {name: Shell(partial(kind, **sign_in), token_of, server.ca_file) for name, kind in CREDENTIALS.items()}
        for name, kind in VAULTS.items():
            credential: Any = (
                aio.CertVarCredential(**ids, transport=emulator.async_transport())
                if name.startswith("aio-")
                else CertVarCredential(**ids, transport=emulator.transport())
            )
            what = (
                (f"{served.vault_url}/keys/app/{version}", certificate.leaf)
                if "signer" in name
                else (served.vault_url, "app")
            )
            make = partial(kind, *what, credential, verify_challenge_resource=False, retry_total=0)
            made[name] = Shell(make, answer_of, served.ca_file)
        yield made


@pytest.fixture(params=[*CREDENTIALS, *VAULTS])
def shell(request: pytest.FixtureRequest, shells: dict[str, Shell]) -> Shell:
    return shells[request.param]


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


def answer_of(vaults: Any) -> Any:
    """Have a signer sign, or a source read."""

    async def call() -> Any:
        answer = vaults.sign(b"message", "PS256") if hasattr(vaults, "sign") else vaults()
        return await answer if inspect.isawaitable(answer) else answer

    return asyncio.run(call())


def is_for(shell: Shell, name: str) -> bool:
    return shell.use is token_of or name not in NOT_FOR_VAULTS


@pytest.mark.parametrize(("name", "value"), cases(BAD))
def test_what_cannot_work_is_refused_by_every_constructor(shell: Shell, name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=rf"^{name} must be |^{name} is not an option here") as caught:
        shell.make(**{name: value})
    assert isinstance(caught.value, UnknownOptionError) is not is_for(shell, name)
    assert isinstance(caught.value, ValueError)
    assert "SEC" not in str(caught.value)


# Those that lead elsewhere than to the server: a transport or policies of the caller's, trust in others, a proxy.
ELSEWHERE = {"transport", "policies", "connection_verify", "proxies"}


@pytest.mark.parametrize(("name", "value"), cases({n: v for n, v in GOOD.items() if n not in ELSEWHERE}))
@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_what_a_constructor_accepts_is_sent_with(shell: Shell, name: str, value: Any) -> None:
    if is_for(shell, name):
        assert shell.reach(**{name: value})
        return
    with pytest.raises(UnknownOptionError, match=f"^{name} is not an option here"):
        shell.reach(**{name: value})


@pytest.mark.parametrize("trust", ["file", "context", "nothing"])
@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_every_kind_of_trust_works(shell: Shell, trust: str) -> None:
    context = ssl.create_default_context(cafile=shell.authority)
    assert shell.reach(connection_verify={"file": shell.authority, "context": context, "nothing": False}[trust])


VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.mark.parametrize("variable", VARIABLES[:3])
def test_every_variable_of_trust_works(shell: Shell, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, shell.authority)
    assert shell.reach(use_env_settings=True, connection_verify=None)


@pytest.mark.parametrize("verify", [None, True, "context", "file"])
def test_a_server_that_is_not_trusted_is_asked_once_and_the_error_says_how_to_trust_it(
    shell: Shell, verify: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    with trustme.CA().cert_pem.tempfile() as file:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", file)
        given = {"context": ssl.create_default_context(), "file": file}.get(str(verify), verify)
        with pytest.raises((UntrustedServerError, KeyVaultUnavailableError)) as caught:
            shell.reach(use_env_settings=True, connection_verify=given, retry_total=9, raw_request_hook=asked.append)
    assert len(asked) == 1
    decides = "REQUESTS_CA_BUNDLE; to trust another" if verify in (None, True) else "connection_verify decides"
    assert "certificate verify failed" in str(caught.value)
    assert decides in str(caught.value)
    assert "connection_verify" in str(caught.value)


@pytest.mark.parametrize(
    "proxies",
    [{}, {"https": None}, {"http": "http://proxy.example"}],
)
def test_a_proxy_for_other_requests_is_not_used(shell: Shell, proxies: dict[str, str | None]) -> None:
    assert shell.reach(proxies=proxies)


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


@pytest.mark.parametrize("credential", CREDENTIALS)
def test_azure_identitys_keywords_with_their_defaults_change_nothing(
    credential: str, shells: dict[str, Shell], certificate: ClientCertificate
) -> None:
    assert shells[credential].reach(**IDENTITY, certificate=None, certificate_data=certificate)


@pytest.mark.parametrize("name", ["disable_instance_discovery", "additionally_allowed_tenants", "authority"])
@pytest.mark.parametrize("credential", CREDENTIALS)
def test_azure_identitys_none_is_the_default(credential: str, certificate: ClientCertificate, name: str) -> None:
    CREDENTIALS[credential]("contoso.example", "client", certificate, **{name: None})
