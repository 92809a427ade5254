"""The lines that the servers of ``certvar`` log."""

from __future__ import annotations

from datetime import datetime, timezone

# An error of Entra with the hint behind it.
_LONGEST = 1000


def log_line(now: float, *parts: object) -> str:
    """Return one line with the time in UTC, in printable characters alone.

    :param now: seconds since the epoch.
    :param parts: what the line says; a client may have chosen the text, so that no escape sequence of its choice may
        reach the terminal.
    """
    moment = datetime.fromtimestamp(now, timezone.utc).strftime("%H:%M:%S")
    text = " ".join([moment, *map(str, parts)])[:_LONGEST]
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
