"""The grants that the token endpoint knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from azure_certvar_credential.testing.entra.grants import agent_user, client_credentials, on_behalf_of
from azure_certvar_credential.testing.entra.grants.exchange import Exchange
from azure_certvar_credential.testing.http import Response

GRANTS: Mapping[str, Callable[[Exchange], Response]] = {
    client_credentials.GRANT_TYPE: client_credentials.client_credentials,
    on_behalf_of.GRANT_TYPE: on_behalf_of.on_behalf_of,
    agent_user.GRANT_TYPE: agent_user.agent_user,
    "refresh_token": on_behalf_of.refresh,
}
"""The function that answers each ``grant_type``."""
