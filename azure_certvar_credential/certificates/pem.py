"""Reads PEM (RFC 7468, RFC 1421) from any text: blocks in any order, with anything between them.

OpenSSL's reader would not do, because variables lose line breaks: a block on one line, or with spaces in place of the
breaks, still holds the same base64.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from dataclasses import dataclass

from azure_certvar_credential.exceptions import CertificateFormatError

BEGIN = "-----BEGIN "
END = "-----END "
_DASHES = "-----"

# RFC 1421 sections 4.6.1.1 and 4.6.1.3 as OpenSSL writes them, with any white space, or none, for the line breaks.
_ENCRYPTED = re.compile(r"\s*Proc-Type:\s*4,\s*ENCRYPTED\s*DEK-Info:\s*([A-Za-z0-9-]{1,40}),\s*")
_INITIAL_VALUES = {8: re.compile(r"[0-9A-Fa-f]{16}"), 16: re.compile(r"[0-9A-Fa-f]{32}")}
# OpenSSL's ciphers with blocks of 8 octets; its others have 16 (RFC 1423 section 1.1: the initial value is as long as a
# block). Hex digits are base64 too: without white space, only their number shows where they end.
_BLOCKS_OF_8 = ("DES", "RC2", "RC5", "IDEA", "BF", "CAST5")
_END_LINE = re.compile(r"-----END ([A-Z0-9][A-Z0-9 ]{0,60})-----")
_LABEL = re.compile(r"[A-Z0-9][A-Z0-9 ]{0,60}")


@dataclass(frozen=True, slots=True)
class Block:
    """One PEM block.

    :ivar label: the text after BEGIN, such as ``CERTIFICATE``.
    :ivar data: the decoded content.
    :ivar cipher: the cipher of a key with OpenSSL's traditional encryption, else None.
    :ivar initial_value: that cipher's initial value, else empty.
    """

    label: str
    data: bytes
    cipher: str | None = None
    initial_value: bytes = b""

    def __repr__(self) -> str:
        # The data may be a private key.
        return f"<Block {self.label}, {len(self.data)} bytes>"


def blocks(text: str) -> list[Block]:
    """Return all PEM blocks of a text, in their order.

    :raises CertificateFormatError: a block has no end, or its base64 is damaged.
    """
    found: list[Block] = []
    position = text.find(BEGIN)
    while position >= 0:
        start = position + len(BEGIN)
        label_end = text.find(_DASHES, start, start + 80)
        label = text[start:label_end] if label_end >= 0 else ""
        if _LABEL.fullmatch(label) is None:
            # A sentence about PEM, not a block.
            position = text.find(BEGIN, start)
            continue
        where = f"PEM block {len(found) + 1} ({label})"
        body_start = label_end + len(_DASHES)
        body_end = text.find(_DASHES, body_start)
        end_line = f"-----END {label}-----"
        if body_end < 0 or not text.startswith(end_line, body_end):
            raise CertificateFormatError(
                f"{where} has no line '{end_line}': the block is cut off, or another one begins in it"
            )
        found.append(_block(label, text[body_start:body_end], where))
        position = text.find(BEGIN, body_end + len(end_line))
    return found


def without_begin(text: str, found: list[Block]) -> list[str]:
    """Return the labels of END lines whose BEGIN line is damaged or missing.

    :param found: the blocks of the text.
    """
    ends = Counter(_END_LINE.findall(text))
    ends.subtract(block.label for block in found)
    return [label for label, number in ends.items() if number > 0]


def _block(label: str, body: str, where: str) -> Block:
    cipher, initial_value = None, b""
    header = _ENCRYPTED.match(body)
    if header is not None:
        cipher = header[1].upper()
        digits = _INITIAL_VALUES[8 if cipher.startswith(_BLOCKS_OF_8) else 16].match(body, header.end())
        if digits is not None:
            initial_value = bytes.fromhex(digits[0])
            body = body[digits.end() :]
    try:
        data = base64.b64decode("".join(body.split()).encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        data = b""
    if not data:
        # Outside the handler, so that no traceback carries the body.
        raise CertificateFormatError(f"{where} is empty or not valid base64; copy the block again from its source")
    return Block(label, data, cipher, initial_value)
