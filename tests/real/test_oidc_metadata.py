"""A strict OpenID provider that nobody here wrote is found through its metadata document alone."""

from __future__ import annotations

from typing import Any, Final

import pytest

from azure_certvar_credential import CertVarCredential, ClientCertificate
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential
from azure_certvar_credential.exceptions import ResponseFormatError
from tests.real.servers.oidc_provider import OidcProvider

RESOURCES: Final = ("api://orders", "api://invoices")


@pytest.fixture(scope="module")
def certificate() -> ClientCertificate:
    return ClientCertificate.self_signed("by metadata")


@pytest.fixture(scope="module")
def client_id(oidc_provider: OidcProvider, certificate: ClientCertificate) -> str:
    return oidc_provider.register(certificate.signer.public_key)


class Seen:
    """The requests of a credential."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, request: Any) -> None:
        self.lines.append(f"{request.http_request.method} {request.http_request.url}")


def options(provider: OidcProvider, seen: Seen, **changed: Any) -> dict[str, Any]:
    return {
        "oidc_authority": provider.issuer,
        "assertion_audience": "token_endpoint",
        "connection_verify": provider.ca_file,
        "retry_total": 0,
        "raw_request_hook": seen,
        **changed,
    }


def expected(provider: OidcProvider) -> list[str]:
    """Return what a credential asks for two tokens: the document once."""
    document = f"GET {provider.issuer.rstrip('/')}/.well-known/openid-configuration"
    return [document, *[f"POST {provider.token_endpoint}"] * 2]


def test_two_tokens_take_one_look_at_the_metadata(
    oidc_provider: OidcProvider, certificate: ClientCertificate, client_id: str
) -> None:
    seen = Seen()
    with CertVarCredential("any.example", client_id, certificate, **options(oidc_provider, seen)) as credential:
        for resource in RESOURCES:
            token = credential.get_token(f"{resource}/.default").token
            assert oidc_provider.verified_claims(token, resource)["client_id"] == client_id
    assert seen.lines == expected(oidc_provider)


async def test_two_tokens_of_the_async_credential_take_one_look_at_the_metadata(
    oidc_provider: OidcProvider, certificate: ClientCertificate, client_id: str
) -> None:
    seen = Seen()
    made = AsyncCertVarCredential("any.example", client_id, certificate, **options(oidc_provider, seen))
    async with made as credential:
        for resource in RESOURCES:
            token = (await credential.get_token(f"{resource}/.default")).token
            assert oidc_provider.verified_claims(token, resource)["client_id"] == client_id
    assert seen.lines == expected(oidc_provider)


def test_another_name_of_the_same_server_is_another_issuer(
    oidc_provider: OidcProvider, certificate: ClientCertificate, client_id: str
) -> None:
    elsewhere = oidc_provider.issuer.replace("localhost", "127.0.0.1")
    given = options(oidc_provider, Seen(), oidc_authority=elsewhere)
    with (
        CertVarCredential("any.example", client_id, certificate, **given) as credential,
        pytest.raises(ResponseFormatError, match="as issuer, not the requested one") as caught,
    ):
        credential.get_token(f"{RESOURCES[0]}/.default")
    assert oidc_provider.issuer in str(caught.value)
