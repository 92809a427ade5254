"""What lasts between the requests of a user: refresh tokens, and what resources demand of the user.

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
"""The user has to use, or to register for, multi-factor authentication."""


@dataclass(frozen=True, slots=True)
class Session:
    """What a refresh token stands for.

    :ivar user: the user.
    :ivar client_id: the application it was issued to.
    :ivar tenant_id: the tenant that issued it.
    :ivar scope: the scope it was issued with.
    :ivar uti: the id of the user's assertion at its beginning.
    :ivar methods: how the user signed in.
    :ivar issued: seconds since the epoch.
    :ivar revoked: since when it is revoked, seconds since the epoch, or None.
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
    """What a resource asks of users.

    :ivar code: the AADSTS code of the refusal.
    :ivar challenge: what the user's token has to be issued in answer to.
    """

    code: int
    challenge: Challenge


def make_demand(code: int, claims: str, since: int) -> Demand:
    """Make a demand of a resource.

    :param code: the AADSTS code of the refusal.
    :param claims: the claims request, JSON.
    :param since: how many tokens have been issued so far.
    :raises ValueError: there is no such code, or the claims ask for nothing.
    """
    if code not in STEP_UP_CODES:
        raise ValueError(f"a resource asks for more with one of {STEP_UP_CODES}, not with {code}")
    return Demand(code, make_challenge(claims, since))


class Sessions:
    """Refresh tokens and demands; safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._demands: dict[str, Demand] = {}

    def begin(self, session: Session) -> str:
        """Issue a refresh token, which is opaque to the client."""
        token = f"1.{secrets.token_urlsafe(48)}"
        with self._lock:
            self._sessions[token] = session
            if len(self._sessions) > _MAX_REFRESH_TOKENS:
                self._sessions.popitem(last=False)
        return token

    def find(self, token: str) -> Session | None:
        """Find what a refresh token stands for; None if it was never issued."""
        return self._sessions.get(token)

    def revoke(self, user: User | None, now: float) -> int:
        """Revoke the refresh tokens of a user, or all of them, and tell how many.

        :param user: the user, or None.
        :param now: seconds since the epoch.
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
        """Set what a resource asks of users; None for nothing any more."""
        with self._lock:
            if demand is None:
                self._demands.pop(_name(resource), None)
            else:
                self._demands[_name(resource)] = demand

    def demand_of(self, resource: str) -> Demand | None:
        """What a resource asks of users, or None."""
        return self._demands.get(_name(resource))


def _name(resource: str) -> str:
    return resource.rstrip("/").lower()
