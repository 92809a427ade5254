"""What callers write as authority: the forms that are one, and the error for each that is none."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from azure_certvar_credential._core.authority import KNOWN_HOSTS, RULES, Authority
from azure_certvar_credential._core.authority_url import parse_authority, parse_issuer
from azure_certvar_credential.exceptions import ConfigurationError
from tests.core.bad_authorities import REFUSED
from tests.core.script import made_settings

GUID = "11111111-2222-3333-4444-555555555555"
TENANT = "contoso.example"
HOSTS = sorted(KNOWN_HOSTS)


def parsed(text: str, *, tenant_id: str = TENANT, trust: bool = False) -> Authority:
    return parse_authority(text, tenant_id=tenant_id, trusted_kinds=tuple(RULES) if trust else ())


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("form", ["{}", "https://{}", "https://{}/", "HTTPS://{}", "  {}\n", "{}:443", "https://{}:"])
def test_every_form_of_a_microsoft_host_gives_the_same_authority(host: str, form: str) -> None:
    assert parsed(form.format(host)) == Authority(f"https://{host}", "entra")
    assert parsed(form.format(host.upper())) == Authority(f"https://{host}", "entra")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://fs.contoso.com/adfs", Authority("https://fs.contoso.com", "adfs")),
        ("fs.contoso.com:8443/ADFS/", Authority("https://fs.contoso.com:8443", "adfs")),
        (f"https://dsts.example.net/dstsv2/{TENANT}/", Authority("https://dsts.example.net", "dsts")),
        (f"dsts.example.net/DSTSv2/{TENANT.upper()}", Authority("https://dsts.example.net", "dsts")),
        (f"https://login.contoso.com/{TENANT}/b2c_1_x", Authority("https://login.contoso.com", "b2c", "b2c_1_x")),
        (f"https://login.contoso.com/TFP/{TENANT}/x", Authority("https://login.contoso.com", "b2c", "x")),
        ("localhost:8443", Authority("https://localhost:8443", "entra")),
        ("https://127.0.0.1:1", Authority("https://127.0.0.1:1", "entra")),
        ("https://[::1]:8443", Authority("https://[::1]:8443", "entra")),
        ("[2001:DB8::1]", Authority("https://[2001:db8::1]", "entra")),
        ("https://login.example.com:443/", Authority("https://login.example.com", "entra")),
        ("a", Authority("https://a", "entra")),
    ],
    ids=range(12),
)
def test_an_authority_that_the_caller_trusts_is_told_by_its_path(text: str, expected: Authority) -> None:
    assert parsed(text, trust=True) == expected
    with pytest.raises(ConfigurationError, match="if you know and trust it, pass disable_instance_discovery=True"):
        parsed(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            f"https://contoso.b2clogin.com/{TENANT}/B2C_1A_x",
            Authority("https://contoso.b2clogin.com", "b2c", "B2C_1A_x"),
        ),
        (f"contoso.b2clogin.com/tfp/{TENANT}/anything", Authority("https://contoso.b2clogin.com", "b2c", "anything")),
        (f"contoso.b2clogin.cn/{TENANT}/B2C_1_x/", Authority("https://contoso.b2clogin.cn", "b2c", "B2C_1_x")),
        (f"contoso.b2clogin.us/{TENANT}/B2C_1_x", Authority("https://contoso.b2clogin.us", "b2c", "B2C_1_x")),
        ("https://contoso.ciamlogin.com", Authority("https://contoso.ciamlogin.com", "ciam")),
        ("contoso.ciamlogin.com/", Authority("https://contoso.ciamlogin.com", "ciam")),
        (f"https://contoso.ciamlogin.com/{TENANT.upper()}", Authority("https://contoso.ciamlogin.com", "ciam")),
    ],
    ids=range(7),
)
def test_hosts_of_b2c_and_of_external_tenants_are_known_by_their_ends(text: str, expected: Authority) -> None:
    assert parsed(text) == parsed(text, trust=True) == expected


def test_the_tenant_named_adfs_makes_a_trusted_host_an_adfs_server() -> None:
    assert parsed("fs.contoso.com", tenant_id="adfs", trust=True) == Authority("https://fs.contoso.com", "adfs")


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_work_is_named_with_its_remedy(case: str) -> None:
    given_arguments, message = REFUSED[case]
    with pytest.raises(ConfigurationError) as caught:
        made_settings(**given_arguments)
    assert str(caught.value) == message
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "host",
    [
        "login.example.com",
        "login.microsoftonline.com.evil.example",
        "evil-login.microsoftonline.com",
        "b2clogin.com",
        "evilb2clogin.com",
        "contoso.ciamlogin.com.evil.example",
        "ciamlogin.com",
        "westeurope.login.microsoft.com",
    ],
)
def test_an_unknown_host_is_refused_with_the_option_that_allows_it(host: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parsed(host)
    assert str(caught.value) == (
        f"authority '{host}' is not one of Microsoft's sign-in hosts ({', '.join(HOSTS)}); "
        "if you know and trust it, pass disable_instance_discovery=True"
    )
    assert parsed(host, trust=True).base == f"https://{host}"


@pytest.mark.parametrize("trust", [False, True])
def test_a_retired_host_is_named_as_retired_even_to_those_who_trust_it(trust: bool) -> None:
    with pytest.raises(ConfigurationError, match="no longer exists"):
        parsed("login.microsoftonline.de", trust=trust)


@pytest.mark.parametrize(
    "text",
    [
        "https:///common",
        "login.microsoftonline.com:port",
        "login.microsoftonline.com:0",
        "login.microsoftonline.com:-1",
        "https://[::1",
        "https://::1",
        "https://]",
        "https://a[::1]",
        "https://[::1]a",
        "https://[fe80::1%25eth0]",
        "https://[::1::]",
        "login microsoftonline.com",
        "login.micro\nsoftonline.com",
        "login.micro\tsoftonline.com",
        "\0login.microsoftonline.com",
        "login_microsoftonline.com",
        "login.microsoftonline.com.",
        ".login.microsoftonline.com",
        "-login.example",
        "a..example",
        "x" * 64 + ".example",
        "a." * 126 + "aaa",
        "login.microsoftonline.com\\.evil.example",
        "l\u00f6gin.example",
        "\u212aiosk.example",  # the sign for kelvin, whose lower case is a k
        "login\u2100.example",  # written a/c after normalization
        "%2e.example",
        "*",
    ],
    ids=range(28),
)
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a host name or an https URL"):
        parsed(text, trust=True)


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("https://idp.example", "https://idp.example"),
        ("https://IDP.example:443/", "https://idp.example"),
        ("https://idp.example:8443/Realms/main/", "https://idp.example:8443/Realms/main"),
        (f"https://login.contoso.com/{GUID}/v2.0", f"https://login.contoso.com/{GUID}/v2.0"),
        ("https://idp.example/a%20b/...", "https://idp.example/a%20b/..."),
    ],
    ids=range(5),
)
def test_an_issuer_keeps_its_path_to_the_letter(text: str, base: str) -> None:
    assert parse_issuer(text, tenant_id=TENANT) == Authority(base, "oidc")
    assert made_settings(oidc_authority=text, environment={"AZURE_AUTHORITY_HOST": "login.windows.net"}).authority == (
        Authority(base, "oidc")
    )


PIECES = st.sampled_from(
    [
        *["https://", "http://", "//", "/", ":", "@", "?", "#", "[", "]", "::1", "\\", ".", "..", "%", " ", "\t", "\n"],
        *["login.microsoftonline.com", "contoso.b2clogin.com", "contoso.ciamlogin.com", "fs.example", "adfs", "dstsv2"],
        *["tfp", "te", TENANT, "B2C_1_x", "443", "8443", "a", "\u212a", "{tenant}", "{base}", "evil.example"],
    ]
)
TEXTS = st.text() | st.lists(PIECES, max_size=8).map("".join)


def host_in(text: str) -> str:
    """Return the host that a text names, read in the plainest way."""
    rest = re.sub(r"^https://", "", text.strip(), flags=re.IGNORECASE)
    return re.split(r"[/?#]", rest, maxsplit=1)[0].lower().removesuffix(":")


@given(TEXTS)
@example("https:")
def test_any_text_is_an_authority_of_the_host_that_it_names_or_a_configuration_error(text: str) -> None:
    try:
        authority = parsed(text, trust=True)
    except ConfigurationError:
        return
    endpoint = authority.token_endpoint(TENANT)
    assert endpoint is not None
    assert re.fullmatch(r"https://([a-z0-9.-]+|\[[a-f0-9.:]+\])(:[0-9]{1,5})?/[A-Za-z0-9_./-]+/token", endpoint)
    netloc = endpoint.removeprefix("https://").partition("/")[0]
    assert netloc == re.sub(r":0*443$", "", re.sub(r":0+(?=[1-9])", ":", host_in(text)))


@given(TEXTS)
def test_any_text_is_an_issuer_at_the_host_that_it_names_or_a_configuration_error(text: str) -> None:
    try:
        url = parse_issuer(text, tenant_id=TENANT).metadata_url
    except ConfigurationError:
        return
    assert url.isascii()
    assert url.isprintable()
    assert url.endswith("/.well-known/openid-configuration")
    assert not {" ", "?", "#", "@", "\\"} & set(url)
    netloc = url.removeprefix("https://").partition("/")[0]
    assert netloc == re.sub(r":0*443$", "", re.sub(r":0+(?=[1-9])", ":", host_in(text)))
