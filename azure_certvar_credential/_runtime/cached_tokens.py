"""The tokens of a credential with the rules of their refresh: the part of the shells that never waits.

Sync and async ask the same questions here: what to do about a request (:meth:`CachedTokens.plan`), what follows from a
failed acquisition (:meth:`CachedTokens.call_failed`), what its callers get (:meth:`CachedTokens.outcome`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from azure_certvar_credential._core.effects import Token
from azure_certvar_credential._core.freshness import REQUIRED_MARGIN
from azure_certvar_credential._core.request import CacheKey, TokenRequest
from azure_certvar_credential._values import replace
from azure_certvar_credential.caches.memory import Entry
from azure_certvar_credential.exceptions import CLOSED, AuthenticationError, CredentialClosedError

if TYPE_CHECKING:
    from azure_certvar_credential._core.sharing_options import Sharing
    from azure_certvar_credential._runtime.failures import Failures
    from azure_certvar_credential._runtime.flow_memory import FlowMemory
    from azure_certvar_credential._runtime.observer import Observer
    from azure_certvar_credential.caches.store import TokenStore

# Seconds between a failed refresh and the next.
BACKOFF = 30.0
# Seconds that a caller with a valid token waits for a new one before it takes the old one.
PATIENCE = 1.0


# What to do about a request: return the entry; return it, and start a refresh in the background; wait a moment for a
# refresh, then return the best entry; wait for an acquisition.
Step = Literal["serve", "refresh", "hurry", "join"]


class CachedTokens:
    """The tokens of a credential with the rules of their refresh; usable from any thread.

    :param clock: returns seconds since the epoch, UTC.
    :param tenant_id: the credential's own tenant, which a request that names none is for.
    :param sharing: how the tokens are shared with other processes; None if they are not.
    :ivar store: where the tokens are.
    :ivar failures: what is remembered of failures; None before the first.
    :ivar observer: records what the credential does; None if nothing does.
    """

    def __init__(
        self, store: TokenStore, clock: Callable[[], float], tenant_id: str, sharing: Sharing | None = None
    ) -> None:
        self.store = store
        self._get = store.get
        self._tenant_id = tenant_id
        self._sharing = sharing
        self.clock = clock
        self._lock = threading.Lock()
        self._closed = False
        self._flow_memory: FlowMemory | None = None
        self.failures: Failures | None = None
        self.observer: Observer | None = None

    def lookup(
        self, scopes: tuple[str, ...], claims: str | None, tenant_id: str | None, *, enable_cae: bool
    ) -> Entry | None:
        """Return the entry for the arguments of a ``get_token`` if it is fresh: the hot path, without a lock.

        The slow path checks what it does not recognise, such as a tenant in another spelling or a scope that is no
        string, and looks it up again.
        """
        if claims:
            return None
        # fresh() for the application's own cache_key(), without the calls.
        try:
            entry = self._get((scopes, tenant_id or self._tenant_id, enable_cae))
        except TypeError:  # a scope that cannot be hashed
            return None
        if entry is not None and entry.usable_from <= (now := self.clock()) < entry.fresh_until:
            entry.used = now
            return entry
        return None

    def fresh(self, key: CacheKey) -> Entry | None:
        """Return the entry of a key if it is fresh, without a lock."""
        try:
            entry = self._get(key)
        except TypeError:  # a scope that cannot be hashed
            return None
        if entry is not None and entry.usable_from <= (now := self.clock()) < entry.fresh_until:
            entry.used = now
            return entry
        return None

    @property
    def flow_memory(self) -> FlowMemory:
        """What the flow keeps beside tokens, made when first asked for: most credentials need none."""
        memory = self._flow_memory
        if memory is None:
            from azure_certvar_credential._runtime.flow_memory import FlowMemory

            with self._lock:
                memory = self._flow_memory = self._flow_memory or FlowMemory(self.clock)
        return memory

    def check_open(self) -> None:
        """Raise :class:`CredentialClosedError` if the credential was closed."""
        if self._closed:
            raise CredentialClosedError(CLOSED)

    def plan(self, request: TokenRequest) -> tuple[Step, Entry | None]:
        """Decide about a request. Of all callers that find an entry due for refresh, one gets ``refresh``.

        :raises CredentialClosedError: the credential was closed.
        :raises AuthenticationError: the server asked for a pause, which is not over; its answer again.
        """
        if self._closed:
            self.check_open()
        now = self.clock()
        entry = self._older(request)
        if entry is not None and now >= entry.usable_from:
            if now < entry.fresh_until:
                entry.used = now
                return "serve", entry
            if entry.looked_until <= now < entry.token.refresh_on:
                return "hurry", entry
            if now < entry.token.required_on:
                return ("refresh" if self._claim(entry, now) else "serve"), entry
            if now < entry.token.expires_on:
                return "hurry", entry
        failures = self.failures
        if failures is not None:
            failures.check((request.key, request.claims), now)
        return "join", None

    def outcome(
        self, request: TokenRequest, token: Token | None, error: Exception | None, *, again: bool
    ) -> Entry | None:
        """Return what a caller gets from an acquisition; None if the caller should join another one.

        :param token: the acquired token, or None.
        :param error: why there is none, or None.
        :param again: whether the caller may join another one when the token expired on the way, because the computer
            slept or its clock was set.
        :raises Exception: the error, in a copy of the caller's own, unless an older token still serves.
        """
        entry, now = self._older(request), self.clock()
        if token is not None:
            if token.expires_on <= now and again:
                return None
            if entry is not None and (entry.token is token or _outlives(entry, token, now)):
                return entry
            return self.store.entry(request.key, token, answers_challenge=request.claims is not None)
        if entry is not None and now < entry.token.expires_on:
            return entry
        # For failures alone, here and below.
        from azure_certvar_credential._runtime.failures import own_copy

        raise own_copy(error or RuntimeError("an acquisition ended without an outcome"))

    def call_failed(self, request: TokenRequest, error: Exception, *, began: float) -> None:
        """Note a failed acquisition: postpone the next one, and log the failure if an older token hides it.

        :param began: when the acquisition began, in seconds since the epoch.
        """
        from azure_certvar_credential._runtime.failures import Failures

        now = self.clock()
        retry_after = (error.retry_after if isinstance(error, AuthenticationError) else None) or 0.0
        with self._lock:
            self.failures = self.failures or Failures()
            self.failures.note((request.key, request.claims), error, now)
        entry = self._older(request)
        # A token requested since then, to answer a challenge, has nothing to do with this failure.
        if entry is not None and entry.token.requested_on < began and now < entry.token.expires_on:
            self._postpone(request, entry, now, max(BACKOFF, retry_after), error)

    def give_up_waiting(self, entry: Entry) -> Entry:
        """Return an entry whose refresh takes too long; for the length of a back-off no caller waits for it again."""
        # Not earlier than a failure has set meanwhile.
        entry.fresh_until = max(entry.fresh_until, min(self.clock() + BACKOFF, entry.token.expires_on))
        return entry

    def call_abandoned(self, request: TokenRequest) -> None:
        """Note an interrupted acquisition, so that the next caller starts another."""
        entry = self._older(request)
        if entry is not None:
            entry.fresh_until = min(entry.fresh_until, entry.token.refresh_on)

    def write(self, request: TokenRequest, token: Token) -> None:
        """Keep a new token.

        A token requested earlier than the present one does not replace it: its acquisition took long. Nor does it
        replace the answer to a claims challenge of the same moment. One that is due at once does not replace one that
        lives longer, unless it answers a challenge itself; that counts as a failed refresh.
        """
        with self._lock:
            if self._closed:
                return
            before = self._get(request.key)
            now = self.clock()
            if before is not None and before.token is token:
                self._looked(before, now)
                return
            # A date in the future says nothing about the order: the clock has been set back since.
            # One that another process stored has a larger generation, and times of another clock.
            newer = before is not None and 0 < before.token.generation < token.generation
            if before is not None and before.token.requested_on <= now:
                answered = request.claims is None and before.answered_on >= max(token.requested_on, 1.0)
                if not newer and (answered or before.token.requested_on > token.requested_on):
                    return
                if request.claims is None and _outlives(before, token, now):
                    reason = f"the new one expires in {token.expires_on - now:.0f} s"
                    self._postpone(request, before, now, BACKOFF, reason)
                    return
            if request.claims is not None and token.refresh_token is None and before is not None:
                # The user's assertion answered the challenge; the refresh token is still good.
                token = replace(token, refresh_token=before.token.refresh_token)
            entry = self.store.put(request.key, token, now)
            if self.observer is not None and before is not None:
                self.observer.refreshed(None)
            if token.generation:
                self._looked(entry, now)
            if request.claims is not None:
                entry.answered_on = token.requested_on
            if self.failures is not None:
                self.failures.forget((request.key, request.claims))

    def close(self) -> None:
        """Forget every token and serve no more."""
        with self._lock:
            self._closed = True
            if self._flow_memory is not None:
                self._flow_memory.clear()
            self.failures = None
            self.store.clear()

    def after_fork(self) -> None:
        """Start afresh in a child process, which lacks the threads that hold locks or refresh tokens."""
        self._lock = threading.Lock()
        if self._flow_memory is not None:
            self._flow_memory.after_fork()
        self.store.after_fork()

    def _older(self, request: TokenRequest) -> Entry | None:
        """Return the entry that a request finds in memory, or None; a claims challenge asks for another one."""
        return self._get(request.key) if request.claims is None else None

    def _postpone(
        self, request: TokenRequest, entry: Entry, now: float, pause: float, failure: Exception | str
    ) -> None:
        """Serve a token for the length of a pause, after its refresh brought nothing better."""
        from azure_certvar_credential._runtime.events import refresh_failed

        entry.fresh_until = min(now + pause, entry.token.expires_on)
        kind = refresh_failed(request, entry, now, failure)
        if self.observer is not None:
            self.observer.refreshed(kind)

    def _looked(self, entry: Entry, now: float) -> None:
        """Note that an entry is what the cache that processes share holds at this moment.

        Half of the time that a replaced token may be used is for the hot path. In the other half a caller starts the
        next look in the background; the first one after it waits for a look.
        """
        if self._sharing is not None:
            seconds = self._sharing.invalidation_seconds
            entry.looked_until = now + seconds
            entry.fresh_until = min(entry.token.refresh_on, now + seconds / 2)

    def _claim(self, entry: Entry, now: float) -> bool:
        with self._lock:
            if now < entry.fresh_until:
                return False
            if now < entry.token.refresh_on:
                entry.fresh_until = min(entry.looked_until, entry.token.refresh_on)
                return True
            # Until the refresh is over, callers take the hot path; they wait for one that outlasts this.
            entry.fresh_until = entry.token.required_on
            return True


def _outlives(entry: Entry, token: Token, now: float) -> bool:
    """Return whether an entry still serves when a new token that is due at once has expired."""
    return entry.usable_from <= now and token.expires_on < min(entry.token.expires_on, now + REQUIRED_MARGIN)
