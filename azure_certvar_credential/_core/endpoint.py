"""The token endpoint of a request, which says what its assertion's audience is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azure_certvar_credential._core.authority import AUTO_REGION
from azure_certvar_credential._core.effects import DetectRegion, Endpoint, Flow

if TYPE_CHECKING:
    from azure_certvar_credential._core.config import Settings
    from azure_certvar_credential._core.retries import Retries


def token_endpoint(settings: Settings, tenant_id: str, retries: Retries, *, regional: bool = True) -> Flow[Endpoint]:
    """Return the token endpoint for a tenant; yields effects where it has to be found out.

    :param settings: the credential's settings.
    :param tenant_id: the tenant to ask, lower case.
    :param retries: the retries that the acquisition has left.
    :param regional: use the credential's region. Regional endpoints serve applications that ask for themselves, not
        on behalf of a user.
    """
    region = settings.region if regional else None
    if region == AUTO_REGION:
        region = yield DetectRegion()
    authority = settings.authority if region is None else settings.authority.in_region(region)
    url = authority.token_endpoint(tenant_id)
    if url is not None:
        return Endpoint(url)
    # Only credentials of an OpenID provider pay for this import.
    from azure_certvar_credential._core.metadata import published_endpoint

    return (yield from published_endpoint(settings, retries))
