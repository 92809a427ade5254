"""What the sync and the async credential share and the pure core may not have: clock, randomness, environment, fork.

Names that only annotations and rare calls need are imported when somebody asks for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from azure_certvar_credential._runtime.status import CredentialStatus as CredentialStatus
else:

    def __getattr__(name: str) -> object:
        if name != "CredentialStatus":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from azure_certvar_credential._runtime.status import CredentialStatus

        return CredentialStatus
