"""Which name is a tenant's, and which tenant a token is asked of."""

from __future__ import annotations

import re

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from hypothesis import given
from hypothesis import strategies as st

from azure_certvar_credential._core.authority import Authority
from azure_certvar_credential._core.tenant import parse_tenant, refuse_user_tenant, resolve_tenant
from azure_certvar_credential.exceptions import ConfigurationError, TenantNotAllowedError

TENANT = "11111111-2222-3333-4444-555555555555"
OTHER = "contoso.onmicrosoft.com"


@pytest.mark.parametrize("tenant", [TENANT, TENANT.upper(), OTHER, "Contoso.Example", "a", "0", "a.a-" * 63 + "a"])
def test_a_guid_or_domain_name_is_a_tenant_and_becomes_lower_case(tenant: str) -> None:
    assert parse_tenant(tenant) == tenant.lower()


@pytest.mark.parametrize(
    "tenant",
    [
        *[
            "",
            " ",
            "a b",
            "a/b",
            "../common",
            "a..b",
            "a?b",
            "a#b",
            "a%2fb",
            ".a",
            "a.",
            "-a",
            "a-",
            "tenant\n",
            "t\u00e9nant",
        ],
        *[
            "a." * 126 + "aa",
            "x" * 64,
            "x" * 64 + ".example",
            f"https://login.microsoftonline.com/{TENANT}",
            "{" + TENANT + "}",
            None,
            7,
            b"abc",
        ],
    ],
)
def test_what_neither_a_guid_nor_a_domain_name_has_is_refused(tenant: object) -> None:
    with pytest.raises(ConfigurationError, match="Directory \\(tenant\\) ID"):
        parse_tenant(tenant)  # type: ignore[arg-type]


@given(st.text(max_size=40))
def test_a_tenant_that_is_taken_cannot_leave_its_place_in_the_url(text: str) -> None:
    try:
        tenant = parse_tenant(text)
    except ConfigurationError:
        return
    url = Authority("https://login.microsoftonline.com", "entra").token_endpoint(tenant)
    assert url is not None
    assert url.split("/") == ["https:", "", "login.microsoftonline.com", tenant, "oauth2", "v2.0", "token"]
    assert url.isascii()


@pytest.mark.parametrize("tenant", ["common", "organizations", "consumers"])
def test_a_tenant_for_users_is_refused_to_an_application(tenant: str) -> None:
    with pytest.raises(ConfigurationError, match=f"'{tenant}' is for users"):
        refuse_user_tenant(tenant)
    with pytest.raises(ConfigurationError, match=f"'{tenant}' is for users"):
        resolve_tenant(tenant.upper(), default=TENANT, allowed=frozenset({"*"}))
    with pytest.raises(ConfigurationError, match=f"'{tenant}' is for users"):
        resolve_tenant(None, default=tenant, allowed=frozenset({"*"}))


@pytest.mark.parametrize(
    ("requested", "default", "allowed", "expected"),
    [
        (None, TENANT, frozenset(), TENANT),
        (TENANT, TENANT, frozenset(), TENANT),
        (OTHER.upper(), OTHER, frozenset(), OTHER),
        (OTHER, TENANT, frozenset({OTHER}), OTHER),
        (OTHER, TENANT, frozenset({"*"}), OTHER),
        (OTHER, "common", frozenset({OTHER}), OTHER),
        (OTHER, "adfs", frozenset(), "adfs"),  # ADFS has no tenants: whatever a challenge names, it is the same server
    ],
)
def test_a_tenant_resolves_as_azure_identity_resolves_it(
    requested: str | None, default: str, allowed: frozenset[str], expected: str
) -> None:
    assert resolve_tenant(requested, default=default, allowed=allowed) == expected


@pytest.mark.parametrize("allowed", [frozenset(), frozenset({"another.example"})])
def test_a_tenant_that_is_not_allowed_is_an_error_of_both_families(allowed: frozenset[str]) -> None:
    with pytest.raises(TenantNotAllowedError, match=re.escape(f"additionally_allowed_tenants=['{OTHER}']")) as caught:
        resolve_tenant(OTHER, default=TENANT, allowed=allowed)
    error = caught.value
    assert isinstance(error, ClientAuthenticationError)
    assert isinstance(error, HttpResponseError)
    assert isinstance(error, ConfigurationError)
    assert isinstance(error, ValueError)
    # What handlers of HttpResponseError look at is there.
    assert (error.status_code, error.reason, error.response, error.error, error.model) == (None, None, None, None, None)
    assert OTHER in error.message
    assert str(error) == error.message


@pytest.mark.parametrize("requested", [None, ""])
def test_no_tenant_is_the_default_tenant(requested: str | None) -> None:
    assert resolve_tenant(requested, default=TENANT, allowed=frozenset()) == TENANT


@pytest.mark.parametrize("requested", [" ", "a b", "a/b"])
def test_a_malformed_tenant_is_refused_before_it_is_looked_up(requested: str) -> None:
    with pytest.raises(ConfigurationError, match="tenant_id must be"):
        resolve_tenant(requested, default=TENANT, allowed=frozenset({"*"}))
