"""A client that keeps a token for its link never gets one in its last five minutes while the server answers.

Service Bus and Event Hubs authorize an AMQP link with a token, and ask for another when a tenth of the life that the
token had then is left. One that is old already, or that comes twice, lets the link break off.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from azure_certvar_credential._core import freshness
from azure_certvar_credential._core.effects import Token
from azure_certvar_credential._core.request import TokenRequest
from azure_certvar_credential._runtime.cached_tokens import CachedTokens
from azure_certvar_credential.caches.memory import TokenMemory
from tests.credential.world import Clock

pytestmark = pytest.mark.usefixtures("uncovered")

REQUEST = TokenRequest(("https://servicebus.azure.net/.default",), "tenant")
DAYS = 60
# Seconds: Entra's default is a random life of 60 to 90 minutes, and a day for the resources that can revoke tokens.
LIVES = {"an hour": (3599, 3599), "60 to 90 minutes": (3599, 5399), "ten minutes": (600, 600), "a day": (86399, 86399)}


class _Bus:
    """Links of one process, over one credential's memory; the server answers in a moment."""

    def __init__(self, lives: tuple[int, int], links: int) -> None:
        self._random = random.Random(1)
        self._lives = lives
        self._clock = Clock(0.0)
        self._memory = CachedTokens(TokenMemory(), self._clock, "tenant")
        self._links = links
        self.lives = 0

    def remaining(self) -> Iterator[tuple[int, float]]:
        """Yield the number of the token's life, and what was left of it, for each token that a link got."""
        due = [self._random.uniform(0, 3600) for _ in range(self._links)]
        while (now := min(due)) < DAYS * 86400:
            self._clock.now = now
            token = self._token()
            left = token.expires_on - now
            yield int(token.value), left
            due[due.index(now)] = now + max(0.9 * left, 1.0)

    def _token(self) -> Token:
        now = self._clock.now
        step, entry = self._memory.plan(REQUEST)
        if entry is None or step != "serve":
            new = self._issued(now)
            self._memory.write(REQUEST, new)
            # Only a caller that waits gets it at once.
            if entry is None or step == "hurry":
                return new
        return entry.token

    def _issued(self, now: float) -> Token:
        self.lives += 1
        life = self._random.randint(*self._lives)
        return Token(
            str(self.lives),
            "Bearer",
            expires_on=now + life,
            refresh_on=freshness.refresh_on(now, life, None, self._random.random()),
            required_on=freshness.required_on(now, life),
            requested_on=now,
        )


def _share(lives: tuple[int, int], links: int) -> float:
    """Return the share of token lives in which a link got the token with less than five minutes left."""
    bus = _Bus(lives, links)
    late = {life for life, left in bus.remaining() if left < 300}
    return len(late) / bus.lives


@pytest.mark.parametrize("links", [1, 3, 10])
@pytest.mark.parametrize("life", LIVES)
def test_no_link_gets_a_token_in_its_last_five_minutes(life: str, links: int) -> None:
    assert _share(LIVES[life], links) == 0


@pytest.mark.parametrize(("links", "share"), [(1, 0.9), (3, 0.5), (10, 0.2)])
def test_the_model_tells_a_margin_that_is_too_short(monkeypatch: pytest.MonkeyPatch, links: int, share: float) -> None:
    monkeypatch.setattr(freshness, "REFRESH_MARGIN", 300)
    monkeypatch.setattr(freshness, "REQUIRED_MARGIN", 30)
    assert _share(LIVES["60 to 90 minutes"], links) > share
