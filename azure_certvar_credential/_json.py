"""Parses JSON that somebody else wrote without following its nesting as deep as the interpreter's stack allows.

A parser at the limit of the stack raises RecursionError, and takes others along: the collector runs a finalizer right
there, which then fails in the middle of its work.
"""

from __future__ import annotations

import json
import re
from typing import Any

# More than any document that is read here has, and less than the stack of any caller holds.
_MAX_NESTING = 100
# A string, which may contain brackets, or a bracket.
_TOKENS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)


def parse_json(text: str | bytes, **readers: Any) -> Any:
    """Parse a document as :func:`json.loads` does, nested at most 100 deep.

    >>> parse_json('{"keys": []}')
    {'keys': []}

    :param text: the document; bytes in UTF-8, UTF-16 or UTF-32.
    :param readers: passed on to :func:`json.loads`.
    :raises ValueError: it is not JSON, or nested deeper; a :class:`json.JSONDecodeError` unless the bytes are no text.
    """
    if isinstance(text, bytes):
        text = text.decode(json.detect_encoding(text), "surrogatepass")
    if text.count("[") + text.count("{") > _MAX_NESTING:
        _refuse_depth(text)
    return json.loads(text, **readers)


def _refuse_depth(text: str) -> None:
    depth = 0
    for token in _TOKENS.finditer(text):
        bracket = token[0]
        depth += (bracket in "[{") - (bracket in "]}")
        if depth > _MAX_NESTING:
            raise json.JSONDecodeError(f"Nested more than {_MAX_NESTING} deep", text, token.start())
