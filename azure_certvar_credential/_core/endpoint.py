"""Where a token request goes, and whom its assertion is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azure_certvar_credential._core.effects import DetectRegion, Flow
from azure_certvar_credential._core.region import AUTO

if TYPE_CHECKING:
    from azure_certvar_credential._core.config import Settings
    from azure_certvar_credential._core.retries import Retries


def token_endpoint(settings: Settings, tenant_id: str, retries: Retries, *, regional: bool = True) -> Flow[str]:
    """Return the token endpoint for a tenant; yields effects where it has to be found out.

    :param settings: the credential's.
    :param tenant_id: the tenant that is asked, lower case.
    :param retries: those that the acquisition has left.
    :param regional: take the credential's region into account. Regional endpoints serve applications that ask for
        themselves, not on behalf of a user.
    """
    region = settings.region if regional else None
    if region == AUTO:
        region = yield DetectRegion()
    endpoint = settings.authority.in_region(region).token_endpoint(tenant_id)
    if endpoint is not None:
        return endpoint
    # Only OpenID providers are asked; nobody else pays for the import.
    from azure_certvar_credential._core.metadata import published_endpoint

    return (yield from published_endpoint(settings, retries))
