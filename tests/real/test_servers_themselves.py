"""The real servers accept and refuse what they should, shown without this package: a bug of ours cannot hide here."""

from __future__ import annotations

import time
import uuid
from typing import Any, Final

import jwt
import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobServiceClient
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.real.servers.azurite import Azurite
from tests.real.servers.oidc_provider import TOKEN_SECONDS, OidcProvider

_CURVES: Final = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
_ALGORITHMS: Final = [family + bits for family in ("RS", "PS", "ES") for bits in ("256", "384", "512")]


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def client_id(oidc_provider: OidcProvider, rsa_key: rsa.RSAPrivateKey) -> str:
    return oidc_provider.register(rsa_key.public_key())


def _claims(provider: OidcProvider, client_id: str, **changes: Any) -> dict[str, Any]:
    now = int(time.time())
    claims = {
        "aud": provider.token_endpoint,
        "iss": client_id,
        "sub": client_id,
        "jti": str(uuid.uuid4()),
        "iat": now,
        "nbf": now,
        "exp": now + 600,
    } | changes
    return {name: value for name, value in claims.items() if value is not None}


@pytest.mark.parametrize("algorithm", _ALGORITHMS)
def test_oidc_provider_takes_a_hand_made_assertion_under_every_algorithm(
    oidc_provider: OidcProvider, rsa_key: rsa.RSAPrivateKey, algorithm: str
) -> None:
    key = ec.generate_private_key(_CURVES[algorithm]) if algorithm in _CURVES else rsa_key
    client = oidc_provider.register(key.public_key())

    answer = oidc_provider.token(client, jwt.encode(_claims(oidc_provider, client), key, algorithm))

    assert answer.status == 200, answer
    assert answer.body["token_type"] == "Bearer"
    assert answer.body["expires_in"] == TOKEN_SECONDS
    claims = oidc_provider.verified_claims(answer.body["access_token"])
    assert claims["client_id"] == client
    assert claims["scope"] == "api://orders/.default"


_NOW: Final = int(time.time())
_FAULTS: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "another audience": ({"aud": "https://login.microsoftonline.com/x/oauth2/v2.0/token"}, "audience (aud) must"),
    "an audience of two": ({"aud": ["https://other.example", "https://localhost"]}, "(aud) must include"),
    "no audience": ({"aud": None}, "aud (JWT audience) must be provided"),
    "expired": ({"nbf": _NOW - 700, "exp": _NOW - 100}, "jwt expired"),
    "not yet valid": ({"nbf": _NOW + 3600, "exp": _NOW + 4000}, "jwt not active yet"),
    "no expiry": ({"exp": None}, "expiration must be specified"),
    "no nbf": ({"nbf": None}, "nbf must be an integer"),
    "times with a fraction": ({"iat": _NOW + 0.5}, "iat must be an integer"),
    "too long a life": ({"exp": _NOW + 7200}, "must not live longer"),
    "no jti": ({"jti": None}, "jti (JWT ID) must be provided"),
    "another issuer": ({"iss": str(uuid.UUID(int=1))}, "iss (JWT issuer) must be the client_id"),
}


@pytest.mark.parametrize(("changes", "reason"), _FAULTS.values(), ids=_FAULTS)
def test_oidc_provider_refuses_altered_claims(
    oidc_provider: OidcProvider, rsa_key: rsa.RSAPrivateKey, client_id: str, changes: dict[str, Any], reason: str
) -> None:
    assertion = jwt.encode(_claims(oidc_provider, client_id, **changes), rsa_key, "PS256")

    _assert_refused(oidc_provider, client_id, assertion, reason)


def test_oidc_provider_refuses_its_issuer_as_audience(
    oidc_provider: OidcProvider, rsa_key: rsa.RSAPrivateKey, client_id: str
) -> None:
    assertion = jwt.encode(_claims(oidc_provider, client_id, aud=oidc_provider.issuer), rsa_key, "PS256")

    _assert_refused(oidc_provider, client_id, assertion, "must be the token_endpoint")


def test_oidc_provider_refuses_a_replayed_jti(
    oidc_provider: OidcProvider, rsa_key: rsa.RSAPrivateKey, client_id: str
) -> None:
    assertion = jwt.encode(_claims(oidc_provider, client_id), rsa_key, "PS256")
    assert oidc_provider.token(client_id, assertion).status == 200

    _assert_refused(oidc_provider, client_id, assertion, "must only be used once")


def test_oidc_provider_refuses_another_key(oidc_provider: OidcProvider, client_id: str) -> None:
    stranger = rsa.generate_private_key(65537, 2048)

    assertion = jwt.encode(_claims(oidc_provider, client_id), stranger, "PS256")

    _assert_refused(oidc_provider, client_id, assertion, "signature verification failed")


@pytest.mark.parametrize("segment", [0, 1, 2], ids=["header", "payload", "signature"])
def test_oidc_provider_refuses_a_tampered_assertion(
    oidc_provider: OidcProvider, rsa_key: rsa.RSAPrivateKey, client_id: str, segment: int
) -> None:
    first = jwt.encode(_claims(oidc_provider, client_id), rsa_key, "PS256").split(".")
    second = jwt.encode(_claims(oidc_provider, client_id), rsa_key, "PS256", headers={"x": "y"}).split(".")
    first[segment] = second[segment]

    _assert_refused(oidc_provider, client_id, ".".join(first), "signature verification failed")


def _assert_refused(provider: OidcProvider, client_id: str, assertion: str, reason: str) -> None:
    answer = provider.token(client_id, assertion)
    assert answer.status == 401, answer
    assert answer.body["error"] == "invalid_client"
    assert reason in answer.body["error_description"]


class _StaticCredential:
    """An Azure credential that was given its token."""

    def __init__(self, token: str) -> None:
        self._token = token
        self.scopes: list[str] = []

    def get_token(self, *scopes: str, **_options: Any) -> AccessToken:
        self.scopes += scopes
        return AccessToken(self._token, int(time.time()) + 3600)


def _storage_token(key: rsa.RSAPrivateKey, **changes: Any) -> str:
    now = int(time.time())
    claims = {
        "aud": "https://storage.azure.com",
        "iss": f"https://sts.windows.net/{uuid.UUID(int=2)}/",
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
    }
    return jwt.encode(claims | changes, key, "RS256")


@pytest.fixture
def container_name() -> str:
    return f"c-{uuid.uuid4().hex}"


def test_azurite_takes_a_hand_made_token_from_the_sdk(
    azurite: Azurite, rsa_key: rsa.RSAPrivateKey, container_name: str
) -> None:
    credential = _StaticCredential(_storage_token(rsa_key))
    content = bytes(range(256)) * 256
    with (
        BlobServiceClient(azurite.account_url, credential=credential, connection_verify=azurite.ca_file) as service,
        service.create_container(container_name) as container,
    ):
        container.upload_blob("some.bin", content)
        assert [blob.name for blob in container.list_blobs()] == ["some.bin"]
        assert container.download_blob("some.bin").readall() == content

    assert set(credential.scopes) == {"https://storage.azure.com/.default"}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"iss": "https://localhost/tenant/"}, id="another issuer"),
        pytest.param({"aud": "https://graph.microsoft.com"}, id="another audience"),
        pytest.param({"exp": _NOW - 10}, id="expired"),
        pytest.param({"nbf": _NOW + 3600}, id="not yet valid"),
    ],
)
def test_azurite_refuses_a_token_that_storage_would_not_take(
    azurite: Azurite, rsa_key: rsa.RSAPrivateKey, container_name: str, changes: dict[str, Any]
) -> None:
    credential = _StaticCredential(_storage_token(rsa_key, **changes))

    with (
        BlobServiceClient(azurite.account_url, credential=credential, connection_verify=azurite.ca_file) as service,
        pytest.raises(HttpResponseError) as refusal,
    ):
        service.create_container(container_name)

    assert refusal.value.status_code == 403
    assert refusal.value.error_code == "AuthenticationFailed"  # type: ignore[attr-defined]  # set by storage's own code
