"""Microsoft's own clients get tokens from the emulator: the proof that what they really send is accepted."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import azure.identity
import azure.identity.aio
import jwt
import msal
import pytest
from azure.core.exceptions import ClientAuthenticationError

from azure_certvar_credential.testing import EntraServer, Fault
from tests.testing.kit import STORAGE, World, key_pem, pem, rsa_key, sha1

Served = tuple[World, EntraServer]


def msal_client(served_now: Served, credential: dict[str, Any], **options: Any) -> Any:
    world, server = served_now
    return msal.ConfidentialClientApplication(
        world.application.client_id,
        client_credential={"private_key": key_pem(rsa_key()).decode(), **credential},
        verify=server.ca_file,
        **{"authority": f"{server.url}/{world.application.tenant_id}", "instance_discovery": False, **options},
    )


def identity_client(served_now: Served, module: Any, **options: Any) -> Any:
    world, server = served_now
    return module.CertificateCredential(
        world.application.tenant_id,
        world.application.client_id,
        certificate_data=key_pem(rsa_key()) + pem(world.certificate),
        authority=server.url,
        disable_instance_discovery=True,
        connection_verify=server.ca_file,
        **options,
    )


def audience(token: str) -> str:
    return str(jwt.decode(token, options={"verify_signature": False})["aud"])


def test_msal_with_a_sha1_thumbprint(served_now: Served) -> None:
    world, _ = served_now
    result = msal_client(served_now, {"thumbprint": sha1(world.certificate).hex()}).acquire_token_for_client([STORAGE])
    assert audience(result["access_token"]) == "https://storage.azure.com"
    (entry,) = world.entra.requests
    assert entry.assertion_header is not None
    assert entry.assertion_claims is not None
    assert entry.assertion_header["alg"] == "RS256"
    # The quirk that this is here for: floats, and no nbf.
    assert isinstance(entry.assertion_claims["exp"], float)
    assert "nbf" not in entry.assertion_claims


def test_msal_with_a_public_certificate_and_instance_discovery(served_now: Served) -> None:
    world, server = served_now
    discovery = f"{server.url}/common/discovery/instance"
    credential = {"public_certificate": pem(world.certificate).decode()}
    try:
        client = msal_client(served_now, credential, instance_discovery=discovery)
    except ValueError:
        # Older versions want the thumbprint beside it, and sign with RS256 then.
        credential["thumbprint"] = sha1(world.certificate).hex()
        client = msal_client(served_now, credential, instance_discovery=discovery)
    assert audience(client.acquire_token_for_client([STORAGE])["access_token"]) == "https://storage.azure.com"
    (entry,) = world.entra.requests
    header: Any = entry.assertion_header
    thumbprint = "x5t" if "thumbprint" in credential else "x5t#S256"
    assert header["alg"] == ("RS256" if "thumbprint" in credential else "PS256")
    # The quirks that this is here for: padding, and line breaks inside x5c.
    assert header[thumbprint].endswith("=")
    assert "\n" in header["x5c"][0]


def test_msal_against_adfs(served_now: Served) -> None:
    world, server = served_now
    client = msal_client(
        served_now,
        {"thumbprint": sha1(world.certificate).hex()},
        authority=f"{server.url}/adfs",
        instance_discovery=None,
    )
    assert audience(client.acquire_token_for_client([STORAGE])["access_token"]) == "https://storage.azure.com"
    assert world.entra.requests[-1].path == "/adfs/oauth2/token"


def test_msal_understands_a_refusal(served_now: Served) -> None:
    world, _ = served_now
    world.application.unregister(sha1(world.certificate).hex())
    result = msal_client(served_now, {"thumbprint": sha1(world.certificate).hex()}).acquire_token_for_client([STORAGE])
    assert (result["error"], result["error_codes"]) == ("invalid_client", [700027])


@pytest.mark.parametrize("send_certificate_chain", [False, True])
def test_azure_identity(served_now: Served, send_certificate_chain: bool) -> None:
    world, _ = served_now
    with identity_client(served_now, azure.identity, send_certificate_chain=send_certificate_chain) as credential:
        token = credential.get_token(STORAGE)
        assert audience(token.token) == "https://storage.azure.com"
        assert 3500 < token.expires_on - time.time() <= 3600
    (entry,) = world.entra.requests
    assert entry.assertion_header is not None
    assert ("x5c" in entry.assertion_header) == send_certificate_chain


def test_azure_identity_with_cae(served_now: Served) -> None:
    with identity_client(served_now, azure.identity) as credential:
        token = credential.get_token(STORAGE, enable_cae=True).token
    assert jwt.decode(token, options={"verify_signature": False})["xms_cc"] == ["CP1"]


def test_azure_identity_raises_on_a_refusal(served_now: Served) -> None:
    world, _ = served_now
    world.entra.inject(Fault.aadsts(7000112))
    with (
        identity_client(served_now, azure.identity) as credential,
        pytest.raises(ClientAuthenticationError, match="AADSTS7000112"),
    ):
        credential.get_token(STORAGE)


def test_azure_identity_under_asyncio(served_now: Served) -> None:
    world, _ = served_now

    async def main() -> str:
        async with identity_client(served_now, azure.identity.aio) as credential:
            return str((await credential.get_token(STORAGE)).token)

    assert audience(asyncio.run(main())) == "https://storage.azure.com"
    (entry,) = world.entra.requests
    # The quirks that this is here for: half an hour, and padding.
    assert entry.assertion_claims is not None
    assert entry.assertion is not None
    assert entry.assertion_claims["exp"] - entry.assertion_claims["nbf"] == 1800  # type: ignore[operator]
    assert entry.assertion.endswith("==")


def test_strict_mode_refuses_them_all(served_now: Served) -> None:
    world, _ = served_now
    world.entra.settings.strict = True
    result = msal_client(served_now, {"thumbprint": sha1(world.certificate).hex()}).acquire_token_for_client([STORAGE])
    assert result["error_codes"] == [50027]
    with identity_client(served_now, azure.identity) as credential, pytest.raises(ClientAuthenticationError):
        credential.get_token(STORAGE)
