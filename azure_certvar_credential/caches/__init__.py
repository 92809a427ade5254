"""Caches of tokens: in memory, ready to be returned, and sealed ones that processes share.

Names that only annotations and rare calls need are imported when somebody asks for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from azure_certvar_credential.caches.protocol import AsyncTokenCache as AsyncTokenCache
    from azure_certvar_credential.caches.protocol import TokenCache as TokenCache
else:

    def __getattr__(name: str) -> object:
        if name not in ("AsyncTokenCache", "TokenCache"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from azure_certvar_credential.caches import protocol

        return getattr(protocol, name)
