"""Client assertions for requests that another library sends: azure-identity, MSAL, any OAuth client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azure_certvar_credential._core.effects import Flow
from azure_certvar_credential._core.flow import token_endpoint
from azure_certvar_credential._core.retries import Retries
from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential.exceptions import ConfigurationError

if TYPE_CHECKING:
    from azure_certvar_credential._core.config import Settings


def client_assertion(settings: Settings, audience: str | None) -> Flow[str]:
    """Return an assertion for another library's request; yields effects.

    :param settings: the credential's settings.
    :param audience: the ``aud``; None for the issuer, or the global token endpoint of the credential's own tenant,
        because the other library's region is unknown here.
    """
    if audience is None:
        endpoint = yield from token_endpoint(settings, settings.tenant_id, Retries(settings.retry), regional=False)
        return (yield from settings.client_authentication.assertion_for(endpoint))
    return (yield from settings.client_authentication.assertion_for(audience))


def check_audience(audience: object) -> None:
    """Check the audience of an assertion.

    :raises ConfigurationError: it is not a string, or has white space.
    """
    if audience is not None and (
        not isinstance(audience, str) or not audience or any(c.isspace() or not c.isprintable() for c in audience)
    ):
        raise ConfigurationError(
            f"audience must be the token endpoint or issuer that the assertion is for, such as "
            f"'https://idp.example/token', not {redact_value(audience)}"
        )
