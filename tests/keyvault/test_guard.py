"""A vault's credential gives tokens for the vault's own service, whatever its challenge demands."""

from __future__ import annotations

from typing import Any

import pytest

from azure_certvar_credential.keyvault.guard import GuardedCredential


class Recording:
    """A credential that records for what it gives tokens."""

    other = "anything else"

    def __init__(self) -> None:
        self.scopes: list[str] = []

    def get_token(self, *scopes: str, **options: Any) -> str:
        self.scopes += scopes
        return f"token {options}"


@pytest.mark.parametrize(
    ("url", "scope"),
    [
        ("https://contoso.vault.azure.net", "https://vault.azure.net/.default"),
        ("https://CONTOSO.vault.azure.net:443", "https://vault.azure.net/.default"),
        ("https://contoso.vault.azure.cn/keys/app/1", "https://vault.azure.cn/.default"),
        ("https://contoso.managedhsm.azure.net", "https://managedhsm.azure.net/.default"),
        ("https://contoso.vault.usgovcloudapi.net", "https://vault.usgovcloudapi.net/.default"),
        ("https://contoso.vault.azure.net.", "https://vault.azure.net/.default"),
        ("https://contoso.vault.azure.net", "https://VAULT.azure.net/.default"),
        ("https://contoso.vault.azure.net", "https://vault.azure.net//.default"),
        ("https://contoso.vault.cloudapi.example.gov", "https://vault.cloudapi.example.gov/.default"),
    ],
)
def test_the_guard_lets_a_vault_have_tokens_for_its_service(url: str, scope: str) -> None:
    guarded: Any = GuardedCredential(Recording(), url)

    assert guarded.get_token(scope, tenant_id="t") == "token {'tenant_id': 't'}"
    assert guarded.other == "anything else"
    assert not hasattr(guarded, "get_token_info")


@pytest.mark.parametrize(
    ("url", "scope"),
    [
        ("https://vault.example.com", "https://vault.azure.net/.default"),
        ("https://evilvault.azure.net", "https://vault.azure.net/.default"),
        ("https://contoso.vault.azure.net", "https://management.azure.com/.default"),
        ("https://contoso.vault.azure.net", "https://graph.microsoft.com/.default"),
        ("https://contoso.vault.azure.net", "https://net/.default"),
        ("https://contoso.vault.azure.net", "https://azure.net/.default"),
        ("https://contoso.vault.azure.net", "https://contoso.vault.azure.net/.default"),
        ("https://contoso.vault.azure.net", "https://managedhsm.azure.net/.default"),
        ("https://contoso.vault.azure.net", "https://vault.azure.net./.default"),
        ("https://contoso.vault.azure.net", "https://.vault.azure.net/.default"),
        ("https://contoso.vault.azure.net", "https://vault.azure.net:443/.default"),
        ("https://contoso.vault.azure.net", "https://user@vault.azure.net/.default"),
        ("https://contoso.vault.azure.net", "https://vault.azure.net/elsewhere/.default"),
        ("https://contoso.vault.azure.net", "https://vault.azure.net/"),
        ("https://contoso.vault.azure.net", "https://vault.azure.net/.default?x=1"),
        ("https://contoso.vault.azure.net", "https://vault.azure.net/.default\n"),
        ("https://contoso.vault.azure.net", "https://graph.microsoft.com\\.vault.azure.net/.default"),
        ("https://contoso.vault.azure.net", "http://vault.azure.net/.default"),
        ("https://contoso.vault.azure.net", "https://["),
        ("https://contoso.azure.net", "https://azure.net/.default"),
        ("https://contoso.co.uk", "https://co.uk/.default"),
        ("https://contoso.vault", "https://vault/.default"),
        ("https://contoso.vault.net", "https://vault.net/.default"),
        ("https://vault.azure.net", "https://vault.azure.net/.default"),
        ("https://localhost", "https://localhost/.default"),
        ("https://127.0.0.1", "https://1/.default"),
        ("https://contoso.vault.azure.net", "nonsense"),
        ("https://contoso.vault.azure.net", ""),
    ],
)
def test_the_guard_lets_nobody_have_tokens_for_another_service(url: str, scope: str) -> None:
    inner = Recording()

    with pytest.raises(ValueError, match="verify_challenge_resource"):
        GuardedCredential(inner, url).get_token(scope)

    assert not inner.scopes
