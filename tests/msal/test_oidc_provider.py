"""A strict OpenID provider of another project, by its metadata, through MSAL: it accepts no assertion twice."""

from __future__ import annotations

from typing import Any

import msal
import pytest

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential.aio import MsalCertVarCredential as AsyncMsalCertVarCredential
from azure_certvar_credential.exceptions import AuthenticationError
from azure_certvar_credential.msal import MsalCertVarCredential, client_credential
from tests.real.servers.oidc_provider import OidcProvider

SCOPES = ["api://orders/.default", "api://orders-1/.default", "api://orders-2/.default"]


def options(provider: OidcProvider) -> dict[str, Any]:
    return {"oidc_authority": provider.issuer, "connection_verify": provider.ca_file, "retry_total": 0}


def test_it_takes_the_credentials_assertions(oidc_provider: OidcProvider, certificate: ClientCertificate) -> None:
    client_id = oidc_provider.register(certificate.signer.public_key)
    cache = msal.SerializableTokenCache()

    def credential() -> MsalCertVarCredential:
        return MsalCertVarCredential(
            oidc_provider.tenant_id, client_id, certificate, token_cache=cache, **options(oidc_provider)
        )

    with credential() as first, credential() as second:
        tokens = [first.get_token(scope).token for scope in SCOPES]
        assert [second.get_token(scope).token for scope in SCOPES] == tokens, "not from the cache"

    assert len(set(tokens)) == len(SCOPES)
    for token, scope in zip(tokens, SCOPES, strict=True):
        claims = oidc_provider.verified_claims(token, scope.removesuffix("/.default"))
        assert (claims["client_id"], claims["scope"]) == (client_id, scope)


async def test_it_takes_those_of_the_asynchronous_one(
    oidc_provider: OidcProvider, certificate: ClientCertificate
) -> None:
    client_id = oidc_provider.register(certificate.signer.public_key)
    async with AsyncMsalCertVarCredential(
        oidc_provider.tenant_id, client_id, certificate, **options(oidc_provider)
    ) as credential:
        token = await credential.get_token(SCOPES[0])

    assert oidc_provider.verified_claims(token.token)["client_id"] == client_id


def test_it_takes_those_of_msals_own_application(oidc_provider: OidcProvider, certificate: ClientCertificate) -> None:
    client_id = oidc_provider.register(certificate.signer.public_key)
    application = msal.ConfidentialClientApplication(
        client_id,
        # The client id and the audience are for versions of MSAL that do not tell.
        client_credential=client_credential(
            certificate, client_id=client_id, audience=oidc_provider.token_endpoint, algorithm="PS256"
        ),
        oidc_authority=oidc_provider.issuer,
        verify=oidc_provider.ca_file,
    )

    results = [application.acquire_token_for_client([scope]) for scope in SCOPES]

    for result, scope in zip(results, SCOPES, strict=True):
        claims = oidc_provider.verified_claims(result["access_token"], scope.removesuffix("/.default"))
        assert claims["client_id"] == client_id


def test_its_refusal_has_our_class(oidc_provider: OidcProvider, certificate: ClientCertificate) -> None:
    other = ClientCertificate.self_signed("other")
    client_id = oidc_provider.register(certificate.signer.public_key)
    with (
        MsalCertVarCredential(oidc_provider.tenant_id, client_id, other, **options(oidc_provider)) as credential,
        pytest.raises(AuthenticationError) as caught,
    ):
        credential.get_token(SCOPES[0])
    assert caught.value.error_code == "invalid_client"
