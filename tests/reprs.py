"""The texts of objects, to compare those of an object and its copy."""

from __future__ import annotations

import re


def without_address(shown: object) -> str:
    """Return the ``repr`` of an object without its address, which no other living object has."""
    return re.sub(r" at 0x[0-9a-f]+>$", ">", repr(shown))
