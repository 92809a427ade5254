"""Decides from times alone when a token is used, refreshed, or waited for.

A token's life has three parts::

    |---------------- FRESH ----------------|------ REFRESH ------|-- REQUIRED --|
    requested                           refresh_on           required_on    expires_on

The last part is five minutes long, because clients that keep a token need that much of it. No boundary but the server's
own lies before half the life, so a token of any length is refreshed about once in its life and never in a loop.
"""

from __future__ import annotations

from typing import Literal

# Tokens that live this long are refreshed at half their life, as in azure-identity and MSAL.
LONG_LIFE = 7200
# Others are refreshed this long before they expire, so that the next one is there before anybody needs it.
REFRESH_MARGIN = 600
# With less than this left, callers wait for a new token: azure-core's policies count the old one as due, and AMQP links
# and database sessions that began with it would break off early.
REQUIRED_MARGIN = 300
# Tokens that live less than this would be due for most of their life. Their margin is a share of it, as long as a
# request to the service may take.
SHORT_LIFE = 600
SHORT_REQUIRED_MARGIN = 30
# Spreads the refreshes of processes that started together; azure-core uses the same figure.
MAX_JITTER = 60
# Clocks are corrected by a few seconds all the time. One that is set back further was wrong when it dated the token,
# so the token's times are wrong too.
CLOCK_STEP = 300


# The use of a cached token at a moment: return it; return it, and fetch the next one in the background; or wait for the
# next one.
Freshness = Literal["fresh", "refresh", "required"]


def required_on(requested_at: float, expires_in: float) -> float:
    """Return the time from which callers wait for a new token.

    :param requested_at: when the token was requested, in seconds since the epoch.
    :param expires_in: its life in seconds.
    """
    margin = min(SHORT_REQUIRED_MARGIN, expires_in / 10) if expires_in < SHORT_LIFE else REQUIRED_MARGIN
    return requested_at + expires_in - margin


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
    return delayed(min(requested_at + advised, latest), latest, jitter)


def delayed(start: float, latest: float, jitter: float) -> float:
    """Return a time of refresh, delayed at random.

    :param start: the earliest time, in seconds since the epoch.
    :param latest: from when callers wait, likewise.
    :param jitter: as in :func:`refresh_on`.
    """
    return start + jitter * min(MAX_JITTER, max(latest - start, 0.0) / 2)


def spread(refresh_on: float, requested_at: float, jitter: float) -> float:
    """Return the time at which a child process refreshes a token that it shares with its siblings.

    :param refresh_on: the parent's time of refresh, in seconds since the epoch.
    :param requested_at: when the token was requested, likewise.
    :param jitter: a random number from 0 to 1 that brings the refresh forward by up to a minute, and by half of the
        token's fresh time at most.
    """
    return refresh_on - jitter * min(MAX_JITTER, (refresh_on - requested_at) / 2)


def freshness(now: float, *, requested_on: float, refresh_on: float, required_on: float) -> Freshness:
    """Return the use of a token at a moment; all times in seconds since the epoch."""
    if now >= required_on or now < requested_on - CLOCK_STEP:
        return "required"
    return "refresh" if now >= refresh_on else "fresh"
