"""Tells text from DER, and decodes base64 by the only reading of it that gives something whole."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from itertools import islice

from azure_certvar_credential.certificates import ber

_BASE64 = r"[A-Za-z0-9+/_-]+={0,2}"
_NOT_TEXT = rb"[^\t\n\r\x20-\x7e]"
_URL_SAFE = str.maketrans("-_", "+/")
_CONTROL = rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
_MARKS = rb"\xff\xfe|\xfe\xff|\xef\xbb\xbf"
_BLANK = b"\x00\t\n\r "
# Base64 in a text of other things: full lines, and the one after them. A key on P-256 has more characters than this.
_RUN = re.compile(r"((?:[A-Za-z0-9+/_-]{40,}[ \t\r]{0,9}\n[ \t]{0,99})*)[A-Za-z0-9+/_-]+={0,2}")
_OF_BASE64 = re.compile(rb"[A-Za-z0-9+/=_\s-]+")
_SHORTEST_RUN = 60
_MOST_RUNS = 10_000

# The end of one item and the beginning of the next: padding closes base64 (RFC 4648 section 4).
_ITEM = r"[^=]+=*"
# A leaf with its chain, each certificate and the key on their own.
_MOST_ITEMS = 50
# The outer levels of a structure in which a missing or additional character shows.
_LEVELS = 3
# The widths of lines that tools write: 64 (RFC 7468 section 2), 76 (RFC 2045 section 6.8).
_WIDTHS = (64, 76)


def looks_binary(data: bytes) -> bool:
    """Return whether bytes begin with a BER SEQUENCE, and not with text that happens to start with ``0`` (0x30)."""
    return data[:1] == b"0" and re.search(_NOT_TEXT, data[:16]) is not None


def as_text(data: bytes) -> str:
    """Decode bytes in any superset of ASCII, or several one after the other.

    Every known form is ASCII. UTF-16 and UTF-32 add zeros to it and byte order marks, which are left out; so text reads
    the same where the encoding changes in its middle.
    """
    text = re.sub(_MARKS, b"", data.translate(None, b"\x00")) if b"\x00" in data or re.match(_MARKS, data) else data
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("latin-1")


def is_whole(data: bytes) -> bool:
    """Return whether bytes are text or complete BER structures: what a wrong reading does not give by chance."""
    if not looks_binary(data):
        text = re.sub(_MARKS, b"", data.translate(None, b"\x00"))
        return bool(data) and re.search(_CONTROL, text) is None and _is_utf_8(text)
    for candidate in (data, data.rstrip(_BLANK)):
        try:
            return all(_is_structure(element, _LEVELS) for element in ber.parse(candidate))
        except ber.MalformedError:
            continue
    return False


def _is_utf_8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_structure(element: ber.Element, levels: int) -> bool:
    """Return whether an element is a SEQUENCE, with elements inside it to a number of levels.

    :raises MalformedError: it is one whose content is not BER.
    """
    if levels and element.tag == ber.SEQUENCE:
        for child in element.children():
            _is_structure(child, levels - 1)
    return element.tag == ber.SEQUENCE


def from_base64(text: str, is_right: Callable[[bytes], bool] = is_whole) -> list[bytes] | None:
    """Decode base64 or base64url (RFC 4648 sections 4 and 5), padded or not, of one item or of several.

    White space may be line breaks, or be between items, or be what a form made of ``+``. The reading that gives whole
    items is the right one; DER tells its own length. If none does, white space counts for nothing.

    :param is_right: what distinguishes an item read rightly.
    :returns: the items, or None if the text is not base64 or is incomplete.
    """
    fallback = None
    for reading in _readings(text):
        items = [_decoded(piece) for piece in reading]
        found = [item for item in items if item is not None]
        if not found or len(found) < len(items):
            continue
        if all(is_right(item) for item in found):
            return found
        fallback = fallback or found
    return fallback


def embedded(text: str) -> list[bytes]:
    """Return what is encoded in base64 somewhere in a text, such as the members of a JSON object: PEM, or whole DER."""
    found = []
    for run in islice(_RUN.finditer(text), _MOST_RUNS):
        # The word after the last full line may belong to it, or to what follows.
        for reading in dict.fromkeys((run[0], run[1])):
            data = _decoded("".join(reading.split())) if len(reading) >= _SHORTEST_RUN else None
            if data is not None and (b"-----BEGIN " in data or (looks_binary(data) and is_whole(data))):
                found.append(data)
                break
            # Encoded twice, as the value of a secret in a secret.
            again = embedded(as_text(data)) if data is not None and _OF_BASE64.fullmatch(data) else []
            found += again
            if again:
                break
    return found


def _readings(text: str) -> Iterator[list[str]]:
    parts = text.split()
    joined = "".join(parts)
    if re.fullmatch(r"[A-Za-z0-9+/_=-]+", joined) is None:
        return
    if joined.count("=") <= 2 * _MOST_ITEMS:
        yield re.findall(_ITEM, joined)
    if 1 < len(parts) <= _MOST_ITEMS:
        yield [item for part in parts for item in re.findall(_ITEM, part)]
    if len(parts) > 1:
        line = re.sub(r"[\r\n\t]+", "", text).lstrip(" ")
        # In the second, `+` was the last character.
        yield [line.rstrip(" ").replace(" ", "+")]
        yield [line.replace(" ", "+")]
        for width in _WIDTHS:
            # Both: spaces are where line breaks were, and where `+` was.
            lines = (line[start : start + width] for start in range(0, len(line), width + 1))
            yield ["".join(lines).rstrip(" ").replace(" ", "+")]


def _decoded(text: str) -> bytes | None:
    if re.fullmatch(_BASE64, text) is None:
        return None
    bare = text.rstrip("=").translate(_URL_SAFE)
    if len(bare) % 4 == 1:
        return None
    return base64.b64decode(bare + "=" * (-len(bare) % 4))
