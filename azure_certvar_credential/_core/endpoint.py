"""Where a token request goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

    from azure_certvar_credential._core.config import Settings
    from azure_certvar_credential._core.effects import Effect, Result


def token_endpoint(settings: Settings, tenant_id: str) -> Generator[Effect, Result, str]:
    """Return the token endpoint for a tenant; yields effects where it has to be found out.

    :param settings: the credential's.
    :param tenant_id: the tenant that is asked, lower case.
    """
    yield from ()
    return settings.authority.token_endpoint(tenant_id)
