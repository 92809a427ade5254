"""Lets a vault's credential give tokens only for the service that the host belongs to.

Key Vault's clients compare the two when a challenge arrives, but those before azure-keyvault-certificates 4.12,
azure-keyvault-secrets 4.12 and azure-keyvault-keys 4.11.3 remember a challenge before they compare it, so that a second
call would send a token to a host that the first call was right to refuse.
https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

_METHODS = ("get_token", "get_token_info")


class GuardedCredential:
    """A credential for one host; whether its methods are coroutine functions is the inner one's business.

    :param credential: the inner one.
    :param url: the vault's URL.
    """

    def __init__(self, credential: Any, url: str) -> None:
        self._credential = credential
        self._host = urlsplit(url).hostname or ""

    def __getattr__(self, name: str) -> Any:
        # Here, since clients ask with hasattr which of the two methods there are.
        value = getattr(self._credential, name)
        if name not in _METHODS:
            return value

        def guarded(*scopes: str, **options: Any) -> Any:
            for scope in scopes:
                resource = urlsplit(scope).hostname
                if not resource or not self._host.endswith(f".{resource}"):
                    raise ValueError(
                        f"{self._host} asked for a token for {scope}, which is not the service that it belongs to; "
                        "if it is trusted, pass verify_challenge_resource=False"
                    )
            return value(*scopes, **options)

        return guarded
