"""Names of Azure regions, and who chooses one."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from azure.identity._enums import RegionalAuthority
from hypothesis import given
from hypothesis import strategies as st

from azure_certvar_credential._core.authority import AUTO_REGION, REGION_VARIABLE, Authority
from azure_certvar_credential._core.region import choose, normalized
from azure_certvar_credential.exceptions import ConfigurationError
from tests.core.script import made_settings

ENTRA = Authority("https://login.microsoftonline.com", "entra")
ADFS: dict[str, Any] = {"authority": "fs.contoso.com/adfs"}
WITHOUT_REGIONS: dict[str, tuple[dict[str, Any], str]] = {
    "adfs": (ADFS, "ADFS"),
    "b2c": ({"authority": "contoso.b2clogin.com/contoso.example/B2C_1_x"}, "Azure AD B2C"),
    "ciam": ({"authority": "contoso.ciamlogin.com"}, "an external tenant (CIAM)"),
    "dsts": ({"authority": "dsts.example.net/dstsv2/contoso.example"}, "dSTS"),
    "oidc": ({"oidc_authority": "https://idp.example"}, "an OpenID provider"),
    "address": ({"authority": "127.0.0.1:8443"}, "an authority named by its address"),
}


@pytest.mark.parametrize("region", list(RegionalAuthority), ids=lambda region: region.name)
def test_every_region_of_azure_identity_is_one_here(region: RegionalAuthority) -> None:
    expected = AUTO_REGION if region is RegionalAuthority.AUTO_DISCOVER_REGION else region.value
    assert choose(region, ENTRA, {}) == choose(None, ENTRA, {REGION_VARIABLE: region.value}) == expected


@pytest.mark.parametrize("name", ["auto", "AUTO", "tryautodetect", "TryAutoDetect", "AutoDiscoverRegion", "True"])
def test_every_spelling_of_automatic_is_the_same(name: str) -> None:
    assert choose(name, ENTRA, {}) == choose(None, ENTRA, {REGION_VARIABLE: name}) == AUTO_REGION


@pytest.mark.parametrize("name", ["westeurope", "West Europe", "WestEurope", " westeurope "])
def test_the_portals_spelling_of_a_region_is_taken_too(name: str) -> None:
    assert choose(name, ENTRA, {}) == "westeurope"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({REGION_VARIABLE: ""}, None),
        ({REGION_VARIABLE: "eastus2"}, "eastus2"),
        ({"REGION_NAME": "eastus2"}, None),
    ],
)
def test_without_an_argument_the_environment_decides(environment: dict[str, str], expected: str | None) -> None:
    assert made_settings(environment=environment).region == expected


def test_an_argument_wins_over_the_environment() -> None:
    assert made_settings(region="westus", environment={REGION_VARIABLE: "eastus"}).region == "westus"


BAD_NAMES = [
    *["", " ", "x", "west-europe", "west.europe", "westeurope/", "westeurope.evil", "evil.example#", "1west"],
    *["w\u00e9st", "\u212aoreacentral", "westeurope\n", "west\teurope", "x" * 64, 7, True, b"westeurope"],
]


@pytest.mark.parametrize("name", BAD_NAMES, ids=range(len(BAD_NAMES)))
def test_what_is_no_name_of_a_region_is_refused(name: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^region must be the name of an Azure region"):
        made_settings(region=name)
    if isinstance(name, str) and name:
        with pytest.raises(ConfigurationError, match=f"^the environment variable {REGION_VARIABLE} must be the name"):
            made_settings(environment={REGION_VARIABLE: name})


@pytest.mark.parametrize("kind", WITHOUT_REGIONS)
def test_a_region_for_an_authority_without_regions_is_refused_and_one_of_the_environment_ignored(kind: str) -> None:
    given_arguments, who = WITHOUT_REGIONS[kind]
    with pytest.raises(ConfigurationError) as caught:
        made_settings(region="westeurope", **given_arguments)
    assert str(caught.value) == f"{who} has no endpoints in Azure regions: leave region out"
    for name in ("westeurope", "auto", "no region!"):
        assert made_settings(environment={REGION_VARIABLE: name}, **given_arguments).region is None


@given(st.text() | st.from_regex(r"[a-z0-9 ./@#-]{1,70}", fullmatch=True))
def test_no_name_leaves_its_label_of_the_host(name: str) -> None:
    region = normalized(name)
    if region is None:
        return
    assert re.fullmatch("[a-z0-9]+", region)
    endpoint = ENTRA.in_region(region).token_endpoint("contoso.example")
    assert endpoint is not None
    assert urlsplit(endpoint).netloc == f"{region}.login.microsoft.com"
