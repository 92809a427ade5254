"""The tokens of a credential and what to do about each at a moment: the part of the shells that has no waiting in it.

Sync and async ask the same questions here: what about this request (:meth:`CachedTokens.plan`), a flight has failed
(:meth:`CachedTokens.call_failed`), what does its caller get (:meth:`CachedTokens.outcome`).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Protocol

from azure_certvar_credential._core.effects import Token
from azure_certvar_credential._core.request import CacheKey, TokenRequest
from azure_certvar_credential._runtime.flow_memory import FlowMemory
from azure_certvar_credential._runtime.shared_errors import noted, own_copy
from azure_certvar_credential._secrecy.redaction import redact_error
from azure_certvar_credential.caches.memory import Entry
from azure_certvar_credential.caches.protocol import TokenStore
from azure_certvar_credential.exceptions import (
    CLOSED,
    AuthenticationError,
    CredentialClosedError,
)

_LOGGER = logging.getLogger("azure_certvar_credential")

# After a refresh that failed, the next one is tried when this many seconds have passed.
BACKOFF = 30.0
# A caller whose token is still valid waits this long (seconds) for a better one, and then takes what there is.
PATIENCE = 1.0
# More pauses than this are not remembered; the server reminds whoever asks.
MAX_REFUSALS = 1000


class CacheLookup(Protocol):
    """The hot path of a credential."""

    def lookup(
        self, scopes: tuple[str, ...], claims: str | None, tenant_id: str | None, *, enable_cae: bool
    ) -> Entry | None:
        """Return the fresh entry for the arguments of a ``get_token``; None leaves it to the slow path."""
        ...


class Step(Enum):
    """What a caller does about a request."""

    SERVE = "return the entry"
    REFRESH = "return the entry, and start a flight in the background"
    HURRY = "wait for a flight a moment, then return the entry"
    JOIN = "wait for a flight"


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A server's request to be left alone.

    :ivar noted_on: when it was made, in seconds since the epoch.
    :ivar until: until when it holds, likewise.
    :ivar error: the answer.
    """

    noted_on: float
    until: float
    error: AuthenticationError


class CachedTokens:
    """The tokens of a credential with the rules of their refresh; usable from any thread.

    :param store: where the tokens are.
    :param clock: returns seconds since the epoch, UTC.
    :param tenant_id: the credential's own tenant, which a request that names none is for.
    """

    def __init__(self, store: TokenStore, clock: Callable[[], float], tenant_id: str) -> None:
        self._store = store
        self._get = store.get
        self._tenant_id = tenant_id
        self._clock = clock
        self._lock = threading.Lock()
        self._closed = False
        self._flow_memory: FlowMemory | None = None
        # Requests that the server asked not to repeat before a time, with its answer.
        self._refusals: dict[Hashable, _Refusal] = {}

    def lookup(
        self, scopes: tuple[str, ...], claims: str | None, tenant_id: str | None, *, enable_cae: bool
    ) -> Entry | None:
        """Return the entry for the arguments of a ``get_token`` if it is fresh: the hot path, without a lock.

        What it does not recognise, such as a tenant in another spelling or a scope that is no string, is checked and
        looked up again by the callers' slow path.
        """
        if claims:
            return None
        # fresh() for the application's own cache_key(), without the calls.
        try:
            entry = self._get((scopes, tenant_id or self._tenant_id, enable_cae))
        except TypeError:  # a scope that cannot be hashed
            return None
        if entry is not None and entry.usable_from <= (now := self._clock()) < entry.fresh_until:
            entry.used = now
            return entry
        return None

    def fresh(self, key: CacheKey) -> Entry | None:
        """Return the entry of a key if it is fresh, without a lock."""
        try:
            entry = self._get(key)
        except TypeError:  # a scope that cannot be hashed
            return None
        if entry is not None and entry.usable_from <= (now := self._clock()) < entry.fresh_until:
            entry.used = now
            return entry
        return None

    @property
    def flow_memory(self) -> FlowMemory:
        """What the flow keeps beside tokens, made when first asked for: most credentials need none."""
        memory = self._flow_memory
        if memory is None:
            with self._lock:
                memory = self._flow_memory = self._flow_memory or FlowMemory(self._clock)
        return memory

    def check_open(self) -> None:
        """Raise :class:`CredentialClosedError` if the credential was closed."""
        if self._closed:
            raise CredentialClosedError(CLOSED)

    def plan(self, request: TokenRequest) -> tuple[Step, Entry | None]:
        """Decide about a request; of all callers that find an entry due for refresh, one is told to refresh it.

        :raises CredentialClosedError: the credential was closed.
        :raises AuthenticationError: the server's last answer, while the pause that it asked for has not passed.
        """
        self.check_open()
        now = self._clock()
        entry = self._older(request)
        if entry is not None and now >= entry.usable_from:
            if now < entry.fresh_until:
                entry.used = now
                return Step.SERVE, entry
            if now < entry.token.required_on:
                return (Step.REFRESH if self._claim(entry, now) else Step.SERVE), entry
            if now < entry.token.expires_on:
                return Step.HURRY, entry
        refusal = self._refusals.get((request.key, request.claims))
        # One from the future was noted before the clock was set back.
        if refusal is not None and refusal.noted_on <= now < refusal.until:
            raise own_copy(refusal.error, retry_after=refusal.until - now)
        return Step.JOIN, None

    def now(self) -> float:
        """Return the time in seconds since the epoch, UTC; a flight notes when it began."""
        return self._clock()

    def outcome(
        self, request: TokenRequest, token: Token | None, error: Exception | None, *, again: bool
    ) -> Entry | None:
        """Return what a caller gets out of a flight; None if it should take another one.

        :param token: what the flight brought, or None.
        :param error: why it brought none, or None.
        :param again: whether the caller may take another flight when the token has expired on the way, because the
            computer slept or its clock was set meanwhile.
        :raises Exception: the error, in a copy of the caller's own, unless an older token still serves.
        """
        if token is not None:
            expired = token.expires_on <= self._clock()
            if expired and again:
                return None
            return self._store.entry(request.key, token, answers_challenge=request.claims is not None)
        entry = self._older(request)
        if entry is not None and self._clock() < entry.token.expires_on:
            return entry
        raise own_copy(error or RuntimeError("a flight without an outcome"))

    def call_failed(self, request: TokenRequest, error: Exception, *, began: float) -> None:
        """Note that a flight has failed: postpone the next one, and log if an older token hides the failure.

        :param began: when the flight began, in seconds since the epoch.
        """
        now = self._clock()
        retry_after = (error.retry_after if isinstance(error, AuthenticationError) else None) or 0.0
        self._note_refusal(request, error, now)
        entry = self._older(request)
        # A token that was requested since then, to answer a challenge, has nothing to do with this failure.
        if entry is not None and entry.token.requested_on < began and now < entry.token.expires_on:
            pause = max(BACKOFF, retry_after)
            entry.fresh_until = min(now + pause, entry.token.expires_on)
            _LOGGER.warning(
                "could not refresh the token for %s in tenant %s, which is valid for %.0f s more; "
                "next attempt in %.0f s: %s",
                " ".join(request.scopes),
                request.tenant_id,
                entry.token.expires_on - now,
                entry.fresh_until - now,
                redact_error(error),
            )

    def give_up_waiting(self, entry: Entry) -> Entry:
        """Return an entry whose better one takes too long; until the flight is over, nobody waits for it again."""
        entry.fresh_until = entry.token.expires_on
        return entry

    def call_abandoned(self, request: TokenRequest) -> None:
        """Note that a flight was interrupted, so that the next caller starts another."""
        entry = self._older(request)
        if entry is not None:
            entry.fresh_until = min(entry.fresh_until, entry.token.refresh_on)

    def write(self, request: TokenRequest, token: Token) -> None:
        """Keep a new token.

        One that was requested earlier than the one that is there does not replace it: it comes from a flight that took
        long. Nor does it replace the answer to a claims challenge of the same moment.
        """
        with self._lock:
            if self._closed:
                return
            before = self._get(request.key)
            now = self._clock()
            # What is dated in the future says nothing of the order: the clock has been set back since.
            if before is not None and before.token.requested_on <= now:
                answered = request.claims is None and before.answered_on >= max(token.requested_on, 1.0)
                if answered or before.token.requested_on > token.requested_on:
                    return
            if request.claims is not None and token.refresh_token is None and before is not None:
                # The answer to a challenge was had for the user's assertion; the refresh token is still good.
                token = replace(token, refresh_token=before.token.refresh_token)
            entry = self._store.put(request.key, token, now)
            if request.claims is not None:
                entry.answered_on = token.requested_on
            self._refusals.pop((request.key, request.claims), None)

    def close(self) -> None:
        """Forget every token and serve none any more."""
        with self._lock:
            self._closed = True
            if self._flow_memory is not None:
                self._flow_memory.clear()
            self._refusals = {}
            self._store.clear()

    def after_fork(self) -> None:
        """Start afresh in a child process: threads that hold locks or refresh tokens are not there."""
        self._lock = threading.Lock()
        if self._flow_memory is not None:
            self._flow_memory.after_fork()
        self._store.after_fork()

    def read(self, key: CacheKey) -> Token | None:
        """Return the token of a key, whatever its age, or None."""
        entry = self._get(key)
        return None if entry is None else entry.token

    def _older(self, request: TokenRequest) -> Entry | None:
        """Return the entry that a request finds in memory, or None; a claims challenge wants another one."""
        return self._get(request.key) if request.claims is None else None

    def _note_refusal(self, request: TokenRequest, error: Exception, now: float) -> None:
        if not isinstance(error, AuthenticationError) or not error.retry_after:
            return
        refusal = _Refusal(now, now + error.retry_after, noted(error))
        with self._lock:
            for key in [key for key, other in self._refusals.items() if not other.noted_on <= now < other.until]:
                del self._refusals[key]
            if len(self._refusals) < MAX_REFUSALS:
                self._refusals[request.key, request.claims] = refusal

    def _claim(self, entry: Entry, now: float) -> bool:
        with self._lock:
            if now < entry.fresh_until:
                return False
            # Until the flight is over, callers take the hot path; a flight that outlasts this is waited for.
            entry.fresh_until = entry.token.required_on
            return True
