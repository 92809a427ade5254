"""The synchronous shell: acquisitions in threads, which perform the flow's effects with blocking calls.

Names that only annotations and rare calls need are imported when somebody asks for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from azure_certvar_credential._sync.derived import AgentCredential as AgentCredential
    from azure_certvar_credential._sync.derived import OnBehalfOfCredential as OnBehalfOfCredential
else:

    def __getattr__(name: str) -> object:
        if name not in ("AgentCredential", "OnBehalfOfCredential"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from azure_certvar_credential._sync import derived

        return getattr(derived, name)
