"""Restricts a vault's credential to tokens for the Key Vault service that the vault's host belongs to.

A vault names the service in its challenge, and a host that impersonates a vault could name any other. Key Vault's
clients compare host and service too, but they accept any parent domain, such as ``https://net`` for
``contoso.vault.azure.net``; and those before azure-keyvault-certificates 4.12, azure-keyvault-secrets 4.12 and
azure-keyvault-keys 4.11.3 remember a challenge before they compare it, so that a second call would send a token to a
host that the first call refused.
https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable
from typing import Any
from urllib.parse import urlsplit

from azure_certvar_credential._secrecy.redaction import redact_value

_METHODS = ("get_token", "get_token_info")
# In every cloud the service's domain is that of Key Vault or Managed HSM below the cloud's own. No port, user name or
# path belongs to it; a resource that ends in a slash gives a scope with two.
# https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#dns-suffixes-for-object-identifiers
_SCOPE = re.compile(r"https://((?:vault|managedhsm)(?:\.[a-z0-9-]+){2,})//?\.default", re.IGNORECASE)


class GuardedCredential:
    """A credential for one vault, synchronous or asynchronous as the credential inside.

    :param credential: the credential to ask for tokens.
    :param url: the vault's URL.
    :param anywhere: whether the vault may demand a token for any service.
    :ivar tokens: those that it gave, for messages that must not quote them.
    """

    def __init__(self, credential: Any, url: str, *, anywhere: bool = False) -> None:
        self.tokens: list[str] = []
        self._credential = credential
        self._anywhere = anywhere
        self._host = (urlsplit(url).hostname or "").removesuffix(".")

    def __getattr__(self, name: str) -> Any:
        # Looked up dynamically, because clients test with hasattr which of the two methods exist.
        value = getattr(self._credential, name)
        if name not in _METHODS:
            return value

        def guarded(*scopes: str, **options: Any) -> Any:
            for scope in scopes:
                if not self._is_own_service(scope):
                    raise ValueError(
                        f"{self._host} demands a token for {redact_value(scope)}, which is not the Key Vault service "
                        "of that host; if you trust the host, pass verify_challenge_resource=False"
                    )
            given = value(*scopes, **options)
            return self._noted_later(given) if inspect.isawaitable(given) else self._noted(given)

        return guarded

    def _noted(self, token: Any) -> Any:
        self.tokens.append(getattr(token, "token", ""))
        return token

    async def _noted_later(self, token: Awaitable[Any]) -> Any:
        return self._noted(await token)

    def _is_own_service(self, scope: str) -> bool:
        if self._anywhere:
            return True
        found = _SCOPE.fullmatch(scope)
        return found is not None and self._host.endswith(f".{found[1].lower()}")
