"""Finds texts in JSON, such as a secret with its metadata as a secret store or its command-line tool writes it.

Which member holds the certificate is not asked by name, since every store has another: the content tells.
"""

from __future__ import annotations

import json

# A key on P-256 has more characters than this.
_SHORTEST = 60
_MOST = 1_000


def members(text: str) -> list[str]:
    """Return the texts and the rows of numbers in a JSON object or array, at any depth; none if a text is not JSON.

    A member may be JSON itself, as in the answer of a store whose secret is an object.
    """
    found: list[str] = []
    # Bounded: each text of JSON is shorter than the one that it is in.
    waiting = [_parsed(text)]
    while waiting and len(found) < _MOST:
        value = waiting.pop()
        if isinstance(value, str):
            inside = _parsed(value)
            if inside is not None:
                waiting.append(inside)
            elif len(value) >= _SHORTEST:
                found.append(value)
        elif isinstance(value, dict):
            waiting += reversed(value.values())
        elif isinstance(value, list) and all(type(item) is int for item in value):
            found.append(" ".join(map(str, value)))
        elif isinstance(value, list):
            waiting += reversed(value)
    return found


def _parsed(text: str) -> object:
    bare = text.strip().strip("\ufeff")
    if not (bare.startswith(("{", "[")) and bare.endswith(("}", "]"))):
        return None
    try:
        parsed: object = json.loads(bare)
    except (ValueError, RecursionError):
        return None
    return parsed
