"""The environment variables by which Azure's clients find a managed-identity endpoint, and those that mislead them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from azure_certvar_credential._cli.exports import Exports
from azure_certvar_credential._cli.identity_endpoint.requests import Form

# Each makes a client take another credential, endpoint or form of asking than that of IDENTITY_ENDPOINT.
_MISLEADING = frozenset(
    {
        "AZURE_CLIENT_CERTIFICATE_PATH",
        "AZURE_CLIENT_SECRET",
        "AZURE_FEDERATED_TOKEN_FILE",
        "AZURE_POD_IDENTITY_AUTHORITY_HOST",
        "IDENTITY_ENDPOINT",
        "IDENTITY_HEADER",
        "IDENTITY_SERVER_THUMBPRINT",
        "IMDS_ENDPOINT",
        "MSI_ENDPOINT",
        "MSI_SECRET",
    }
)
_PROXY_EXCEPTIONS = ("NO_PROXY", "no_proxy")


def variables(base: str, app_service: Form, imds: Form | None = None) -> Exports:
    """Return the variables that lead a client to an endpoint.

    :param base: scheme, host and port of the endpoint.
    :param app_service: its form of App Service.
    :param imds: its form of IMDS, or None.
    """
    secrets = {"IDENTITY_HEADER": app_service.value}
    if imds is not None:
        # Clients append /metadata/identity/oauth2/token.
        secrets["AZURE_POD_IDENTITY_AUTHORITY_HOST"] = base + imds.path.partition("/metadata/")[0]
    return Exports({"IDENTITY_ENDPOINT": base + app_service.path}, secrets)


def environment_for(inherited: Mapping[str, str], lent: Exports, withheld: Collection[str]) -> Mapping[str, str]:
    """Return the environment of a program that is to get its tokens from an endpoint.

    :param inherited: the environment that it would have.
    :param lent: what :func:`variables` returned.
    :param withheld: the names of the variables that hold the certificate and its password.
    """
    kept = {name: value for name, value in inherited.items() if name not in _MISLEADING and name not in withheld}
    host = urlsplit(lent.variables["IDENTITY_ENDPOINT"]).hostname or ""
    # A client that takes its proxy from the environment would send the secret there.
    exceptions = {name: _with(kept.get(name, ""), host) for name in _PROXY_EXCEPTIONS}
    return {**kept, **exceptions, **lent.variables, **lent.secrets}


def _with(hosts: str, host: str) -> str:
    given = [name.strip() for name in hosts.split(",")]
    return ",".join(dict.fromkeys([*filter(None, given), host]))
