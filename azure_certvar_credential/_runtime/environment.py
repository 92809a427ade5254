"""The constructor's arguments out of environment variables, under azure-identity's names.

https://learn.microsoft.com/python/api/azure-identity/azure.identity.environmentcredential
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from azure_certvar_credential._core.checks import refuse_quotes
from azure_certvar_credential._runtime.certificate_provider import EagerSource
from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential.certificates.sources import EnvironmentCertificate
from azure_certvar_credential.exceptions import ConfigurationError, MissingCertificateError

CERTIFICATE = "AZURE_CLIENT_CERTIFICATE"
_PATH = "AZURE_CLIENT_CERTIFICATE_PATH"
_CHAIN = "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN"
# azure-identity for .NET and Java takes 1 and true, and the one for Python any text, "false" too.
_FLAGS = {"": False, "0": False, "false": False, "1": True, "true": True}


def arguments_from(environment: Mapping[str, str], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return a constructor's arguments.

    :param environment: the process's environment variables.
    :param options: arguments that were given; they win, and their variables need not be set. None is not given.
    :raises ConfigurationError: a variable is missing, and the message names every one that is; or one says something
        else than it can say.
    """
    given = {name: value for name, value in options.items() if value is not None}
    own_certificate = "certificate" in given or "certificate_data" in given
    needed = {
        "AZURE_TENANT_ID": "tenant_id" not in given,
        "AZURE_CLIENT_ID": "client_id" not in given,
        CERTIFICATE: not own_certificate,
    }
    missing = [name for name, wanted in needed.items() if wanted and not environment.get(name, "").strip()]
    if missing:
        hint = (
            f"; {_PATH} is set, but this package takes the certificate's content: put that into {CERTIFICATE}"
            if CERTIFICATE in missing and environment.get(_PATH)
            else ""
        )
        raise ConfigurationError(f"not set in the environment: {', '.join(missing)}{hint}")
    arguments: dict[str, Any] = {
        "tenant_id": environment.get("AZURE_TENANT_ID", "").strip(),
        "client_id": environment.get("AZURE_CLIENT_ID", "").strip(),
    }
    if "send_certificate_chain" not in given:
        arguments["send_certificate_chain"] = _flag(_CHAIN, environment.get(_CHAIN, ""))
    if not own_certificate:
        # A password that was given opens the certificate in the constructor, which needs it as it is then.
        source = _content if "password" in given else EnvironmentCertificate(CERTIFICATE, f"{CERTIFICATE}_PASSWORD")
        arguments["certificate"] = EagerSource(source)
    return {**arguments, **given}


def _flag(name: str, value: str) -> bool:
    refuse_quotes(name, value)
    flag = _FLAGS.get(value.strip().lower())
    if flag is None:
        raise ConfigurationError(f"{name} must be 1 or true, or else 0, false or empty, not {redact_value(value)}")
    return flag


def _content() -> str:
    data = os.environ.get(CERTIFICATE, "")
    if not data:
        raise MissingCertificateError(f"the environment variable {CERTIFICATE} is no longer set")
    return data
