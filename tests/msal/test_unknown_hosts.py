"""Which unknown hosts may get an assertion through MSAL: those that the caller or Microsoft vouches for."""

from __future__ import annotations

from typing import Any

import pytest

from azure_certvar_credential.exceptions import ConfigurationError, ResponseFormatError
from tests.credential.world import STORAGE
from tests.msal.test_authorities import DOMAIN, TRUSTED
from tests.msal.world import MsalWorld, PlainClient

UNKNOWN: dict[str, dict[str, Any]] = {
    "ADFS": {"authority": "https://fs.contoso.example/adfs", "tenant_id": "adfs"},
    "ADFS by its tenant": {"authority": "https://fs.contoso.example", "tenant_id": "adfs"},
    "B2C": {"authority": f"https://sign.contoso.example/{DOMAIN}/B2C_1A_app", "tenant_id": DOMAIN},
    "B2C, older path": {
        "authority": f"https://sign.contoso.example/tfp/{DOMAIN}/B2C_1A_app",
        "tenant_id": DOMAIN,
    },
    "dSTS": {"authority": f"https://region.dsts.core.example/dstsv2/{DOMAIN}", "tenant_id": DOMAIN},
}


@pytest.mark.parametrize("discovery", [{}, {"instance_discovery": True}], ids=["by default", "with discovery"])
@pytest.mark.parametrize("source", ["argument", "environment"])
@pytest.mark.parametrize("name", UNKNOWN)
async def test_an_unknown_host_that_msal_would_not_ask_about_is_refused(
    world: MsalWorld, name: str, source: str, discovery: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {**UNKNOWN[name], **discovery}
    if source == "environment":
        monkeypatch.setenv("AZURE_AUTHORITY_HOST", options.pop("authority"))

    with pytest.raises(ConfigurationError, match="not one of Microsoft's sign-in hosts"):
        world.driver(**options)


@pytest.mark.parametrize("vouch", [TRUSTED, {"instance_discovery": False}], ids=str)
@pytest.mark.parametrize("name", UNKNOWN)
async def test_an_unknown_host_that_the_caller_trusts_gets_the_assertion(
    world: MsalWorld, name: str, vouch: dict[str, Any]
) -> None:
    await world.driver(**UNKNOWN[name], **vouch).get_token(STORAGE)

    assert world.requests == 1


class Discovery(PlainClient):
    """Answers instance discovery in the place of Microsoft."""

    body: str | None = None

    def get(self, url: str, params: Any = None, headers: Any = None, **kwargs: Any) -> Any:
        answer = super().get(url, params, headers, **kwargs)
        if "/common/discovery/instance" in url and self.body is not None:
            answer.text = self.body
        return answer


NOT_CONFIRMED = {
    "invalid_instance": '{"error": "invalid_instance"}',
    "an endpoint beside the refusal": '{"error": "invalid_instance", "tenant_discovery_endpoint": "https://a.example/t"}',
    "nothing": "{}",
    "no JSON": "<html>",
}


@pytest.mark.parametrize("name", NOT_CONFIRMED)
async def test_no_assertion_leaves_before_microsoft_has_confirmed_the_host(world: MsalWorld, name: str) -> None:
    client = Discovery(world.entra)
    client.body = NOT_CONFIRMED[name]
    driver = world.driver(authority="https://login.contoso.example", http_client=client, retry_total=0)

    for _ in range(2):
        with pytest.raises((ConfigurationError, ResponseFormatError)):
            await driver.get_token(STORAGE)
    assert world.requests == 0
    client.body = None
    assert await driver.get_token(STORAGE)
