"""Hosts, tenants, and the token endpoint as a function of both."""

from __future__ import annotations

import re

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from hypothesis import given
from hypothesis import strategies as st

from azure_certvar_credential._core.authority import (
    Authority,
    parse_authority,
    parse_tenant,
    refuse_user_tenant,
    resolve_tenant,
)
from azure_certvar_credential.exceptions import ConfigurationError, TenantNotAllowedError

TENANT = "11111111-2222-3333-4444-555555555555"
OTHER = "contoso.onmicrosoft.com"

# Every host of the clouds that are open, and the older names of theirs that still answer.
MICROSOFT_HOSTS = [
    "login.microsoftonline.com",
    "login.windows.net",
    "login.microsoft.com",
    "sts.windows.net",
    "login.partner.microsoftonline.cn",
    "login.chinacloudapi.cn",
    "login.microsoftonline.us",
    "login.usgovcloudapi.net",
    "login.sovcloud-identity.fr",
    "login.sovcloud-identity.de",
    "login.sovcloud-identity.sg",
]


def parsed(text: str, *, tenant_id: str = TENANT, trust: bool = False) -> Authority:
    return parse_authority(text, tenant_id=tenant_id, trust_unknown_host=trust)


@pytest.mark.parametrize("host", MICROSOFT_HOSTS)
@pytest.mark.parametrize("form", ["{}", "https://{}", "https://{}/", "HTTPS://{}", "  {}\n", "{}:443", "https://{}:"])
def test_every_form_of_a_microsoft_host_gives_the_same_authority(host: str, form: str) -> None:
    assert parsed(form.format(host)) == Authority(f"https://{host}", "entra")
    assert parsed(form.format(host.upper())) == Authority(f"https://{host}", "entra")


@pytest.mark.parametrize("host", MICROSOFT_HOSTS)
def test_the_token_endpoint_is_a_template_over_host_and_tenant(host: str) -> None:
    assert parsed(host).token_endpoint(TENANT) == f"https://{host}/{TENANT}/oauth2/v2.0/token"


@pytest.mark.parametrize(
    ("text", "tenant_id"),
    [("https://fs.contoso.com/adfs", TENANT), ("fs.contoso.com/adfs/", TENANT), ("fs.contoso.com", "adfs")],
)
def test_an_adfs_server_has_one_endpoint_without_tenant_and_version(text: str, tenant_id: str) -> None:
    authority = parsed(text, tenant_id=tenant_id, trust=True)
    assert authority.kind == "adfs"
    assert authority.token_endpoint(tenant_id) == "https://fs.contoso.com/adfs/oauth2/token"


def test_a_retired_cloud_is_named_as_retired_even_to_those_who_trust_it() -> None:
    for trust in (False, True):
        with pytest.raises(ConfigurationError, match=r"login\.microsoftonline\.de no longer exists: .* 2021"):
            parsed("login.microsoftonline.de", trust=trust)


@pytest.mark.parametrize(
    "host", ["login.example.com", "login.microsoftonline.com.evil.example", "evil-login.microsoftonline.com", "a"]
)
def test_an_unknown_host_is_refused_with_the_option_that_allows_it(host: str) -> None:
    with pytest.raises(ConfigurationError, match="disable_instance_discovery=True") as caught:
        parsed(host)
    assert host in str(caught.value)
    assert "login.microsoftonline.com" in str(caught.value)
    assert parsed(host, trust=True).base == f"https://{host}"


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("localhost:8443", "https://localhost:8443"),
        ("https://127.0.0.1:1", "https://127.0.0.1:1"),
        ("https://[::1]:8443", "https://[::1]:8443"),
        ("[2001:DB8::1]", "https://[2001:db8::1]"),
        ("https://login.example.com:443/", "https://login.example.com"),
    ],
)
def test_a_port_and_an_ipv6_address_are_kept(text: str, base: str) -> None:
    assert parsed(text, trust=True).base == base


@pytest.mark.parametrize("text", ["http://login.microsoftonline.com", "ftp://login.microsoftonline.com", "file:///x"])
def test_another_scheme_than_https_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="must use https"):
        parsed(text)


@pytest.mark.parametrize(
    "text",
    [
        f"https://login.microsoftonline.com/{TENANT}",
        "login.microsoftonline.com/common/oauth2/v2.0/token",
        "login.microsoftonline.com?tenant=x",
        "login.microsoftonline.com#x",
        "login.microsoftonline.com/adfs/oauth2",
    ],
)
def test_a_path_query_or_fragment_is_refused_and_the_tenants_place_named(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"must be a host only.*tenant_id"):
        parsed(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://",
        "https:///common",
        "login.microsoftonline.com:port",
        "login.microsoftonline.com:70000",
        "https://[::1",
        "https://::1",
        "https://]",
        "login microsoftonline.com",
        "login_microsoftonline.com",
        "login.microsoftonline.com\\@evil.example",
        "l\u00f6gin.example",
        "login\u2100.example",  # urllib refuses it: it is written a/c after normalization
        "%2e.example",
        "*",
    ],
)
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        parsed(text, trust=True)


@pytest.mark.parametrize("text", ["", " ", None, 7, b"login.microsoftonline.com"])
def test_an_authority_that_is_no_text_is_refused(text: object) -> None:
    with pytest.raises(ConfigurationError, match="authority must be a host name or an https URL"):
        parse_authority(text, tenant_id=TENANT, trust_unknown_host=True)  # type: ignore[arg-type]


@pytest.mark.parametrize("scheme", ["https://", "http://", ""])
def test_a_password_in_an_authority_is_refused_and_not_repeated(scheme: str) -> None:
    with pytest.raises(ConfigurationError, match="user") as caught:
        parsed(f"{scheme}user:hunter2@login.microsoftonline.com", trust=True)
    assert "hunter2" not in str(caught.value)


@given(st.text())
def test_any_text_is_an_https_authority_or_a_configuration_error(text: str) -> None:
    try:
        authority = parsed(text, trust=True)
    except ConfigurationError:
        return
    assert re.fullmatch(r"https://([a-z0-9.-]+|\[[a-z0-9.:]+\])(:[0-9]{1,5})?", authority.base)


@pytest.mark.parametrize("tenant", [TENANT, TENANT.upper(), OTHER, "Contoso.Example", "a", "0", "a.a-" * 63 + "a"])
def test_a_guid_or_domain_name_is_a_tenant_and_becomes_lower_case(tenant: str) -> None:
    assert parse_tenant(tenant) == tenant.lower()


@pytest.mark.parametrize(
    "tenant",
    [
        *["", " ", "a b", "a/b", "../common", "a?b", "a#b", "a%2fb", ".a", "a.", "-a", "a-", "tenant\n", "t\u00e9nant"],
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
