"""A strict OpenID provider that nobody here wrote takes our assertions, and refuses them when they are altered."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from typing import Any, Final

import pytest
from azure.core.credentials import AccessToken

from azure_certvar_credential import CertVarCredential, ClientCertificate
from azure_certvar_credential.aio import CertVarCredential as AsyncCertVarCredential
from azure_certvar_credential.exceptions import AuthenticationError
from tests.real.servers.oidc_provider import TOKEN_SECONDS, OidcProvider

SCOPE: Final = "api://orders/.default"
RSA_ALGORITHMS: Final = [family + bits for family in ("RS", "PS") for bits in ("256", "384", "512")]


@pytest.fixture(scope="module")
def rsa_certificate() -> ClientCertificate:
    return ClientCertificate.self_signed("rsa")


@pytest.fixture(scope="module")
def client_id(oidc_provider: OidcProvider, rsa_certificate: ClientCertificate) -> str:
    return oidc_provider.register(rsa_certificate.signer.public_key)


def _options(provider: OidcProvider, **more: Any) -> dict[str, Any]:
    return {
        "authority": provider.authority,
        "disable_instance_discovery": True,
        "connection_verify": provider.ca_file,
        "retry_total": 0,
        **more,
    }


def _assertion(provider: OidcProvider, client_id: str, certificate: ClientCertificate, **options: Any) -> str:
    """Return an assertion as the credential puts it on the wire, without letting it get there."""
    seen: list[str] = []

    class StopError(Exception):
        pass

    def keep(request: Any) -> None:
        seen.append(request.http_request.content["client_assertion"])
        raise StopError

    credential = CertVarCredential(
        provider.tenant_id, client_id, certificate, raw_request_hook=keep, **_options(provider, **options)
    )
    with credential, pytest.raises(StopError):
        credential.get_token(SCOPE)
    return seen[0]


@pytest.mark.parametrize("algorithm", RSA_ALGORITHMS)
def test_it_takes_our_rsa_assertions(
    oidc_provider: OidcProvider, rsa_certificate: ClientCertificate, client_id: str, algorithm: str
) -> None:
    credential = CertVarCredential(
        oidc_provider.tenant_id, client_id, rsa_certificate, algorithm=algorithm, **_options(oidc_provider)
    )
    with credential:
        token = credential.get_token(SCOPE)

    assert isinstance(token, AccessToken)
    assert abs(token.expires_on - time.time() - TOKEN_SECONDS) < 30
    claims = oidc_provider.verified_claims(token.token)
    assert claims["client_id"] == client_id
    assert claims["scope"] == SCOPE


def test_it_takes_our_es256_assertion(oidc_provider: OidcProvider) -> None:
    certificate = ClientCertificate.self_signed("ec", key="EC-P256")
    client = oidc_provider.register(certificate.signer.public_key)
    with CertVarCredential(
        oidc_provider.tenant_id, client, certificate, algorithm="ES256", **_options(oidc_provider)
    ) as credential:
        assert oidc_provider.verified_claims(credential.get_token(SCOPE).token)["client_id"] == client


def test_it_takes_the_assertion_of_the_async_credential(
    oidc_provider: OidcProvider, rsa_certificate: ClientCertificate, client_id: str
) -> None:
    async def fetch() -> AccessToken:
        async with AsyncCertVarCredential(
            oidc_provider.tenant_id,
            client_id,
            rsa_certificate.to_pfx("secret"),
            password="secret",
            **_options(oidc_provider),
        ) as credential:
            return await credential.get_token(SCOPE)

    assert oidc_provider.verified_claims(asyncio.run(fetch()).token)["client_id"] == client_id


def test_it_takes_the_assertion_for_others_in_a_hand_written_request(
    oidc_provider: OidcProvider, rsa_certificate: ClientCertificate, client_id: str
) -> None:
    with CertVarCredential("contoso.example", client_id, rsa_certificate) as credential:
        answer = oidc_provider.token(client_id, credential.client_assertion(oidc_provider.token_endpoint))
    assert answer.status == 200, answer


def test_it_takes_one_assertion_after_the_other(
    oidc_provider: OidcProvider, rsa_certificate: ClientCertificate, client_id: str
) -> None:
    """It refuses a ``jti`` that it has seen, so this fails when an assertion is used twice."""
    with CertVarCredential(
        oidc_provider.tenant_id, client_id, rsa_certificate, **_options(oidc_provider)
    ) as credential:
        tokens = {credential.get_token(f"api://orders-{n}/.default").token for n in range(5)}

    assert len(tokens) == 5


def test_an_untouched_assertion_is_good_once_and_only_once(
    oidc_provider: OidcProvider, rsa_certificate: ClientCertificate, client_id: str
) -> None:
    assertion = _assertion(oidc_provider, client_id, rsa_certificate)

    assert oidc_provider.token(client_id, assertion).status == 200
    _assert_refused(oidc_provider, client_id, assertion, "must only be used once")


ALTERED: Final[dict[str, tuple[Callable[[list[str], list[str]], list[str]], str]]] = {
    "header": (lambda one, other: [other[0], *one[1:]], "signature verification failed"),
    "payload": (lambda one, other: [one[0], other[1], one[2]], "signature verification failed"),
    "signature": (lambda one, other: [*one[:2], other[2]], "signature verification failed"),
}


@pytest.mark.parametrize("part", ALTERED)
def test_it_refuses_an_assertion_with_a_part_of_another(
    oidc_provider: OidcProvider, rsa_certificate: ClientCertificate, client_id: str, part: str
) -> None:
    alter, reason = ALTERED[part]
    one = _assertion(oidc_provider, client_id, rsa_certificate).split(".")
    other = _assertion(oidc_provider, client_id, rsa_certificate, algorithm="RS256").split(".")
    if part == "header":
        other[0] = _assertion(oidc_provider, client_id, rsa_certificate, send_certificate_chain=True).split(".")[0]

    _assert_refused(oidc_provider, client_id, ".".join(alter(one, other)), reason)


def test_it_refuses_an_assertion_for_another_endpoint(
    oidc_provider: OidcProvider, rsa_certificate: ClientCertificate, client_id: str
) -> None:
    seen: list[str] = []

    def keep(request: Any) -> None:
        seen.append(request.http_request.content["client_assertion"])

    with (
        CertVarCredential(
            "fabrikam.example", client_id, rsa_certificate, raw_request_hook=keep, **_options(oidc_provider)
        ) as credential,
        pytest.raises(AuthenticationError),
    ):
        credential.get_token(SCOPE)

    _assert_refused(oidc_provider, client_id, seen[0], "(aud)")


@pytest.mark.parametrize(
    ("seconds", "reason"), [(-700, "jwt expired"), (3600, "jwt not active yet")], ids=["expired", "not yet valid"]
)
def test_it_refuses_an_assertion_of_another_time(
    oidc_provider: OidcProvider, rsa_certificate: ClientCertificate, client_id: str, seconds: int, reason: str
) -> None:
    """The credential itself would correct its clock by the date of the refusal."""
    assertion = _assertion(oidc_provider, client_id, rsa_certificate, _clock=lambda: time.time() + seconds)
    _assert_refused(oidc_provider, client_id, assertion, reason)


def test_it_refuses_another_key(oidc_provider: OidcProvider, client_id: str) -> None:
    with (
        CertVarCredential(
            oidc_provider.tenant_id, client_id, ClientCertificate.self_signed("stranger"), **_options(oidc_provider)
        ) as credential,
        pytest.raises(AuthenticationError, match="signature verification failed") as caught,
    ):
        credential.get_token(SCOPE)

    assert caught.value.error_code == "invalid_client"
    assert caught.value.status_code == 401


def test_every_segment_on_the_wire_is_strict_base64url(
    oidc_provider: OidcProvider, rsa_certificate: ClientCertificate, client_id: str
) -> None:
    for segment in _assertion(oidc_provider, client_id, rsa_certificate).split("."):
        assert re.fullmatch(r"[A-Za-z0-9_-]+", segment)


def _assert_refused(provider: OidcProvider, client_id: str, assertion: str, reason: str) -> None:
    answer = provider.token(client_id, assertion)
    assert answer.status == 401, answer
    assert answer.body["error"] == "invalid_client"
    assert reason in answer.body["error_description"]
