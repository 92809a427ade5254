"""What the sync and the async credential of an agent identity have in common."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from azure_certvar_credential._core import tenant as tenants
from azure_certvar_credential._core.config import Settings
from azure_certvar_credential._core.grants import Grant
from azure_certvar_credential._core.grants.agent import ForAgent, agent_user, for_agent
from azure_certvar_credential._runtime.cached_tokens import CachedTokens
from azure_certvar_credential._runtime.derived import TokensOfGrant
from azure_certvar_credential._runtime.grant_tokens import GrantTokens
from azure_certvar_credential._values import replace
from azure_certvar_credential.exceptions import ConfigurationError


def agent_tokens(
    agent_client_id: object, tenant_id: str | None, cached_tokens: CachedTokens, settings: Settings
) -> tuple[Settings, GrantTokens]:
    """Check the arguments of ``agent``, and return the agent's settings and tokens.

    :param cached_tokens: the blueprint's tokens.
    :param settings: the blueprint's settings.
    :raises ConfigurationError: an argument cannot work.
    """
    if settings.authority.kind != "entra":
        raise ConfigurationError(
            f"agent identities exist at Microsoft Entra ID, not at {settings.authority.rules.title}"
        )
    grant = for_agent(agent_client_id)
    if grant.agent_id == settings.client_id.lower():
        raise ConfigurationError(
            "agent_client_id is the blueprint's own client id: pass the client id of an agent identity below it"
        )
    tenant = tenants.resolve_tenant(
        tenant_id,
        default=settings.tenant_id,
        allowed=settings.additionally_allowed_tenants,
        fixed=settings.single_tenant,
    )
    if tenant != settings.tenant_id:
        settings = replace(settings, tenant_id=tenant)
    return settings, GrantTokens(grant, cached_tokens, settings)


def agent_user_tokens(agent: TokensOfGrant, object_id: object, username: object, settings: Settings) -> GrantTokens:
    """Check the arguments of an agent's ``user`` and return the user's tokens.

    :raises ConfigurationError: both or neither are given, or one is malformed.
    """
    grant = presented_by(agent)(agent_user(object_id, username))
    return GrantTokens(grant, agent.cached_tokens, settings)


def presented_by(agent: TokensOfGrant) -> Callable[[Grant], Grant]:
    """Return what makes a grant one that the agent presents.

    :param agent: the agent's tokens.
    """
    own = agent.grant
    if not isinstance(own, ForAgent):
        raise TypeError("these are not the tokens of an agent")
    return partial(ForAgent, own.agent_id)
