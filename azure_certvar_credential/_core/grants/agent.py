"""An agent identity (Microsoft Entra Agent ID): tokens of an agent, and of the agent's own user account.

An agent has no credentials. Its blueprint, the application with the certificate, gets a token for it, which is the
client assertion of the agent's own requests. A request for the agent's user presents a token of the agent as well. Each
request has the fields that Microsoft's library sends (msal 1.39), so that nothing is asked of the service that its own
clients do not ask.

https://learn.microsoft.com/entra/agent-id/identity-platform/agent-oauth-protocols
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from typing import ClassVar

from azure_certvar_credential._core.checks import refuse_quotes
from azure_certvar_credential._core.grants import NO_HEADERS, Grant
from azure_certvar_credential._core.grants.client_credentials import APPLICATION, ClientCredentials
from azure_certvar_credential._secrecy.redaction import redact_value
from azure_certvar_credential._values import Value
from azure_certvar_credential.exceptions import ConfigurationError

_GUID = r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
# The longest user principal name (RFC 5321 limits it: 64 characters, the sign and a domain of 255).
_LONGEST_NAME = 320


class ForAgent(Value):
    """A grant that an agent identity presents in the place of its blueprint.

    :ivar agent_id: the agent's client id, lower case.
    :ivar grant: what the agent presents.
    """

    agent_id: str
    grant: Grant = APPLICATION

    @property
    def key(self) -> tuple[Hashable, ...]:
        """Different for each agent, and for each user of it."""
        return ("agent", self.agent_id, *self.grant.key)

    @property
    def cacheable(self) -> bool:
        """As the agent's grant."""
        return self.grant.cacheable

    @property
    def regional(self) -> bool:
        """As the agent's grant."""
        return self.grant.regional

    @property
    def for_user(self) -> bool:
        """As the agent's grant."""
        return self.grant.for_user

    @property
    def fallback(self) -> Grant | None:
        """The fallback of the agent's grant, presented by the agent too."""
        return None if self.grant.fallback is None else ForAgent(self.agent_id, self.grant.fallback)

    @property
    def leg(self) -> str:
        """Name the agent, and the user if there is one."""
        if not self.grant.for_user:
            return f"the own token of agent {self.agent_id}"
        return f"the token of agent {self.agent_id} for {self.grant.leg or 'a signed-in user'}"

    @property
    def added_scopes(self) -> tuple[str, ...]:
        """As the agent's grant."""
        return self.grant.added_scopes

    @property
    def earlier_legs(self) -> Mapping[str, Grant]:
        """The blueprint's token for the agent, and what the agent's grant presents."""
        blueprint = ClientCredentials(self.agent_id, f"the blueprint's token for agent {self.agent_id}")
        others = {name: ForAgent(self.agent_id, grant) for name, grant in self.grant.earlier_legs.items()}
        return {"client_assertion": blueprint, **others}

    def fields(self) -> dict[str, str]:
        """Return the fields of the agent's grant, with the agent as the client."""
        return {**self.grant.fields(), "client_id": self.agent_id, "client_info": "1"}

    def headers(self, tenant_id: str) -> Mapping[str, str]:
        """Return those of the agent's grant."""
        return self.grant.headers(tenant_id)

    @property
    def refresh_token(self) -> str | None:
        """The agent's grant's."""
        return self.grant.refresh_token

    def renewed_with(self, refresh_token: str) -> Grant:
        """Return the renewed grant, presented by the agent."""
        renewed = self.grant.renewed_with(refresh_token)
        return self if renewed is self.grant else ForAgent(self.agent_id, renewed)


class AgentUser(Value):
    """``user_fic``: a token of the agent's own user account.

    The grant is not documented; its fields, scopes and header are those that Microsoft's library sends (msal 1.37).

    :ivar object_id: the user's object id, lower case; or None.
    :ivar username: the user principal name, if there is no object id.
    """

    cacheable: ClassVar[bool] = True
    regional: ClassVar[bool] = False
    for_user: ClassVar[bool] = True
    fallback: ClassVar[Grant | None] = None
    added_scopes: ClassVar[tuple[str, ...]] = ("openid", "profile", "offline_access")
    refresh_token: ClassVar[str | None] = None
    earlier_legs: ClassVar[Mapping[str, Grant]] = {"user_federated_identity_credential": APPLICATION}

    object_id: str | None
    username: str | None = None

    @property
    def key(self) -> tuple[Hashable, ...]:
        """Different for each user; names that differ in case alone are one user's."""
        name = (self.username or "").casefold()
        return ("user_id", self.object_id) if self.object_id else ("username", name)

    @property
    def leg(self) -> str:
        """Name the user."""
        return f"its user {self.object_id or redact_value(self.username)}"

    def fields(self) -> dict[str, str]:
        """Return the fields of the request."""
        user = {"user_id": self.object_id} if self.object_id else {"username": self.username or ""}
        return {"grant_type": "user_fic", **user}

    def headers(self, tenant_id: str) -> Mapping[str, str]:
        """Return the name of the mailbox by which Entra's gateways find the user's servers."""
        mailbox = f"Oid:{self.object_id}@{tenant_id}" if self.object_id else f"upn:{self.username}"
        # A header field is sent in Latin-1 at most; without it the request only takes a longer way.
        return {"X-AnchorMailbox": mailbox} if mailbox.isascii() else NO_HEADERS

    def renewed_with(self, refresh_token: str) -> Grant:  # noqa: ARG002 - it is not used
        """Return this grant: the certificate outlives any refresh token, and the agent's right is checked each time."""
        return self


def for_agent(agent_client_id: object) -> ForAgent:
    """Check the argument of ``agent`` and return the agent's own grant.

    :raises ConfigurationError: it is not a GUID.
    """
    return ForAgent(_guid("agent_client_id", agent_client_id, "the agent identity's 'Client ID' in the portal"))


def agent_user(object_id: object, username: object) -> AgentUser:
    """Check the arguments of an agent's ``user`` and return the grant.

    :raises ConfigurationError: both or neither are given, or one is malformed.
    """
    if (object_id is None) == (username is None):
        raise ConfigurationError(
            "user() needs either object_id or username, the id or the name of the agent's user account, "
            + ("not both" if username is not None else "and got neither")
        )
    if object_id is not None:
        return AgentUser(_guid("object_id", object_id, "the user's 'Object ID' in the portal"))
    is_text = isinstance(username, str) and username.isprintable() and not any(map(str.isspace, username))
    if not isinstance(username, str) or not is_text or "@" not in username[1:-1] or len(username) > _LONGEST_NAME:
        raise ConfigurationError(
            f"username must be a user principal name, such as 'agent@contoso.com', not {redact_value(username)}"
        )
    return AgentUser(None, username)


def _guid(name: str, value: object, meaning: str) -> str:
    if isinstance(value, str) and re.fullmatch(_GUID, value):
        return value.lower()
    refuse_quotes(name, value)
    raise ConfigurationError(f"{name} must be a GUID, {meaning}, not {redact_value(value)}")
