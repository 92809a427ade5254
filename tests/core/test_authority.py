"""The kinds of authorities, and what each wants: endpoint, algorithm, thumbprint."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from typing import Any

import pytest
from azure.identity import AzureAuthorityHosts
from msal.authority import WELL_KNOWN_AUTHORITY_HOSTS, WELL_KNOWN_B2C_HOSTS

from azure_certvar_credential._core.authority import (
    B2C_SUFFIXES,
    CIAM_SUFFIX,
    KNOWN_HOSTS,
    RETIRED_HOSTS,
    RULES,
    Authority,
    retired,
)
from azure_certvar_credential._core.config import settings
from azure_certvar_credential._core.effects import Send, Sign
from azure_certvar_credential._core.options import CertificateOptions
from azure_certvar_credential.exceptions import ConfigurationError
from tests.core.certificates import certificate
from tests.core.responses import token
from tests.core.script import WRITE, Driver, World, flow, load, made_settings, post, read_cache

GUID = "11111111-2222-3333-4444-555555555555"
# The tenant of the scripted flow.
TENANT = "contoso.example"

# What is given, and the endpoint, algorithm and thumbprints that follow from it.
ENTRA, SHA1 = ("PS256", ["x5t#S256"]), ("RS256", ["x5t"])
KINDS: list[tuple[str, dict[str, Any], str, tuple[str, list[str]]]] = [
    ("entra", {}, f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token", ENTRA),
    (
        "entra",
        {"authority": "login.partner.microsoftonline.cn"},
        f"https://login.partner.microsoftonline.cn/{TENANT}/oauth2/v2.0/token",
        ENTRA,
    ),
    (
        "entra",
        {"authority": "https://login.example.com:8443/"},
        f"https://login.example.com:8443/{TENANT}/oauth2/v2.0/token",
        ENTRA,
    ),
    (
        "entra",
        {"region": "westeurope"},
        f"https://westeurope.login.microsoft.com/{TENANT}/oauth2/v2.0/token",
        ENTRA,
    ),
    ("adfs", {"authority": "fs.contoso.com/adfs"}, "https://fs.contoso.com/adfs/oauth2/token", SHA1),
    (
        "b2c",
        {"authority": f"https://contoso.b2clogin.com/{TENANT}/B2C_1A_App"},
        f"https://contoso.b2clogin.com/{TENANT}/B2C_1A_App/oauth2/v2.0/token",
        ENTRA,
    ),
    (
        "b2c",
        {"authority": f"https://login.contoso.com/tfp/{TENANT}/B2C_1_flow"},
        f"https://login.contoso.com/{TENANT}/B2C_1_flow/oauth2/v2.0/token",
        ENTRA,
    ),
    (
        "ciam",
        {"authority": "https://contoso.ciamlogin.com"},
        f"https://contoso.ciamlogin.com/{TENANT}/oauth2/v2.0/token",
        ENTRA,
    ),
    (
        "dsts",
        {"authority": f"https://dsts.example.net/dstsv2/{TENANT}"},
        f"https://dsts.example.net/dstsv2/{TENANT}/oauth2/v2.0/token",
        SHA1,
    ),
]


def header_of(send: Send) -> dict[str, Any]:
    header: dict[str, Any] = json.loads(urlsafe_b64decode(send.form["client_assertion"].split(".")[0] + "==="))
    return header


@pytest.mark.parametrize(("kind", "given", "endpoint", "wants"), KINDS, ids=lambda value: str(value)[:40])
def test_each_kind_is_posted_to_its_endpoint_under_its_algorithm_with_its_thumbprint(
    drive: Driver, kind: str, given: dict[str, Any], endpoint: str, wants: tuple[str, list[str]]
) -> None:
    world = World(read_cache(), load(), post(token()), WRITE)
    drive(flow(**given), world.perform)
    world.done()
    (send,), (sign,) = world.all(Send), world.all(Sign)
    algorithm, thumbprints = wants
    header, claims = header_of(send), json.loads(urlsafe_b64decode(send.form["client_assertion"].split(".")[1] + "==="))
    assert made_settings(**given).authority.kind == kind
    assert send.url == claims["aud"] == endpoint
    assert sign.algorithm == header["alg"] == algorithm
    assert [name for name in header if name.startswith("x5t")] == thumbprints
    own = {"x5t": certificate().x5t, "x5t#S256": certificate().x5t_s256}
    assert all(header[name] == own[name] for name in thumbprints)


@pytest.mark.parametrize(
    ("kind", "algorithm", "thumbprints"),
    [
        ("entra", "RS256", ["x5t", "x5t#S256"]),
        ("entra", "PS512", ["x5t#S256"]),
        ("b2c", "RS256", ["x5t", "x5t#S256"]),
        ("ciam", "RS512", ["x5t", "x5t#S256"]),
        ("adfs", "RS256", ["x5t"]),
        ("dsts", "RS256", ["x5t"]),
    ],
)
def test_a_chosen_algorithm_keeps_the_thumbprints_that_its_verifiers_look_for(
    drive: Driver, kind: str, algorithm: str, thumbprints: list[str]
) -> None:
    given = next(given for name, given, _, _ in KINDS if name == kind)
    world = World(read_cache(), load(), post(token()), WRITE)
    drive(flow(algorithm=algorithm, **given), world.perform)
    header = header_of(world.all(Send)[0])
    assert header["alg"] == algorithm
    assert [name for name in header if name.startswith("x5t")] == thumbprints


@pytest.mark.parametrize(("kind", "title"), [("adfs", "ADFS"), ("dsts", "dSTS")])
def test_a_kind_that_verifies_one_algorithm_refuses_every_other(kind: str, title: str) -> None:
    given = next(given for name, given, _, _ in KINDS if name == kind)
    with pytest.raises(ConfigurationError) as caught:
        made_settings(algorithm="PS256", **given)
    assert str(caught.value) == f"{title} accepts RS256 only, not PS256: leave algorithm out"


def test_every_kind_but_an_openid_provider_has_a_template_that_ends_in_token() -> None:
    templates = {kind: rules.endpoint for kind, rules in RULES.items()}
    assert templates.pop("oidc") is None
    assert all(template is not None and template.endswith("/token") for template in templates.values())
    assert Authority("https://idp.example", "oidc").token_endpoint(GUID) is None


def test_the_metadata_of_an_issuer_is_below_it_path_included() -> None:
    authority = Authority("https://idp.example/a/b", "oidc")
    assert authority.metadata_url == "https://idp.example/a/b/.well-known/openid-configuration"


@pytest.mark.parametrize(
    ("host", "regional"),
    [
        *[(host, "login.microsoft.com") for host in ("login.microsoftonline.com", "login.microsoft.com")],
        *[(host, "login.microsoft.com") for host in ("login.windows.net", "sts.windows.net")],
        ("login.microsoftonline.us", "login.microsoftonline.us"),
        ("login.usgovcloudapi.net", "login.microsoftonline.us"),
        ("login.partner.microsoftonline.cn", "login.partner.microsoftonline.cn"),
        ("login.chinacloudapi.cn", "login.partner.microsoftonline.cn"),
        ("login.sovcloud-identity.fr", "login.sovcloud-identity.fr"),
        ("login.example.com:8443", "login.example.com:8443"),
    ],
)
def test_a_regional_endpoint_is_a_prefix_of_its_clouds_regional_host(host: str, regional: str) -> None:
    authority = Authority(f"https://{host}", "entra").in_region("usgovvirginia")
    assert authority.token_endpoint(GUID) == f"https://usgovvirginia.{regional}/{GUID}/oauth2/v2.0/token"


def test_a_host_that_is_regional_already_stays_as_it_is() -> None:
    authority = Authority("https://westus.login.microsoft.com", "entra")
    assert authority.in_region("westus") is authority
    assert authority.in_region(None) is authority


@pytest.mark.parametrize(
    ("base", "kind", "expected"),
    [
        ("https://login.microsoftonline.com", "entra", True),
        ("https://localhost:8443", "entra", True),
        ("https://127.0.0.1:8443", "entra", False),
        ("https://[::1]", "entra", False),
        *[("https://a.example", kind, False) for kind in ("adfs", "b2c", "ciam", "dsts", "oidc")],
    ],
)
def test_regions_are_entras_and_need_a_host_with_a_name(base: str, kind: Any, expected: bool) -> None:
    assert Authority(base, kind).regional is expected


def test_every_host_that_microsofts_libraries_know_is_known_or_said_to_be_retired() -> None:
    theirs = {*WELL_KNOWN_AUTHORITY_HOSTS, AzureAuthorityHosts.AZURE_CHINA, AzureAuthorityHosts.AZURE_GOVERNMENT}
    assert "login.microsoftonline.com" in theirs
    assert theirs - KNOWN_HOSTS <= {*RETIRED_HOSTS}
    suffixes = {f".{host}" for host in WELL_KNOWN_B2C_HOSTS}
    # Of the cloud that closed nobody has said what became of its B2C: who has such a host names it as trusted.
    assert suffixes - {*B2C_SUFFIXES, CIAM_SUFFIX} <= {".b2clogin.de"}


def test_no_host_is_both_known_and_retired() -> None:
    assert [host for host in KNOWN_HOSTS if retired(host)] == []


def test_settings_made_without_the_new_arguments_are_the_global_endpoint() -> None:
    made = settings(
        CertificateOptions(tenant_id=GUID, client_id="a-client"), retry=made_settings().retry, environment={}
    )
    assert (made.region, made.authority) == (None, Authority("https://login.microsoftonline.com", "entra"))
