"""Each kind of authority through MSAL: where the request goes, whom the assertion is for, and how it is signed."""

from __future__ import annotations

from typing import Any

import msal
import pytest

from azure_certvar_credential._runtime import region as regions
from azure_certvar_credential._runtime.region import RegionDetector
from azure_certvar_credential.exceptions import AuthenticationError, ConfigurationError, ResponseFormatError
from azure_certvar_credential.testing import Fault
from tests.credential.world import STORAGE
from tests.msal.world import MsalWorld, PlainClient

DOMAIN = "contoso.onmicrosoft.com"
V2 = "oauth2/v2.0/token"
TRUSTED = {"disable_instance_discovery": True}
SHA256, SHA1 = ("PS256", {"x5t#S256"}), ("RS256", {"x5t"})

# The options, where the request has to go, with {id} for the tenant's GUID, and how it is signed.
CASES: dict[str, tuple[dict[str, Any], str, tuple[str, set[str]]]] = {
    "public": ({}, f"https://login.microsoftonline.com/{{id}}/{V2}", SHA256),
    "by domain": ({"tenant_id": DOMAIN}, f"https://login.microsoftonline.com/{DOMAIN}/{V2}", SHA256),
    "US Government": (
        {"authority": "https://login.microsoftonline.us"},
        f"https://login.microsoftonline.us/{{id}}/{V2}",
        SHA256,
    ),
    "unknown and asked about": (
        {"authority": "https://login.contoso.example"},
        # Microsoft's answer says where to go on, and the local Entra says: with me.
        f"https://login.microsoftonline.com/{{id}}/{V2}",
        SHA256,
    ),
    "unknown and trusted": (
        {"authority": "https://login.contoso.example:8443", **TRUSTED},
        f"https://login.contoso.example:8443/{{id}}/{V2}",
        SHA256,
    ),
    "region": ({"azure_region": "westeurope"}, f"https://westeurope.login.microsoft.com/{{id}}/{V2}", SHA256),
    "region of another cloud": (
        {"authority": "login.microsoftonline.us", "azure_region": "usgovvirginia"},
        f"https://usgovvirginia.login.microsoftonline.us/{{id}}/{V2}",
        SHA256,
    ),
    "ADFS": (
        {"authority": "https://fs.contoso.example/adfs", "tenant_id": "adfs", **TRUSTED},
        "https://fs.contoso.example/adfs/oauth2/token",
        SHA1,
    ),
    "B2C": (
        {"authority": f"https://contoso.b2clogin.com/{DOMAIN}/B2C_1A_app", "tenant_id": DOMAIN},
        f"https://contoso.b2clogin.com/{DOMAIN}/B2C_1A_app/{V2}",
        SHA256,
    ),
    "CIAM": (
        {"authority": "https://contoso.ciamlogin.com", "tenant_id": DOMAIN},
        f"https://contoso.ciamlogin.com/{DOMAIN}/{V2}",
        SHA256,
    ),
    "dSTS": (
        {"authority": f"https://region.dsts.core.example/dstsv2/{DOMAIN}", "tenant_id": DOMAIN, **TRUSTED},
        f"https://region.dsts.core.example/dstsv2/{DOMAIN}/{V2}",
        SHA1,
    ),
    "OpenID provider": (
        {"oidc_authority": "https://idp.contoso.example/{id}/v2.0"},
        f"https://idp.contoso.example/{{id}}/{V2}",
        SHA256,
    ),
}


def options_of(world: MsalWorld, given: dict[str, Any]) -> dict[str, Any]:
    identity = world.application.tenant_id
    return {name: value.replace("{id}", identity) if isinstance(value, str) else value for name, value in given.items()}


@pytest.mark.parametrize("name", CASES)
async def test_the_request_goes_where_the_assertion_is_for(world: MsalWorld, name: str) -> None:
    given, url, (algorithm, thumbprints) = CASES[name]
    driver = world.driver(**options_of(world, given))

    await driver.get_token(STORAGE)
    world.clock.advance(3400)
    await driver.get_token(STORAGE)  # from MSAL's cache or ours, whatever the authority
    await driver.settle()

    for sent in world.entra.requests:
        assert sent.url.lower() == url.replace("{id}", world.application.tenant_id).lower()
        assert sent.assertion_header is not None
        assert sent.assertion_claims is not None
        assert sent.assertion_claims["aud"] == sent.url
        assert sent.assertion_header["alg"] == algorithm
        assert {one for one in sent.assertion_header if one.startswith("x5")} == thumbprints


@pytest.mark.parametrize("name", CASES)
async def test_a_client_of_the_users_own_reaches_it_as_well(world: MsalWorld, name: str) -> None:
    given, url, _ = CASES[name]
    client = PlainClient(world.entra)

    await world.driver(http_client=client, **options_of(world, given)).get_token(STORAGE)

    assert client.urls[-1].lower() == url.replace("{id}", world.application.tenant_id).lower()
    # MSAL would ask the machine about its region, and wait for minutes where there is none.
    assert not any("169.254" in asked for asked in client.urls)


@pytest.mark.parametrize(
    ("found", "host"), [("westus2", "westus2.login.microsoft.com"), ("", "login.microsoftonline.com")]
)
async def test_a_region_is_found_out_once_and_in_two_seconds_at_most(
    world: MsalWorld, found: str, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REGION_NAME", raising=False)
    nowhere = ("127.0.0.1", 1)  # nothing listens there
    environment = {"REGION_NAME": found} if found else {}
    monkeypatch.setattr(regions, "process", RegionDetector(environment, nowhere))

    await world.driver(azure_region=True).get_token(STORAGE)

    assert world.entra.requests[0].url.split("/")[2] == host


async def test_a_region_that_could_not_be_found_out_is_looked_for_again_after_ten_minutes(
    world: MsalWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REGION_NAME", raising=False)
    environment: dict[str, str] = {}
    time = [0.0]
    monkeypatch.setattr(regions, "process", RegionDetector(environment, ("127.0.0.1", 1), lambda: time[0]))
    driver = world.driver(azure_region=True)

    first = await driver.get_token(STORAGE)
    environment["REGION_NAME"] = "westus2"
    for seconds in (599.0, 601.0):
        time[0] = seconds
        await driver.get_token(f"api://at-{seconds:.0f}/.default")

    hosts = [request.url.split("/")[2] for request in world.entra.requests]
    assert hosts == ["login.microsoftonline.com", "login.microsoftonline.com", "westus2.login.microsoft.com"]
    # The region has an application of its own, and all of them one cache.
    made = driver.given._delegate._made
    assert made is not None
    assert [region for _, _, region in made._slots] == [None, "westus2"]
    assert (await driver.get_token(STORAGE)) is first


async def test_the_region_is_found_out_before_the_request_and_not_again_for_its_assertion(
    world: MsalWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Counted(RegionDetector):
        asked = 0

        def detect(self) -> str | None:
            self.asked += 1
            return super().detect()

    detector = Counted({"REGION_NAME": "westus2"}, ("127.0.0.1", 1))
    monkeypatch.setattr(regions, "process", detector)

    await world.driver(azure_region=True).get_token(STORAGE)

    assert detector.asked == 1


async def test_the_environment_names_a_region_and_false_overrules_it(
    world: MsalWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_REGIONAL_AUTHORITY_NAME", "westus2")
    for region in (None, False):
        await world.driver(azure_region=region).get_token(STORAGE)

    hosts = [request.url.split("/")[2] for request in world.entra.requests]
    assert hosts == ["westus2.login.microsoft.com", "login.microsoftonline.com"]


async def test_msals_own_variable_for_a_region_asks_no_machine_either(
    world: MsalWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MSAL_FORCE_REGION", "westeurope")  # which MSAL knows from 1.32 on
    monkeypatch.delenv("REGION_NAME", raising=False)
    client = PlainClient(world.entra)
    await world.driver(http_client=client).get_token(STORAGE)

    forced = hasattr(msal.ConfidentialClientApplication, "DISABLE_MSAL_FORCE_REGION")
    host = "westeurope.login.microsoft.com" if forced else "login.microsoftonline.com"
    assert [url.split("/")[2] for url in client.urls] == [host]
    assert world.entra.requests[0].url.split("/")[2] == host


async def test_metadata_of_another_issuer_is_not_believed(world: MsalWorld) -> None:
    class Altered(PlainClient):
        def get(self, url: str, params: Any = None, headers: Any = None, **kwargs: Any) -> Any:
            answer = super().get(url, params, headers, **kwargs)
            answer.text = answer.text.replace('"issuer": "https://idp', '"issuer": "https://evil').replace(
                '"issuer":"https://idp', '"issuer":"https://evil'
            )
            return answer

    client = Altered(world.entra)
    issuer = f"https://idp.contoso.example/{world.application.tenant_id}/v2.0"

    with pytest.raises(ResponseFormatError, match="as issuer, not the requested one"):
        await world.driver(oidc_authority=issuer, http_client=client).get_token(STORAGE)
    assert world.requests == 0


async def test_metadata_without_what_msal_reads_is_named(world: MsalWorld) -> None:
    class Altered(PlainClient):
        def get(self, url: str, params: Any = None, headers: Any = None, **kwargs: Any) -> Any:
            answer = super().get(url, params, headers, **kwargs)
            answer.text = answer.text.replace("authorization_endpoint", "another_endpoint")
            return answer

    issuer = f"https://idp.contoso.example/{world.application.tenant_id}/v2.0"
    with pytest.raises(ResponseFormatError, match="has no authorization_endpoint"):
        await world.driver(oidc_authority=issuer, http_client=Altered(world.entra)).get_token(STORAGE)


async def test_a_refusal_by_an_openid_provider_has_our_class(world: MsalWorld) -> None:
    issuer = f"https://idp.contoso.example/{world.application.tenant_id}/v2.0"
    world.entra.inject(Fault.aadsts(700016))
    with pytest.raises(AuthenticationError, match="AADSTS700016"):
        await world.driver(oidc_authority=issuer).get_token(STORAGE)


OIDC = {"oidc_authority": "https://idp.contoso.example/tenant"}
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "authority and OpenID": ({**OIDC, "authority": "login.microsoftonline.us"}, "exclude each other"),
    "region and OpenID": ({**OIDC, "azure_region": "westeurope"}, "azure_region applies to Microsoft"),
    "region to be found and OpenID": ({**OIDC, "azure_region": True}, "azure_region applies to Microsoft"),
    "discovery and OpenID": ({**OIDC, "instance_discovery": True}, "instance_discovery applies to Microsoft"),
    "OpenID without a path": (
        {"oidc_authority": "https://idp.contoso.example"},
        "has no path, .* use CertVarCredential",
    ),
    "OpenID over http": ({"oidc_authority": "http://idp.contoso.example/tenant"}, "must use https"),
    "OpenID, no URL": ({"oidc_authority": "idp"}, "issuer's https URL"),
    "a region that is none": ({"azure_region": "west.europe/evil"}, "region must be the name"),
    "this package's name of the region": ({"region": "westeurope"}, "write azure_region"),
    "a misspelt region": ({"azure_regions": "westeurope"}, "did you mean 'azure_region'"),
    "a misspelt cache": ({"token_caches": None}, "did you mean 'token_cache'"),
    "a misspelt discovery": ({"instance_discover": False}, "did you mean 'instance_discovery'"),
    "a region that is a number": ({"azure_region": 7}, "azure_region must be a region's name"),
    "an empty region": ({"azure_region": ""}, "region must be the name"),
    "a region of ADFS": (
        {"authority": "https://fs.contoso.example/adfs", "azure_region": "westeurope", **TRUSTED},
        "ADFS has no endpoints in Azure regions",
    ),
    "discovery that is text": ({"instance_discovery": "yes"}, "instance_discovery must be True"),
    "both discoveries": (
        {"instance_discovery": True, "disable_instance_discovery": True},
        "contradict each other",
    ),
    "tenants of dSTS": (
        {**CASES["dSTS"][0], "additionally_allowed_tenants": ["fabrikam.example"]},
        "does not tell the tenants of a dSTS authority apart",
    ),
    "retired": ({"authority": "login.microsoftonline.de"}, "no longer exists"),
    "http": ({"authority": "http://login.microsoftonline.com"}, "must use https"),
    "a path": ({"authority": f"https://login.microsoftonline.com/{DOMAIN}"}, "tenant_id"),
    "a client that is none": ({"http_client": object()}, "must be an object with the methods post and get"),
    "a client's class": ({"http_client": PlainClient}, "such as requests"),
    "a client and proxies": (
        {"proxies": {"https": "http://proxy.example"}},
        "proxies would have no effect",
    ),
    "region is spelt otherwise": ({"region": "westeurope"}, "region"),
    "unknown": ({"azure_regoin": "westeurope"}, "unknown keyword argument"),
}


@pytest.mark.parametrize("name", BAD)
async def test_options_that_cannot_work_are_refused_at_once(world: MsalWorld, name: str) -> None:
    given, text = BAD[name]
    options = dict(given)
    if name == "a client and proxies":
        options["http_client"] = PlainClient(world.entra)

    with pytest.raises(ConfigurationError, match=text):
        world.driver(**options)


async def test_an_option_that_is_none_goes_with_a_client_of_the_users_own(world: MsalWorld) -> None:
    client = PlainClient(world.entra)
    driver = world.driver(http_client=client, transport=None, proxies=None, retry_total=None, retry_mode=None)
    assert await driver.get_token(STORAGE)


async def test_retries_go_with_a_client_of_the_users_own(world: MsalWorld) -> None:
    world.entra.inject(Fault.server_error(), times=1)
    client = PlainClient(world.entra)

    assert await world.driver(http_client=client, retry_total=1, retry_backoff_factor=0).get_token(STORAGE)
    assert world.requests == 2
