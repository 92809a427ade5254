"""What the processes of ``test_processes.py`` do, in a module that they can import."""

from __future__ import annotations

from typing import Final

from azure_certvar_credential import CertVarCredential

AUDIENCE: Final = "https://storage.azure.com"


def work(credential: CertVarCredential) -> str:
    """Get a token."""
    return credential.get_token(f"{AUDIENCE}/.default").token
