"""Tenants: which names are valid, and which tenant a credential asks for a token."""

from __future__ import annotations

from azure_certvar_credential._core.checks import refuse_quotes
from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential.exceptions import ConfigurationError, TenantNotAllowedError

# Entra serves these to users only: an application signs in to one tenant.
USER_TENANTS = frozenset({"common", "organizations", "consumers"})
ADFS = "adfs"
ANY_TENANT = "*"
# azure-identity's variable: set to anything, it makes get_token ignore the tenant that a caller or a challenge names.
SINGLE_TENANT_VARIABLE = "AZURE_IDENTITY_DISABLE_MULTITENANTAUTH"

_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-")
# RFC 1035 section 2.3.4.
_LONGEST_NAME, _LONGEST_LABEL = 253, 63


def parse_tenant(tenant_id: str) -> str:
    """Check a tenant and return it in lower case, as cache keys and URLs use it.

    :param tenant_id: the tenant's GUID or one of its domain names, or ``adfs``.
    :raises ConfigurationError: empty, or with characters that neither a GUID nor a domain name has.
    """
    refuse_quotes("tenant_id", tenant_id)
    labels = tenant_id.split(".") if isinstance(tenant_id, str) else []
    if (
        not labels
        or len(tenant_id) > _LONGEST_NAME
        or not _CHARACTERS.issuperset(tenant_id)
        or not all(0 < len(label) <= _LONGEST_LABEL for label in labels)
        or "-" in (tenant_id[0], tenant_id[-1])
    ):
        raise ConfigurationError(
            "tenant_id must be the 'Directory (tenant) ID' of the app registration, or one of the tenant's domain "
            f"names, such as contoso.onmicrosoft.com, not {redact_value(tenant_id)}"
        )
    return tenant_id.lower()


def refuse_user_tenant(tenant_id: str) -> None:
    """Raise :class:`ConfigurationError` for the tenant names that Entra serves to users only."""
    if tenant_id in USER_TENANTS:
        raise ConfigurationError(
            f"tenant {tenant_id!r} is for users who sign in; for an application, pass its tenant's GUID or domain name"
        )


def resolve_tenant(requested: str | None, *, default: str, allowed: frozenset[str], fixed: bool = False) -> str:
    """Return the tenant to ask for a token, by azure-identity's rules.

    :param requested: the ``tenant_id`` given to ``get_token``, if any.
    :param default: the credential's own tenant.
    :param allowed: ``additionally_allowed_tenants``; ``*`` stands for every tenant.
    :param fixed: ask the credential's own tenant, whatever is requested.
    :raises TenantNotAllowedError: the tenant is neither the default nor allowed.
    :raises ConfigurationError: the tenant is malformed, or only users sign in to it.
    """
    tenant = default if not requested or fixed or default == ADFS else parse_tenant(requested)
    if tenant != default and ANY_TENANT not in allowed and tenant not in allowed:
        raise TenantNotAllowedError(
            f"get_token was asked for tenant {redact_value(tenant)}, and this credential serves "
            f"{redact_value(default)} only: "
            f"to allow it, pass additionally_allowed_tenants=[{redact_value(tenant)}], or ['*'] for every tenant"
        )
    if tenant in USER_TENANTS:
        refuse_user_tenant(tenant)
    return tenant
