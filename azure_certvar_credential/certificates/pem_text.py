"""Reads PEM (RFC 7468, RFC 1421) from any text: blocks in any order, with anything between them.

OpenSSL's reader would not do, because variables lose line breaks: a block on one line, or with spaces in place of the
breaks, still holds the same base64.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from azure_certvar_credential.certificates import encoding
from azure_certvar_credential.certificates.pem import BEGIN, DASHES, END, Block
from azure_certvar_credential.exceptions import CertificateFormatError

# RFC 1421 sections 4.6.1.1 and 4.6.1.3 as OpenSSL writes them, with anything that may stand for the line breaks.
_BREAK = r"(?:[\s|,;]|r?n)*"
_ENCRYPTED = rf"{_BREAK}Proc-Type:\s*4,\s*ENCRYPTED{_BREAK}DEK-Info:\s*([A-Za-z0-9-]{{1,40}}),\s*"
# OpenSSL's ciphers with blocks of 8 octets; its others have 16 (RFC 1423 section 1.1: the initial value is as long as a
# block). Hex digits are base64 too: without white space, only their number shows where they end.
_BLOCKS_OF_8 = ("DES", "RC2", "RC5", "IDEA", "BF", "CAST5")
_LABEL = r"[A-Z0-9][A-Z0-9 #]{0,60}"
_PIECE = r"[A-Za-z0-9+/=_-]+"
# RFC 7468 section 2.
_WIDTH = 64

# The mark of a comment, before a BEGIN line and again before the line after it.
_MARK = r"(?:#|//|;|--(?!-)|\*|%|REM\b)"
_COMMENTED = rf"(?:\A|[\r\n])[ \t]{{0,9}}{_MARK}[ \t]{{0,9}}\Z"
_COMMENT_GOES_ON = rf"[ \t]{{0,9}}[\r\n]{{1,2}}[ \t]{{0,9}}{_MARK}"
# At the very start of a text the mark may be gone, because it looks like a prompt.
_COMMENT_WITHOUT_START = r"[ \t]{0,9}[\r\n]{1,2}[ \t]{0,9}[#;%]"
# The CA bundle of an operating system has 150.
_MOST_BLOCKS = 1_000
# Enough to find a whole block among those cut off.
_MOST_DAMAGED = 100
# What follows a BEGIN line that stands in a sentence: more of the sentence, and no base64.
_SENTENCE = r"""(?s:(?=[ \t,.;:!?'"()])(?!\s*Proc-Type)(?!.*[A-Za-z0-9+/_-]{30}).{0,400})"""


def blocks(text: str) -> list[Block]:
    """Return all PEM blocks of a text, in their order; also damaged ones, with their problem.

    :raises CertificateFormatError: there are too many.
    """
    found: list[Block] = []
    damaged = 0
    position = text.find(BEGIN)
    while position >= 0:
        if len(found) == _MOST_BLOCKS:
            raise CertificateFormatError(
                f"the data holds more than {_MOST_BLOCKS:,} PEM blocks; keep the certificate, its key and its chain"
            )
        start = position + len(BEGIN)
        label_end = text.find(DASHES, start, start + 80)
        label = text[start:label_end] if label_end >= 0 else ""
        body_start = label_end + len(DASHES)
        body_end = text.find(DASHES, body_start)
        body = text[body_start : body_end if body_end >= 0 else len(text)]
        if re.fullmatch(_LABEL, label) is None or (len(body) <= 400 and body.strip() and re.fullmatch(_SENTENCE, body)):
            # A sentence about PEM, not a block.
            position = text.find(BEGIN, start)
            continue
        where = f"PEM block {len(found) + 1} ({label})"
        end_line = f"-----END {label}-----"
        before = text[max(0, position - 24) : position]
        goes_on = _COMMENT_GOES_ON if re.search(_COMMENTED, before) else None if position else _COMMENT_WITHOUT_START
        if goes_on and re.match(goes_on, text[body_start : body_start + 40]):
            found.append(Block(label, b"", is_comment=True))
        elif body_end < 0 or not text.startswith(end_line, body_end):
            if damaged == _MOST_DAMAGED:
                break
            damaged += 1
            problem = f"{where} has no line '{end_line}': the block is cut off, or another one begins in it"
            found.append(Block(label, b"", problem=problem))
            position = text.find(BEGIN, body_start)
            continue
        else:
            found.append(_block(label, body, where))
        position = text.find(BEGIN, body_end + len(end_line)) if body_end >= 0 else -1
    return found


def without_begin(text: str, found: list[Block]) -> list[str]:
    """Return the labels of END lines whose BEGIN line is damaged or missing.

    :param found: the blocks of the text.
    """
    ends = Counter(re.findall(rf"{END}({_LABEL}){DASHES}", text))
    ends.subtract(block.label for block in found)
    return [label for label, number in ends.items() if number > 0]


def _decoded(body: str, is_right: Callable[[bytes], bool]) -> list[bytes] | None:
    """Decode the content of a block; the reading that gives something whole is the right one."""
    body = _without_letters(body)
    items = encoding.from_base64(body, is_right)
    if items and all(map(is_right, items)):
        return items
    # Another character stands for each line break.
    again = encoding.from_base64("".join(re.findall(_PIECE, body)), is_right)
    # Ciphertext apart, it is DER; a few characters may pass for text.
    joined = again and all(map(is_right, again)) and (is_right is not encoding.is_whole or again[0][:1] == b"0")
    return again if joined else items


def _without_letters(body: str) -> str:
    """Return a content without the "n" or "rn" between its lines, of which a shell has taken the backslashes away."""
    for end in ("n", "rn"):
        # Twice after a header.
        for begin in (len(end), 2 * len(end)):
            step = _WIDTH + len(end)
            lines = [body[start : start + step] for start in range(begin, len(body), step)]
            if body.startswith(end * (begin // len(end))) and lines and all(line.endswith(end) for line in lines):
                return "".join(line.removesuffix(end) for line in lines)
    return body


def _block(label: str, body: str, where: str) -> Block:
    cipher, initial_value = None, b""
    header = re.match(_ENCRYPTED, body)
    if header is not None:
        cipher = header[1].upper()
        rest = body[header.end() :]
        digits = re.match(r"[0-9A-Fa-f]{16}" if cipher.startswith(_BLOCKS_OF_8) else r"[0-9A-Fa-f]{32}", rest)
        if digits is not None:
            initial_value = bytes.fromhex(digits[0])
            body = rest[digits.end() :]
    # Ciphertext has no form of its own but its length.
    blocks_of = len(initial_value) or 1
    items = _decoded(body, (lambda data: len(data) % blocks_of == 0) if initial_value else encoding.is_whole)
    if not items:
        from azure_certvar_credential.certificates import standins

        means = standins.meaning(body)
        if means is not None:
            return Block(label, b"", problem=f"the content of {where} is {means}")
        return Block(label, b"", problem=f"{where} is empty or not valid base64; copy the block again from its source")
    return Block(label, b"".join(items), cipher, initial_value)
