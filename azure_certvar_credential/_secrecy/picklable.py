"""Decides which options a pickle may carry: plain values that hold no password, and nothing that is tied to a process.

What counts is what a value is, and not the name of the option that it is given for.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import PurePath

# A pickle of these carries what their text shows. Of subclasses it carries their attributes too, so types are compared
# exactly. Enum members are pickled by name, and paths by their parts.
_PLAIN = (type(None), bool, int, float, str)
_CONTAINERS = (tuple, list, set, frozenset)
# Plain text all the same, and often a secret: an API key, a cookie.
_HEADERS = ("headers", "base_headers")


def refuse_secret(owner: str, name: str, value: object) -> None:
    """Check that an option may be pickled.

    :param owner: the class that is pickled, for the message.
    :param name: the option.
    :param value: its value, which no message repeats.
    :raises TypeError: the value may hold a secret, or belongs to this process.
    """
    if name in _HEADERS and value:
        raise TypeError(f"a {owner} with {name} is not pickled: a header may hold a secret")
    if _has_password(value):
        raise TypeError(f"a {owner} with a password in {name} is not pickled: the pickle would carry it")
    if not _is_plain(value):
        raise TypeError(
            f"a {owner} with {name} is not pickled: a {type(value).__name__} belongs to this process, and may hold "
            f"what must not leave it in clear. Make the {owner} anew in the other process"
        )


def _is_plain(value: object) -> bool:
    if isinstance(value, dict) and type(value) is dict:
        return all(_is_plain(part) for pair in value.items() for part in pair)
    if isinstance(value, _CONTAINERS) and type(value) in _CONTAINERS:
        return all(map(_is_plain, value))
    return type(value) in _PLAIN or isinstance(value, (PurePath, Enum))


def _has_password(value: object) -> bool:
    """Return whether a URL in the value has user information before an ``@``."""
    if isinstance(value, str):
        return "://" in value and "@" in value
    if isinstance(value, Mapping):
        return any(_has_password(part) or (isinstance(part, str) and "@" in part) for part in value.values())
    return isinstance(value, _CONTAINERS) and any(map(_has_password, value))
