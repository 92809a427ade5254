"""Reading what any server answers: bounded, and fit for a message."""

from __future__ import annotations

import json
from typing import Any


def json_object(body: bytes, *, limit: int) -> dict[str, Any] | None:
    """Return the JSON object that a body is; None if it is something else, or longer than it may be.

    :param limit: in octets.
    """
    if len(body) > limit:
        return None
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def is_later(status: int) -> bool:
    """Return whether an HTTP status alone says that the same request may work later."""
    return status in (408, 429) or status >= 500


def in_message(value: object, limit: int = 200) -> str:
    """Return a value of an answer fit for a message: in quotes on one line, and bounded; of another type, its name."""
    if not isinstance(value, str):
        return "nothing" if value is None else f"a value of type {type(value).__name__}"
    return repr("".join(c if c.isprintable() else " " for c in value[:limit]))
