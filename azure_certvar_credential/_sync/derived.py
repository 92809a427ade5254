"""The synchronous credentials of identities that have no credentials: users, agents, and users of agents."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from azure_certvar_credential._core.grants import Grant
from azure_certvar_credential._runtime.derived import Derived, TokensOfGrant, UserTokens
from azure_certvar_credential._runtime.immediate import USERS_TOKEN
from azure_certvar_credential._secrecy.tracebacks import clears_frames
from azure_certvar_credential._sync.shell import Shell
from azure_certvar_credential._sync.single_flight import SingleFlight
from azure_certvar_credential._transport.deadline import Deadline
from azure_certvar_credential.signers.coroutines import blocking


class OnBehalfOfCredential(Derived[SingleFlight], Shell):
    """Tokens on behalf of a user; made by ``on_behalf_of()`` of a credential, whose tokens and connections it shares.

    Closing it does nothing: what it uses belongs to the credential that it came from.

    >>> user = credential.on_behalf_of(user_token)
    >>> token = user.get_token("https://graph.microsoft.com/User.Read")
    """

    _shown_as: ClassVar[str] = "OnBehalfOfCredential"
    _not_pickled: ClassVar[str] = "the pickle would carry the user's token in clear"

    _cache: UserTokens

    def _grant(self, fmi_path: str | None, limit: Deadline) -> Grant:
        limit.waits_for = USERS_TOKEN
        # In the caller's own thread, to which the present user may belong: it can be late, and not be left.
        read = blocking(self._cache.read(), "user_assertion")
        try:
            limit.check()
            return self._cache.grant(read, fmi_path)
        finally:
            del read  # the user's token, which an error reporter would find in this frame


class AgentCredential(Derived[SingleFlight], Shell):
    """Tokens of an agent identity; made by ``agent()`` of its blueprint's credential, whose connections it shares.

    Closing it does nothing: what it uses belongs to the credential that it came from.

    >>> agent = blueprint.agent(agent_client_id)
    >>> token = agent.get_token("https://graph.microsoft.com/.default")
    """

    _shown_as: ClassVar[str] = "AgentCredential"
    _not_pickled: ClassVar[str] = "make it anew with agent() of its blueprint's credential"

    _cache: TokensOfGrant

    @clears_frames
    def on_behalf_of(self, user_assertion: str | Callable[[], str]) -> OnBehalfOfCredential:
        """Return a credential for the tokens of the agent that acts for a signed-in user.

        https://learn.microsoft.com/entra/agent-id/identity-platform/agent-on-behalf-of-oauth-flow

        >>> person = agent.on_behalf_of(user_token_for_blueprint)
        >>> token = person.get_token("https://graph.microsoft.com/User.Read")

        :param user_assertion: the access token that the user's client sent, whose audience is the blueprint; or a
            callable that returns the present user's.
        :raises ConfigurationError: it is neither, or cannot be called synchronously.
        :raises UserAssertionRejectedError: it is no token.
        """
        from azure_certvar_credential._runtime.agents import presented_by
        from azure_certvar_credential._runtime.user import User

        user = User(user_assertion, self._cache.cached_tokens, self._settings, presented_by(self._cache))
        user.refuse_coroutines()
        return OnBehalfOfCredential(self._settings, user, self._single_flight)

    def user(self, *, object_id: str | None = None, username: str | None = None) -> AgentUserCredential:
        """Return a credential for the agent's own user account; exactly one of the parameters names it.

        https://learn.microsoft.com/entra/agent-id/identity-platform/agent-user-oauth-flow

        >>> account = agent.user(object_id=agent_user_id)
        >>> token = account.get_token("https://graph.microsoft.com/.default")

        :param object_id: the user's object id, a GUID.
        :param username: the user principal name, such as ``agent@contoso.com``.
        :raises ConfigurationError: both or neither are given, or one is malformed.
        """
        from azure_certvar_credential._runtime.agents import agent_user_tokens

        tokens = agent_user_tokens(self._cache, object_id, username, self._settings)
        return AgentUserCredential(self._settings, tokens, self._single_flight)

    @property
    def _whose(self) -> str:
        return f", {self._cache.grant.leg}"

    def _grant(self, fmi_path: str | None, limit: Deadline) -> Grant:  # noqa: ARG002 - for what takes time
        return self._cache.without_path(fmi_path)


class AgentUserCredential(Derived[SingleFlight], Shell):
    """Tokens of an agent's own user account; made by ``user()`` of the agent's credential.

    Closing it does nothing: what it uses belongs to the blueprint's credential.

    >>> account = blueprint.agent(agent_client_id).user(object_id=agent_user_id)
    >>> token = account.get_token("https://graph.microsoft.com/.default")
    """

    _shown_as: ClassVar[str] = "AgentUserCredential"
    _not_pickled: ClassVar[str] = "make it anew with agent() and user() of its blueprint's credential"

    _cache: TokensOfGrant

    @property
    def _whose(self) -> str:
        return f", {self._cache.grant.leg}"

    def _grant(self, fmi_path: str | None, limit: Deadline) -> Grant:  # noqa: ARG002 - for what takes time
        return self._cache.without_path(fmi_path)
