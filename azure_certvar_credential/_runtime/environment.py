"""The constructor's arguments out of environment variables, under azure-identity's names.

https://learn.microsoft.com/python/api/azure-identity/azure.identity.environmentcredential
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azure_certvar_credential.certificates.sources import EnvironmentCertificate
from azure_certvar_credential.exceptions import ConfigurationError

CERTIFICATE = "AZURE_CLIENT_CERTIFICATE"
_PATH = "AZURE_CLIENT_CERTIFICATE_PATH"
_CHAIN = "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN"


def arguments_from(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return a constructor's arguments.

    :param environment: the process's environment variables.
    :raises ConfigurationError: a variable is missing; the message names every one that is.
    """
    missing = [
        name for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", CERTIFICATE) if not environment.get(name, "").strip()
    ]
    if missing:
        hint = (
            f"; {_PATH} is set, but this package takes the certificate's content: put that into {CERTIFICATE}"
            if CERTIFICATE in missing and environment.get(_PATH)
            else ""
        )
        raise ConfigurationError(f"not set in the environment: {', '.join(missing)}{hint}")
    source = EnvironmentCertificate(CERTIFICATE, f"{CERTIFICATE}_PASSWORD")
    source()  # what cannot be used is named now, and not when the first token is asked for
    return {
        "tenant_id": environment["AZURE_TENANT_ID"].strip(),
        "client_id": environment["AZURE_CLIENT_ID"].strip(),
        "certificate": source,
        "send_certificate_chain": environment.get(_CHAIN, "").strip().lower() in ("1", "true"),
    }
