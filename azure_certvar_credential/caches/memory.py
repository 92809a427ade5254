"""The tokens of one credential in memory, prepared for the hot path.

Readers take no lock: they look a key up in a dict and compare two numbers. Writers hold a lock, so that only one prunes
at a time.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Hashable
from math import inf
from typing import Any

from azure.core.credentials import AccessToken, AccessTokenInfo

from azure_certvar_credential._core.effects import Token
from azure_certvar_credential._core.freshness import CLOCK_STEP, spread

MAX_ENTRIES = 10_000
# With fewer entries than this, no search for expired ones begins.
_FIRST_LOOK = 64
# Seconds that a refresh token is kept after its access token has expired, for a user's work that pauses.
_REFRESH_TOKEN_LIFE = 86400.0


class HiddenAccessToken(AccessToken):
    """An ``AccessToken`` whose ``repr`` hides the token."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"AccessToken(token='***', expires_on={self.expires_on})"


class HiddenAccessTokenInfo(AccessTokenInfo):
    """An ``AccessTokenInfo`` whose ``repr`` hides the token."""

    def __repr__(self) -> str:
        return (
            f"AccessTokenInfo(token='***', expires_on={self.expires_on}, token_type={self.token_type!r}, "
            f"refresh_on={self.refresh_on})"
        )


class Entry:
    """A token in both forms that Azure clients request.

    :ivar token: the token with its times.
    :ivar access_token: the answer of ``get_token``.
    :ivar access_token_info: the answer of ``get_token_info``.
    :ivar usable_from: the time (seconds since the epoch, UTC) before which the token's times are wrong.
    :ivar fresh_until: the time (seconds since the epoch, UTC) until which the hot path returns the token.
    :ivar used: the time of its last use; the least recently used entries are dropped when there are too many.
    :ivar answered_on: when the token answered a claims challenge; 0 if it did not.
    :ivar looked_until: the time (seconds since the epoch, UTC) from which the token is not used before the cache that
        processes share was looked at; infinity without one.
    """

    __slots__ = (
        "access_token",
        "access_token_info",
        "answered_on",
        "fresh_until",
        "looked_until",
        "token",
        "usable_from",
        "used",
    )

    def __init__(self, token: Token, now: float) -> None:
        self.token = token
        self.access_token: AccessToken = HiddenAccessToken(token.value, int(token.expires_on))
        self.access_token_info: AccessTokenInfo = HiddenAccessTokenInfo(
            token.value, int(token.expires_on), token_type=token.token_type, refresh_on=int(token.refresh_on)
        )
        self.usable_from = token.requested_on - CLOCK_STEP
        self.fresh_until = token.refresh_on
        self.used = now
        self.answered_on = 0.0
        self.looked_until = inf


class TokenMemory:
    """A bounded map from cache keys to entries.

    :param max_entries: the largest number of entries; beyond it the least recently used tenth is dropped.
    """

    def __init__(self, max_entries: int = MAX_ENTRIES) -> None:
        self._entries: dict[Hashable, Entry] = {}
        # The dict's own method: a Python function around it would make a hot call a tenth slower.
        self.get = self._entries.get
        self._max_entries = max_entries
        self._look_at = _FIRST_LOOK
        self._lock = threading.Lock()

    def put(self, key: Hashable, token: Token, now: float) -> Entry:
        """Keep a token in place of the previous one, and make room for it.

        :param now: the time in seconds since the epoch, UTC.
        """
        entry = Entry(token, now)
        with self._lock:
            if key not in self._entries and len(self._entries) >= min(self._look_at, self._max_entries):
                self._make_room(now)
            self._entries[key] = entry
        return entry

    def entry(self, key: Hashable, token: Token, *, answers_challenge: bool) -> Entry:
        """Return the entry of a token that was acquired for a key.

        :param answers_challenge: whether it answers a claims challenge; then no other token replaces it, because
            another challenge may have had other claims.
        """
        entry = self._entries.get(key)
        if entry is not None and (
            entry.token.value is token.value
            # Another token has answered a claims challenge meanwhile, and is better for a request without one.
            or (not answers_challenge and entry.answered_on >= max(token.requested_on, 1.0))
        ):
            return entry
        return Entry(token, token.refresh_on)

    def items(self) -> list[tuple[Any, Entry]]:
        """Return the entries with their keys."""
        return list(self._entries.items())

    def clear(self) -> None:
        """Forget every token."""
        with self._lock:
            self._entries.clear()

    def after_fork(self) -> None:
        """Prepare a child process: keep the tokens, renew the lock, and forget running refreshes.

        The children of a forking server have the same tokens; each gets another time of refresh.
        """
        self._lock = threading.Lock()
        # The operating system's, because the module's generator may still have the parent's state.
        generator = random.SystemRandom()
        for entry in self._entries.values():
            token = entry.token
            entry.fresh_until = min(
                spread(token.refresh_on, token.requested_on, generator.random()), entry.looked_until
            )

    def _make_room(self, now: float) -> None:
        """Drop expired entries, and if that is not enough, the least recently used tenth.

        It runs when the number of entries has doubled, so that one pass serves many insertions and expired entries
        never outnumber the others for long.
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
