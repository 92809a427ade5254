"""The tokens of one credential in memory, ready-made for the hot path.

Readers take no lock: they look a key up in a dict and compare one number. Writers hold a lock, so that two of them do
not prune at once.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Hashable

from azure.core.credentials import AccessToken, AccessTokenInfo

from azure_certvar_credential._core.effects import Token
from azure_certvar_credential._core.freshness import spread, usable_from
from azure_certvar_credential.caches.tokens import HiddenAccessToken, HiddenAccessTokenInfo

MAX_ENTRIES = 10_000
# With fewer entries than this, expired ones are not looked for.
_FIRST_LOOK = 64
# A refresh token outlives its access token: kept so long (seconds) for work that a user began and that pauses.
_REFRESH_TOKEN_LIFE = 86400.0


class Entry:
    """A token in the two forms that Azure clients ask for.

    :ivar token: the token with its times.
    :ivar access_token: the answer of ``get_token``.
    :ivar access_token_info: the answer of ``get_token_info``.
    :ivar usable_from: before then (seconds since the epoch, UTC) the token's times are not believed.
    :ivar fresh_until: until then (seconds since the epoch, UTC) the token is returned without further ado.
    :ivar used: when it was last returned; decides which entry goes when there are too many.
    :ivar answered_on: when the claims challenge was answered that this token came from; 0 if it came from none.
    """

    __slots__ = ("access_token", "access_token_info", "answered_on", "fresh_until", "token", "usable_from", "used")

    def __init__(self, token: Token, now: float) -> None:
        self.token = token
        self.access_token: AccessToken = HiddenAccessToken(token.value, int(token.expires_on))
        self.access_token_info: AccessTokenInfo = HiddenAccessTokenInfo(
            token.value, int(token.expires_on), token_type=token.token_type, refresh_on=int(token.refresh_on)
        )
        self.usable_from = usable_from(token.requested_on)
        self.fresh_until = token.refresh_on
        self.used = now
        self.answered_on = 0.0


class TokenMemory:
    """A bounded map from cache keys to entries.

    :param max_entries: how many entries are kept at most; the least recently used tenth goes when there are more.
    """

    def __init__(self, max_entries: int = MAX_ENTRIES) -> None:
        self._entries: dict[Hashable, Entry] = {}
        # The dict's own method: a Python function around it would cost a hot call a tenth of its time.
        self.get = self._entries.get
        self._max_entries = max_entries
        self._look_at = _FIRST_LOOK
        self._lock = threading.Lock()

    def put(self, key: Hashable, token: Token, now: float) -> Entry:
        """Keep a token, replacing the one before it, and make room if there is none.

        :param now: the time in seconds since the epoch, UTC.
        """
        entry = Entry(token, now)
        with self._lock:
            if key not in self._entries and len(self._entries) >= min(self._look_at, self._max_entries):
                self._make_room(now)
            self._entries[key] = entry
        return entry

    def entry(self, key: Hashable, token: Token, *, answers_challenge: bool) -> Entry:
        """Return the ready-made forms of a token that was acquired for a key.

        :param answers_challenge: whether it was acquired for a claims challenge; then it is this one or none, because
            the answer to another challenge would not do.
        """
        entry = self._entries.get(key)
        if entry is not None and (
            entry.token.value is token.value
            # It answered a claims challenge meanwhile, and is the better one for a request without one.
            or (not answers_challenge and entry.answered_on >= max(token.requested_on, 1.0))
        ):
            return entry
        return Entry(token, token.refresh_on)

    def clear(self) -> None:
        """Forget every token."""
        with self._lock:
            self._entries.clear()

    def after_fork(self) -> None:
        """Start afresh in a child process: keep the tokens, forget the lock and that a refresh was under way.

        The children of a server that forks have the same tokens, and do not refresh them in the same second.
        """
        self._lock = threading.Lock()
        # Of the operating system: the module's own generator may be the parent's still.
        generator = random.SystemRandom()
        for entry in self._entries.values():
            token = entry.token
            entry.fresh_until = spread(token.refresh_on, token.requested_on, generator.random())

    def _make_room(self, now: float) -> None:
        """Drop what has expired, and if that is not enough the least recently used tenth: one pass for many insertions.

        It is called when there are twice as many entries as the last time, so expired ones never outnumber the others
        for long.
        """
        expired = [key for key, entry in self._entries.items() if _useless_on(entry.token) <= now]
        living_now = len(self._entries) - len(expired)
        self._look_at = max(2 * living_now, _FIRST_LOOK)
        surplus = living_now - self._max_entries + max(self._max_entries // 10, 1)
        if living_now >= self._max_entries and surplus > 0:
            gone = set(expired)
            living = sorted((entry.used, id(entry), key) for key, entry in self._entries.items() if key not in gone)
            expired.extend(key for _, _, key in living[:surplus])
        for key in expired:
            del self._entries[key]


def _useless_on(token: Token) -> float:
    return token.expires_on + (0.0 if token.refresh_token is None else _REFRESH_TOKEN_LIFE)
