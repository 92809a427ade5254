"""The settings of a credential, checked once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from azure.core.pipeline.policies import RetryMode, RetryPolicy
from hypothesis import given
from hypothesis import strategies as st

from azure_certvar_credential._core.checks import check_key
from azure_certvar_credential._core.client_authentication.private_key_jwt import PrivateKeyJwt
from azure_certvar_credential._core.config import Settings, settings
from azure_certvar_credential._core.grants.client_credentials import APPLICATION
from azure_certvar_credential._core.options import CertificateOptions, FederatedOptions
from azure_certvar_credential._core.retries import Retry
from azure_certvar_credential.exceptions import ConfigurationError, TenantNotAllowedError
from tests.core.certificates import certificate
from tests.core.script import made_settings

TENANT = "11111111-2222-3333-4444-555555555555"
CLIENT = "66666666-7777-8888-9999-000000000000"


def made(
    tenant_id: Any = TENANT, client_id: Any = CLIENT, *, environment: Mapping[str, str] | None = None, **changed: Any
) -> Settings:
    options = CertificateOptions(tenant_id=tenant_id, client_id=client_id, **changed)
    return settings(options, retry=Retry(), environment=environment or {})


def method(**changed: Any) -> PrivateKeyJwt:
    made_method = made(**changed).client_authentication
    assert isinstance(made_method, PrivateKeyJwt)
    return made_method


def test_the_defaults_are_the_public_cloud_and_ps256() -> None:
    made_settings = made(TENANT.upper())
    assert made_settings.tenant_id == TENANT
    assert made_settings.authority.base == "https://login.microsoftonline.com"
    assert method() == PrivateKeyJwt(CLIENT, "PS256", send_certificate_chain=False, by_default=True)
    assert made_settings.additionally_allowed_tenants == frozenset()


def test_assertions_are_for_the_issuer_of_an_openid_provider_unless_the_caller_says_otherwise() -> None:
    assert method(oidc_authority="https://idp.example").for_issuer
    assert method(oidc_authority="https://idp.example", assertion_audience="issuer").for_issuer
    assert not method(oidc_authority="https://idp.example", assertion_audience="token_endpoint").for_issuer
    assert not method().for_issuer


@pytest.mark.parametrize("audience", ["", "Issuer", "https://idp.example", 7, ["issuer"]])
def test_an_assertions_audience_is_one_of_two(audience: object) -> None:
    with pytest.raises(ConfigurationError, match="assertion_audience must be 'issuer' or 'token_endpoint'"):
        made(oidc_authority="https://idp.example", assertion_audience=audience)


@pytest.mark.parametrize("audience", ["issuer", "token_endpoint"])
def test_an_assertions_audience_is_for_openid_providers(audience: str) -> None:
    with pytest.raises(ConfigurationError, match="goes with oidc_authority alone"):
        made(assertion_audience=audience)


@pytest.mark.parametrize("name", ["send_certificate_chain", "disable_instance_discovery"])
@pytest.mark.parametrize("flag", ["false", "0", "", 0, 1, [], "True"])
def test_a_switch_is_true_or_false_and_no_text_that_says_so(name: str, flag: object) -> None:
    """``os.environ.get(...)`` is true whatever it says, and one of these switches trusts unknown hosts."""
    with pytest.raises(ConfigurationError, match=f"{name} must be True or False"):
        made(**dict[str, Any]({name: flag}))


@pytest.mark.parametrize("name", ["send_certificate_chain", "disable_instance_discovery"])
def test_a_switch_that_is_none_is_off(name: str) -> None:
    assert made(**{name: None}) == made()


@pytest.mark.parametrize("tenant", ["common", "Organizations", "consumers"])
def test_tenants_for_users_cannot_be_allowed_either(tenant: str) -> None:
    with pytest.raises(ConfigurationError, match="is for users who sign in"):
        made(additionally_allowed_tenants=[TENANT, tenant])


@pytest.mark.parametrize(
    ("authority", "environment", "base"),
    [
        (None, {"AZURE_AUTHORITY_HOST": "login.microsoftonline.us"}, "https://login.microsoftonline.us"),
        (None, {"AZURE_AUTHORITY_HOST": ""}, "https://login.microsoftonline.com"),
        ("login.windows.net", {"AZURE_AUTHORITY_HOST": "login.microsoftonline.us"}, "https://login.windows.net"),
    ],
)
def test_the_environments_authority_is_the_default_and_an_argument_wins(
    authority: str | None, environment: dict[str, str], base: str
) -> None:
    assert made(authority=authority, environment=environment).authority.base == base


def test_an_unknown_authority_of_the_environment_is_refused_too() -> None:
    with pytest.raises(ConfigurationError, match="disable_instance_discovery=True"):
        made(environment={"AZURE_AUTHORITY_HOST": "login.example.com"})


@pytest.mark.parametrize("client_id", ["", " ", "a b", "a\n", "\u00e9", "x" * 257, None, 7, b"abc"])
def test_a_client_id_that_cannot_be_one_is_refused(client_id: object) -> None:
    with pytest.raises(ConfigurationError, match="Application \\(client\\) ID"):
        made(client_id=client_id)


@pytest.mark.parametrize("quotes", ['""', "''", "``", "\u201c\u201d", "\u2018\u2019"])
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("tenant_id", TENANT),
        ("client_id", CLIENT),
        ("authority", "login.microsoftonline.us"),
        ("oidc_authority", "https://idp.example"),
        ("region", "westeurope"),
    ],
)
def test_the_quotes_that_an_env_file_left_are_named(option: str, value: str, quotes: str) -> None:
    for space in ("", " "):
        given: dict[str, Any] = {option: f"{space}{quotes[0]}{value}{quotes[1]}{space}"}
        with pytest.raises(ConfigurationError, match=f"^{option} is in quotes: remove them"):
            made(**given)


def test_the_quotes_around_another_allowed_tenant_are_named_too() -> None:
    for tenant in ('"*"', f"'{TENANT}'"):
        with pytest.raises(ConfigurationError, match="in quotes"):
            made(additionally_allowed_tenants=[tenant])


@pytest.mark.parametrize("client_id", ['a"b', "it's", '"', '"a'])
def test_a_quote_within_a_client_id_is_a_part_of_it(client_id: str) -> None:
    """RFC 6749 appendix A.1 allows it."""
    assert made(client_id=client_id).client_id == client_id


@pytest.mark.parametrize("tenant", ["common", "organizations", "consumers"])
def test_a_tenant_for_users_is_refused_unless_others_are_allowed(tenant: str) -> None:
    with pytest.raises(ConfigurationError, match="is for users"):
        made(tenant)
    other = made(tenant, additionally_allowed_tenants=["*"]).request(
        ("s",), claims=None, tenant_id=TENANT, enable_cae=False
    )
    assert other.tenant_id == TENANT


def test_allowed_tenants_are_checked_and_made_lower_case() -> None:
    allowed = made(additionally_allowed_tenants=["Contoso.Example", "*"]).additionally_allowed_tenants
    assert allowed == {"contoso.example", "*"}
    with pytest.raises(ConfigurationError, match="tenant_id must be"):
        made(additionally_allowed_tenants=["a b"])
    with pytest.raises(ConfigurationError, match=r"must be a list, such as \['\*'\]"):
        made(additionally_allowed_tenants="*")


def test_adfs_gets_rs256_and_nothing_else() -> None:
    server: dict[str, Any] = {"authority": "fs.contoso.com/adfs", "disable_instance_discovery": True}
    assert method(**server).algorithm == "RS256"
    assert method(algorithm="RS256", **server).algorithm == "RS256"
    with pytest.raises(ConfigurationError, match="ADFS accepts RS256 only, not PS256"):
        made(algorithm="PS256", **server)


@pytest.mark.parametrize("algorithm", ["none", "HS256", "ps256", "EdDSA", "PS256 "])
def test_an_unknown_algorithm_is_refused_with_the_list_of_those_known(algorithm: str) -> None:
    with pytest.raises(ConfigurationError, match=r"is not one of ES256, .*, RS512"):
        made(algorithm=algorithm)


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        *[(name, "RSA") for name in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")],
        *[("ES256", "P-256"), ("ES384", "P-384"), ("ES512", "P-521")],
    ],
)
def test_a_key_that_fits_the_algorithm_passes(algorithm: str, key: str) -> None:
    check_key(certificate(key=key), algorithm)


@pytest.mark.parametrize(
    ("algorithm", "key", "message"),
    [
        ("PS256", "P-256", r"needs an RSA key, and the certificate's key is EC-256; .*algorithm='ES256'"),
        ("ES256", "RSA", r"needs an EC key, and the certificate's key is RSA-2048; leave algorithm out"),
        ("ES256", "P-384", r"ES256 needs a key on secp256r1 .*, not on secp384r1"),
        ("ES512", "P-256", r"ES512 needs a key on secp521r1 .*, not on secp256r1"),
    ],
)
def test_a_key_that_does_not_fit_is_refused_with_what_would(algorithm: str, key: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        check_key(certificate(key=key), algorithm)


def test_a_request_takes_the_settings_rules_for_tenants() -> None:
    with pytest.raises(TenantNotAllowedError):
        made().request(("s",), claims=None, tenant_id="contoso.example", enable_cae=False)
    allowed = made(additionally_allowed_tenants=["contoso.example"])
    request = allowed.request(("s",), claims="{}", tenant_id="Contoso.Example", enable_cae=True)
    assert (request.tenant_id, request.scopes, request.claims, request.enable_cae) == (
        "contoso.example",
        ("s",),
        "{}",
        True,
    )


@pytest.mark.parametrize("value", ["1", "true", "false", "0"])  # anything that is set, as azure-identity reads it
def test_a_variable_of_azure_identity_keeps_every_request_in_the_credentials_own_tenant(value: str) -> None:
    variable = {"AZURE_IDENTITY_DISABLE_MULTITENANTAUTH": value}
    others: list[dict[str, Any]] = [
        {},
        {"additionally_allowed_tenants": ["*"]},
        {"oidc_authority": "https://idp.example"},
    ]
    for options in others:
        for requested in (None, TENANT, "another.example", "no tenant!"):
            request = made(environment=variable, **options).request(
                ("a",), claims=None, tenant_id=requested, enable_cae=False
            )
            assert request.tenant_id == TENANT


def test_that_variable_set_to_nothing_is_not_set() -> None:
    with pytest.raises(TenantNotAllowedError):
        made(environment={"AZURE_IDENTITY_DISABLE_MULTITENANTAUTH": ""}).request(
            ("a",), claims=None, tenant_id="another.example", enable_cae=False
        )


@given(
    attempt=st.integers(1, 40),
    factor=st.floats(0, 100),
    longest=st.floats(0, 1000),
    mode=st.sampled_from([RetryMode.Exponential, RetryMode.Fixed]),
)
def test_pauses_follow_azure_cores_own_arithmetic(attempt: int, factor: float, longest: float, mode: RetryMode) -> None:
    policy: RetryPolicy[Any, Any] = RetryPolicy(retry_backoff_factor=factor, retry_backoff_max=longest, retry_mode=mode)
    theirs = policy.get_backoff_time({"history": [None] * attempt, "backoff": factor, "max_backoff": longest})
    ours = Retry(backoff_factor=factor, backoff_max=longest, exponential=mode is RetryMode.Exponential)
    if attempt <= 17:  # later, ours no longer grows: 2**16 seconds are longer than any maximum in use
        assert ours.pause(attempt) == pytest.approx(theirs)
    assert 0 <= ours.pause(attempt) <= longest


def test_a_source_of_assertions_is_not_shown() -> None:
    options = FederatedOptions("contoso.example", "client", assertion_source="a function with a secret in its repr")
    assert "secret" not in repr(options)


def test_claims_of_one_call_that_are_no_object_are_named_by_their_argument() -> None:
    with pytest.raises(ConfigurationError, match=r"^client_claims must be a dict"):
        made_settings().request(
            ("https://storage.azure.com/.default",),
            claims=None,
            tenant_id=None,
            enable_cae=False,
            grant=APPLICATION,
            client_claims="no json",
        )
