"""State between the requests of a user: refresh tokens, and the claims that resources demand.

https://learn.microsoft.com/entra/identity-platform/refresh-tokens
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace

from azure_certvar_credential.testing.entra.claims import Challenge, make_challenge
from azure_certvar_credential.testing.entra.directory.model import User

_MAX_REFRESH_TOKENS = 10_000

STEP_UP_CODES = (50076, 50079)
"""The codes by which Entra requires a user to use multi-factor authentication, or to register for it."""


@dataclass(frozen=True, slots=True)
class Session:
    """The session of a refresh token.

    :ivar user: the user.
    :ivar client_id: the application that received the token.
    :ivar tenant_id: the tenant that issued the token.
    :ivar scope: the scope of the token.
    :ivar uti: the id of the user's token that began the session.
    :ivar methods: how the user signed in.
    :ivar issued: seconds since the epoch.
    :ivar revoked: the time of revocation, seconds since the epoch, or None.
    """

    user: User
    client_id: str
    tenant_id: str
    scope: str
    uti: str
    methods: tuple[str, ...]
    issued: float
    revoked: float | None = None


@dataclass(frozen=True, slots=True)
class Demand:
    """A resource's demand for claims.

    :ivar code: the AADSTS code of the refusal.
    :ivar challenge: the challenge that the user's token must meet.
    """

    code: int
    challenge: Challenge


def make_demand(code: int, claims: str, since: int) -> Demand:
    """Make a demand of a claims request.

    :param code: the AADSTS code of the refusal.
    :param claims: the claims request, JSON.
    :param since: the number of tokens issued so far.
    :raises ValueError: the code is not one of :data:`STEP_UP_CODES`, or the claims request is not JSON or is empty.
    """
    if code not in STEP_UP_CODES:
        raise ValueError(f"the code of a step-up must be one of {STEP_UP_CODES}, not {code}")
    return Demand(code, make_challenge(claims, since))


class Sessions:
    """Refresh tokens and demands; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._demands: dict[str, Demand] = {}

    def begin(self, session: Session) -> str:
        """Issue an opaque refresh token for a session."""
        token = f"1.{secrets.token_urlsafe(48)}"
        with self._lock:
            self._sessions[token] = session
            if len(self._sessions) > _MAX_REFRESH_TOKENS:
                self._sessions.popitem(last=False)
        return token

    def find(self, token: str) -> Session | None:
        """Return the session of a refresh token; None if the token is unknown."""
        return self._sessions.get(token)

    def revoke(self, user: User | None, now: float) -> int:
        """Revoke refresh tokens.

        :param user: the user whose tokens to revoke; None for all users.
        :param now: seconds since the epoch.
        :returns: the number of revoked tokens.
        """
        with self._lock:
            revoked = {
                token: replace(session, revoked=now)
                for token, session in self._sessions.items()
                if session.revoked is None and user in (None, session.user)
            }
            self._sessions.update(revoked)
        return len(revoked)

    def demand(self, resource: str, demand: Demand | None) -> None:
        """Set a resource's demand; None removes it."""
        with self._lock:
            if demand is None:
                self._demands.pop(_name(resource), None)
            else:
                self._demands[_name(resource)] = demand

    def demand_of(self, resource: str) -> Demand | None:
        """Return a resource's demand, or None."""
        return self._demands.get(_name(resource))


def _name(resource: str) -> str:
    return resource.rstrip("/").lower()
