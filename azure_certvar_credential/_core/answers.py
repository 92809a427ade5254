"""Reads JSON that somebody else wrote, strictly and within bounds: answers, claims of tokens, claims challenges."""

from __future__ import annotations

import json
from typing import Any, NoReturn

# Answers, claims sets and challenges have a dozen objects. The bound holds for nesting too, which the parser of the
# standard library would otherwise follow as deep as the interpreter's recursion limit allows.
_MAX_OBJECTS = 500
# No time, count or code is longer. int() takes 4,300 digits, and arithmetic with a float raises OverflowError then.
_MAX_DIGITS = 20
# A number in a text, such as a header field; not everything that float() takes.
NUMBER = r"[0-9]{1,20}(\.[0-9]{1,20})?"
# A century in seconds; no token lives longer.
LONGEST_LIFE = 100 * 366 * 86400


def json_object(document: str | bytes, *, limit: int | None = None) -> dict[str, Any] | None:
    """Return the JSON object (RFC 8259) in a document; None if it is something else or longer than the limit.

    Stricter than :func:`json.loads`: no ``NaN`` or ``Infinity``, and no name twice in an object, because readers differ
    in which one counts (RFC 6749 section 3.2 and RFC 7519 section 4 forbid it as well). A number of more than 20 digits
    becomes a float.

    :param document: text, or its octets in UTF-8, as RFC 8259 section 8.1 demands; a byte order mark before them is
        ignored, as it allows.
    :param limit: in octets or characters; None for none.
    """
    if limit is not None and len(document) > limit:
        return None
    try:
        text = document if isinstance(document, str) else document.decode("utf-8-sig")
        if text.count("{") + text.count("[") > _MAX_OBJECTS:
            return None
        value = json.loads(text, object_pairs_hook=_unique, parse_int=_number, parse_constant=_refuse_constant)
    except ValueError:  # UnicodeDecodeError is one
        return None
    return value if isinstance(value, dict) else None


def is_later(status: int) -> bool:
    """Return whether an HTTP status alone says that the same request may succeed later."""
    return status in (408, 429) or status >= 500


def in_message(value: object, limit: int = 200) -> str:
    """Return a value from an answer, fit for a message: a string quoted, on one line and bounded; else its type."""
    if not isinstance(value, str):
        return "nothing" if value is None else f"a value of type {type(value).__name__}"
    return repr("".join(c if c.isprintable() else " " for c in value[:limit]))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice")
    return found


def _number(digits: str) -> float:
    return int(digits) if len(digits) <= _MAX_DIGITS else float(digits)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
