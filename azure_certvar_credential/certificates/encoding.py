"""Removes the wrapping around a certificate: byte order marks, quotes, escaped line breaks, base64.

Environment variables, YAML files, pipeline variables and PowerShell add it on the way.
"""

from __future__ import annotations

import base64
import re

# A key with a chain of ten certificates takes 30 kB; with the CA bundle of an operating system beside it, 300 kB.
MAX_LENGTH = 1 << 20

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_NOT_TEXT = re.compile(rb"[^\t\n\r\x20-\x7e]")
_URL_SAFE = str.maketrans("-_", "+/")

# A line break written as two characters, however often its backslash was escaped. Without the look-behind and the
# bound, a text of nothing but backslashes would take quadratic time.
_ESCAPED_BREAK = re.compile(r"(?<!\\)\\{1,8}[rn]")

# str() of bytes, a common slip, adds b'...'.
_QUOTED = re.compile(r"b?(['\"])(.*)\1", re.DOTALL)

# A shell, a .env file and YAML may each have added quotes.
_MAX_QUOTES = 4


def looks_binary(data: bytes) -> bool:
    """Return whether bytes begin with a BER SEQUENCE, and not with text that happens to start with ``0`` (0x30)."""
    return data[:1] == b"0" and _NOT_TEXT.search(data[:16]) is not None


def as_text(data: bytes) -> str:
    """Decode bytes by their byte order mark or the zeros of UTF-16, else as UTF-8 or Latin-1.

    Every known form is ASCII, so any superset of ASCII will do.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    if len(data) > 3 and not data[1::2].strip(b"\x00"):
        return data.decode("utf-16-le", "replace")
    if len(data) > 3 and not data[0::2].strip(b"\x00"):
        return data.decode("utf-16-be", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def unwrap(text: str) -> str:
    """Return text without surrounding space, quotes and byte order marks, and with real line breaks."""
    for _ in range(_MAX_QUOTES):
        text = text.strip(" \t\r\n\v\f\x00\ufeff")
        quoted = _QUOTED.fullmatch(text)
        if quoted is None:
            break
        text = quoted[2]
    if "\\" in text:
        text = _ESCAPED_BREAK.sub("\n", text).strip()
    return text


def from_base64(text: str) -> bytes | None:
    """Decode base64 or base64url (RFC 4648 sections 4 and 5), padded or not, with white space anywhere.

    :returns: the bytes, or None if the text is not base64 or is incomplete.
    """
    compact = "".join(text.split())
    if _BASE64.fullmatch(compact) is None:
        return None
    bare = compact.rstrip("=").translate(_URL_SAFE)
    if len(bare) % 4 == 1:
        return None
    return base64.b64decode(bare + "=" * (-len(bare) % 4))
