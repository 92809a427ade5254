"""A provider that takes assertions for its issuer alone, with the newer ``typ``, as FAPI 2.0 wants."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from azure_certvar_credential import CertVarCredential, ClientCertificate
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential
from azure_certvar_credential.exceptions import AuthenticationError
from tests.real.servers.oidc_provider import OidcProvider

SCOPE = "api://orders/.default"


@pytest.fixture(scope="module")
def certificate() -> ClientCertificate:
    return ClientCertificate.self_signed("fapi")


@pytest.fixture(scope="module")
def client_id(fapi_provider: OidcProvider, certificate: ClientCertificate) -> str:
    return fapi_provider.register(certificate.signer.public_key)


def options(provider: OidcProvider, **changed: Any) -> dict[str, Any]:
    return {"oidc_authority": provider.issuer, "connection_verify": provider.ca_file, "retry_total": 0, **changed}


def test_it_takes_what_an_oidc_authority_gets_by_default(
    fapi_provider: OidcProvider, certificate: ClientCertificate, client_id: str
) -> None:
    with CertVarCredential("any.example", client_id, certificate, **options(fapi_provider)) as credential:
        assert fapi_provider.verified_claims(credential.get_token(SCOPE).token)["client_id"] == client_id
        assert fapi_provider.token(client_id, credential.client_assertion()).status == 200
        assert fapi_provider.token(client_id, credential.client_assertion(fapi_provider.issuer)).status == 200


def test_it_takes_what_the_async_credential_sends(
    fapi_provider: OidcProvider, certificate: ClientCertificate, client_id: str
) -> None:
    async def fetch() -> str:
        made = AsyncCertVarCredential("any.example", client_id, certificate, **options(fapi_provider))
        async with made as credential:
            return (await credential.get_token(SCOPE)).token

    assert fapi_provider.verified_claims(asyncio.run(fetch()))["client_id"] == client_id


def test_it_refuses_what_older_servers_want(
    fapi_provider: OidcProvider, certificate: ClientCertificate, client_id: str
) -> None:
    given = options(fapi_provider, assertion_audience="token_endpoint")
    with (
        CertVarCredential("any.example", client_id, certificate, **given) as credential,
        pytest.raises(AuthenticationError, match="audience"),
    ):
        credential.get_token(SCOPE)


@pytest.mark.parametrize("seconds", [-900, 900])
def test_a_wrong_clock_is_corrected_by_the_date_of_its_refusal(
    fapi_provider: OidcProvider, certificate: ClientCertificate, client_id: str, seconds: int
) -> None:
    """It says ``invalid_client`` and no reason that a client could act on."""
    given = options(fapi_provider, _clock=lambda: time.time() + seconds)
    with CertVarCredential("any.example", client_id, certificate, **given) as credential:
        assert fapi_provider.verified_claims(credential.get_token(SCOPE).token)["client_id"] == client_id
