"""Decides from times alone when a token is used, refreshed, or waited for.

A token's life has three parts::

    |---------------- FRESH ----------------|------ REFRESH ------|-- REQUIRED --|
    requested                           refresh_on           required_on    expires_on

Every boundary is a share of the life or a fixed time, whichever is shorter, so a token of any length is refreshed about
once in its life and never in a loop.
"""

from __future__ import annotations

from enum import Enum

# Tokens that live this long are refreshed at half their life, as in azure-identity and MSAL.
LONG_LIFE = 7200
# Others are refreshed this long before they expire, when azure-core's policies begin to ask again.
REFRESH_MARGIN = 300
# A token this close to its end may expire on its way to the service, so callers wait for a new one.
REQUIRED_MARGIN = 30
# Spreads the refreshes of processes that started together; azure-core uses the same figure.
MAX_JITTER = 60
# Clocks are corrected by a few seconds all the time. One that is set back further was wrong when it dated the token,
# so the token's times are wrong too.
CLOCK_STEP = 300


class Freshness(Enum):
    """The use of a cached token at a moment."""

    FRESH = "return it"
    REFRESH = "return it, and fetch the next one in the background"
    REQUIRED = "wait for the next one"


def required_on(requested_at: float, expires_in: float) -> float:
    """Return the time from which callers wait for a new token.

    :param requested_at: when the token was requested, in seconds since the epoch.
    :param expires_in: its life in seconds.
    """
    return requested_at + expires_in - min(REQUIRED_MARGIN, expires_in / 10)


def refresh_on(requested_at: float, expires_in: float, refresh_in: float | None, jitter: float) -> float:
    """Return the time from which a token is refreshed in the background.

    :param requested_at: when the token was requested, in seconds since the epoch.
    :param expires_in: its life in seconds.
    :param refresh_in: the server's own advice in seconds, or None; ignored unless it lies within the life.
    :param jitter: a random number from 0 to 1 that delays the refresh by up to a minute, and never past half of what
        remains until the token must be renewed.
    """
    if refresh_in is not None and 0 < refresh_in < expires_in:
        advised = refresh_in
    elif expires_in >= LONG_LIFE:
        advised = expires_in / 2
    else:
        advised = max(expires_in / 2, expires_in - REFRESH_MARGIN)
    latest = required_on(requested_at, expires_in)
    start = min(requested_at + advised, latest)
    return start + jitter * min(MAX_JITTER, (latest - start) / 2)


def spread(refresh_on: float, requested_at: float, jitter: float) -> float:
    """Return the time at which a child process refreshes a token that it shares with its siblings.

    :param refresh_on: the parent's time of refresh, in seconds since the epoch.
    :param requested_at: when the token was requested, likewise.
    :param jitter: a random number from 0 to 1 that brings the refresh forward by up to a minute, and by half of the
        token's fresh time at most.
    """
    return refresh_on - jitter * min(MAX_JITTER, (refresh_on - requested_at) / 2)


def usable_from(requested_at: float) -> float:
    """Return the time before which a token's times are wrong, because the clock has been set back.

    :param requested_at: when the token was requested, in seconds since the epoch.
    """
    return requested_at - CLOCK_STEP


def freshness(now: float, *, requested_on: float, refresh_on: float, required_on: float) -> Freshness:
    """Return the use of a token at a moment; all times in seconds since the epoch."""
    if now >= required_on or now < usable_from(requested_on):
        return Freshness.REQUIRED
    return Freshness.REFRESH if now >= refresh_on else Freshness.FRESH
