"""Each kind of authority, end to end: where the request goes, whom the assertion is for, and how it is signed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import trustme
from cryptography import x509

from azure_certvar_credential import ClientCertificate
from azure_certvar_credential._runtime import region as regions
from azure_certvar_credential._runtime.region import RegionDetector
from azure_certvar_credential.exceptions import (
    AuthenticationError,
    ConfigurationError,
    ResponseFormatError,
    TenantNotAllowedError,
)
from azure_certvar_credential.testing import Fault, InstanceMetadataEmulator
from tests.credential.world import STORAGE, World

DOMAIN = "contoso.onmicrosoft.com"


@dataclass(frozen=True)
class Case:
    """One authority.

    :ivar options: what the credential is given.
    :ivar url: where the request has to go; ``{tenant}`` is the tenant's GUID.
    :ivar algorithm: the assertion's ``alg``.
    :ivar thumbprints: the header parameters that name the certificate.
    :ivar environment: variables of the process.
    """

    options: dict[str, Any]
    url: str
    algorithm: str = "PS256"
    thumbprints: frozenset[str] = frozenset({"x5t#S256"})
    environment: dict[str, str] = field(default_factory=dict)


X5T = frozenset({"x5t"})
V2 = "oauth2/v2.0/token"
UNKNOWN = {"disable_instance_discovery": True}

CASES = {
    "public": Case({}, f"https://login.microsoftonline.com/{{tenant}}/{V2}"),
    "RS256": Case(
        {"algorithm": "RS256"},
        f"https://login.microsoftonline.com/{{tenant}}/{V2}",
        "RS256",
        frozenset({"x5t", "x5t#S256"}),
    ),
    "US Government": Case(
        {"authority": "https://login.microsoftonline.us"}, f"https://login.microsoftonline.us/{{tenant}}/{V2}"
    ),
    "China": Case(
        {"authority": "login.partner.microsoftonline.cn"},
        f"https://login.partner.microsoftonline.cn/{{tenant}}/{V2}",
    ),
    "by environment": Case(
        {},
        f"https://login.microsoftonline.us/{{tenant}}/{V2}",
        environment={"AZURE_AUTHORITY_HOST": "https://login.microsoftonline.us/"},
    ),
    "region": Case({"region": "westeurope"}, f"https://westeurope.login.microsoft.com/{{tenant}}/{V2}"),
    "region of another cloud": Case(
        {"authority": "login.microsoftonline.us", "region": "usgovvirginia"},
        f"https://usgovvirginia.login.microsoftonline.us/{{tenant}}/{V2}",
    ),
    "region by environment": Case(
        {},
        f"https://westus2.login.microsoft.com/{{tenant}}/{V2}",
        environment={"AZURE_REGIONAL_AUTHORITY_NAME": "westus2"},
    ),
    "ADFS": Case(
        {"authority": "https://fs.contoso.example/adfs", "tenant_id": "adfs", **UNKNOWN},
        "https://fs.contoso.example/adfs/oauth2/token",
        "RS256",
        X5T,
    ),
    "B2C": Case(
        {"authority": f"https://contoso.b2clogin.com/{DOMAIN}/B2C_1A_app", "tenant_id": DOMAIN},
        f"https://contoso.b2clogin.com/{DOMAIN}/B2C_1A_app/{V2}",
    ),
    "CIAM": Case(
        {"authority": "https://contoso.ciamlogin.com", "tenant_id": DOMAIN},
        f"https://contoso.ciamlogin.com/{DOMAIN}/{V2}",
    ),
    "dSTS": Case(
        {"authority": f"https://region.dsts.core.example/dstsv2/{DOMAIN}", "tenant_id": DOMAIN, **UNKNOWN},
        f"https://region.dsts.core.example/dstsv2/{DOMAIN}/{V2}",
        "RS256",
        X5T,
    ),
    "OpenID provider": Case(
        {"oidc_authority": f"https://idp.contoso.example/{DOMAIN}/v2.0", "tenant_id": DOMAIN},
        f"https://idp.contoso.example/{DOMAIN}/{V2}",
    ),
}


def oidc(world: World) -> str:
    return f"https://idp.contoso.example/{world.application.tenant_id}/v2.0"


@pytest.mark.parametrize("name", CASES)
async def test_the_request_goes_where_the_assertion_is_for(
    world: World, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES[name]
    for variable, value in case.environment.items():
        monkeypatch.setenv(variable, value)
    is_oidc = name == "OpenID provider"
    options = {"oidc_authority": oidc(world)} if is_oidc else case.options
    # Entra documents no other typ than JWT.
    world.entra.settings.strict = not is_oidc

    await world.driver(**options).get_token(STORAGE)

    (sent,) = world.entra.requests
    tenant = world.application.tenant_id
    expected = f"{oidc(world).removesuffix('/v2.0')}/{V2}" if is_oidc else case.url
    assert sent.url == expected.format(tenant=tenant)
    assert sent.assertion_header is not None
    assert sent.assertion_claims is not None
    assert sent.assertion_claims["aud"] == (oidc(world) if is_oidc else sent.url)
    assert sent.assertion_header["typ"] == ("client-authentication+jwt" if is_oidc else "JWT")
    assert sent.assertion_header["alg"] == case.algorithm
    assert {one for one in sent.assertion_header if one.startswith("x5")} == case.thumbprints


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no URL": ({"authority": "not a url"}, "host name or an https URL"),
    "not a string": ({"authority": 7}, "authority must be"),
    "http": ({"authority": "http://login.microsoftonline.com"}, "must use https"),
    "a path": ({"authority": f"https://login.microsoftonline.com/{DOMAIN}"}, "tenant_id"),
    "retired": ({"authority": "https://login.microsoftonline.de"}, "no longer exists"),
    "unknown": ({"authority": "https://login.contoso.example"}, "disable_instance_discovery=True"),
    "B2C without policy": ({"authority": "https://contoso.b2clogin.com"}, "policy"),
    "B2C of another tenant": ({"authority": f"https://contoso.b2clogin.com/{DOMAIN}/B2C_1A_app"}, "tenant"),
    "a password": (
        {"authority": "https://user:hunter2@login.microsoftonline.com"},
        "must not contain a user name or password",
    ),
    "region of ADFS": ({"authority": "https://fs.contoso.example/adfs", "region": "westeurope", **UNKNOWN}, "region"),
    "region that is none": ({"region": "west.europe/evil"}, "region must be the name"),
    "region with OpenID": ({"oidc_authority": "https://idp.example", "region": "westeurope"}, "region"),
    "two authorities": ({"oidc_authority": "https://idp.example", "authority": "login.microsoftonline.us"}, "exclude"),
    "OpenID over http": ({"oidc_authority": "http://idp.example"}, "must use https"),
    "OpenID, no URL": ({"oidc_authority": "idp.example"}, "issuer's https URL"),
}


@pytest.mark.parametrize("name", BAD)
async def test_an_authority_that_cannot_work_is_refused_at_once(world: World, name: str) -> None:
    options, text = BAD[name]
    with pytest.raises(ConfigurationError, match=text) as caught:
        world.driver(**options)
    assert "hunter2" not in str(caught.value)


async def test_a_providers_metadata_is_read_once_for_many_tokens(world: World) -> None:
    asked: list[str] = []
    driver = world.driver(
        oidc_authority=oidc(world), raw_request_hook=lambda request: asked.append(request.http_request.url)
    )
    for n in range(4):
        await driver.get_token(f"api://orders-{n}/.default")
    assert [url for url in asked if url.endswith("/.well-known/openid-configuration")] == asked[:1]
    assert world.requests == 4


async def test_a_provider_that_cannot_be_read_again_keeps_its_endpoint(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    driver = world.driver(oidc_authority=oidc(world), retry_total=0)
    await driver.get_token("api://one/.default")
    world.clock.advance(2 * 86400)
    world.entra.inject(Fault.server_error(), when=lambda request: request.path.endswith("openid-configuration"))

    await driver.get_token("api://two/.default")

    assert world.requests == 2
    assert "the token endpoint stays" in caplog.text


async def test_a_document_of_another_issuer_is_not_believed(world: World) -> None:
    with pytest.raises(ResponseFormatError, match="as issuer, not the requested one"):
        await world.driver(oidc_authority=oidc(world).replace(world.application.tenant_id, DOMAIN)).get_token(STORAGE)
    assert world.requests == 0


async def test_a_provider_has_no_other_tenant(world: World) -> None:
    other = world.entra.add_tenant(domains=("fabrikam.onmicrosoft.com",))
    driver = world.driver(oidc_authority=oidc(world), additionally_allowed_tenants=["*"])
    with pytest.raises(TenantNotAllowedError, match="one token endpoint"):
        await driver.get_token(STORAGE, tenant_id=other.tenant_id)
    assert (await driver.get_token(STORAGE, tenant_id=world.application.tenant_id)).token


@pytest.mark.parametrize("value", ["false", "None", "disabled"])
async def test_a_variable_that_says_no_region_means_none(
    world: World, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_REGIONAL_AUTHORITY_NAME", value)
    await world.driver().get_token(STORAGE)
    assert world.entra.requests[0].url.startswith("https://login.microsoftonline.com/")
    with pytest.raises(ConfigurationError, match="region must be"):
        world.driver(region=value)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[InstanceMetadataEmulator]:
    """The metadata service of the machine, on the loopback interface."""
    service = InstanceMetadataEmulator("westeurope")
    with service.serve() as served:
        host, _, port = served.url.removeprefix("http://").rstrip("/").partition(":")
        monkeypatch.setattr(regions, "process", RegionDetector({}, (host, int(port))))
        yield service


async def test_the_region_is_detected_once_for_all_credentials(world: World, machine: InstanceMetadataEmulator) -> None:
    drivers = [world.driver(region="auto") for _ in range(3)]
    await asyncio.gather(*(driver.get_token(STORAGE) for driver in drivers))
    assert {request.url.split("/")[2] for request in world.entra.requests} == {"westeurope.login.microsoft.com"}
    assert len(machine.requests) == 1


async def test_outside_of_azure_the_global_endpoint_is_asked_and_the_log_says_so(
    world: World, machine: InstanceMetadataEmulator, caplog: pytest.LogCaptureFixture
) -> None:
    machine.location = None
    await world.driver(region="auto").get_token(STORAGE)
    assert world.entra.requests[0].url.startswith("https://login.microsoftonline.com/")
    assert "global token endpoint" in caplog.text


async def test_a_regional_credential_asks_the_global_endpoint_for_users(world: World) -> None:
    user = world.entra.issue_user_token(world.entra.add_user(), world.application)
    await world.driver(region="westeurope").for_user(user).get_token("api://orders/Orders.Read")
    assert world.entra.requests[0].url.startswith("https://login.microsoftonline.com/")


@pytest.fixture(scope="module")
def issued() -> tuple[ClientCertificate, x509.Certificate]:
    """A certificate of an authority, its file from root to leaf as some are; and the root."""
    root = trustme.CA()
    leaf = root.create_child_ca().issue_cert(
        "orders.contoso.example", common_name="orders.contoso.example", key_type=trustme.KeyType.RSA
    )
    chain = [root.cert_pem, *reversed(leaf.cert_chain_pems), leaf.private_key_pem]
    loaded = ClientCertificate.load(b"".join(blob.bytes() for blob in chain))
    return loaded, x509.load_pem_x509_certificate(root.cert_pem.bytes())


async def test_a_registration_by_subject_name_and_issuer_takes_the_chain(
    world: World, issued: tuple[ClientCertificate, x509.Certificate]
) -> None:
    certificate, root = issued
    application = world.entra.add_application(trusted_issuers=[("orders.contoso.example", root)])
    await world.driver(certificate, client_id=application.client_id, send_certificate_chain=True).get_token(STORAGE)

    header = world.entra.requests[0].assertion_header
    assert header is not None
    x5c = header["x5c"]
    assert isinstance(x5c, list)
    assert x5c == list(certificate.x5c)
    assert len(x5c) == 2, "leaf and intermediate; the root is left out"


async def test_without_the_chain_or_under_another_name_the_registration_refuses(
    world: World, issued: tuple[ClientCertificate, x509.Certificate]
) -> None:
    certificate, root = issued
    application = world.entra.add_application(trusted_issuers=[("orders.contoso.example", root)])
    other = world.entra.add_application(trusted_issuers=[("billing.contoso.example", root)])

    with pytest.raises(AuthenticationError) as caught:
        await world.driver(certificate, client_id=application.client_id).get_token(STORAGE)
    assert caught.value.error_codes == (700027,)
    with pytest.raises(AuthenticationError) as caught:
        await world.driver(certificate, client_id=other.client_id, send_certificate_chain=True).get_token(STORAGE)
    assert caught.value.error_codes == (700030,)
    assert "send_certificate_chain" in str(caught.value.hint)
