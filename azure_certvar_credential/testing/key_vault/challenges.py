"""What Azure's Key Vault clients remember of a vault's challenges."""

from __future__ import annotations

import sys


def forget_challenges(url: str) -> None:
    """Clear what Azure's Key Vault clients remember of an earlier vault of this process at the same port.

    They cache challenges by host and port for the life of the process, and would request tokens of the earlier vault's
    tenant.
    """
    for name, module in list(sys.modules.items()):
        is_cache = name.startswith("azure.keyvault.") and name.endswith(".http_challenge_cache")
        # Older versions raise for a host that they do not know.
        if is_cache and module.get_challenge_for_url(url) is not None:
            module.remove_challenge_for_url(url)
