"""Reads PEM (RFC 7468, RFC 1421) from any text: blocks in any order, with anything between them.

Not left to OpenSSL's reader, because variables lose line breaks: a block on one line, or with spaces where the breaks
were, is still the same base64.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from azure_certvar_credential.exceptions import CertificateFormatError

BEGIN = "-----BEGIN "
_DASHES = "-----"

# RFC 1421 section 4.6.1.1 and 4.6.1.3, as OpenSSL writes them; white space instead of the line breaks.
_ENCRYPTED = re.compile(r"\s*Proc-Type:\s*4,\s*ENCRYPTED\s+DEK-Info:\s*([A-Za-z0-9-]{1,40}),\s*([0-9A-Fa-f]{1,64})\s")
_LABEL = re.compile(r"[A-Z0-9][A-Z0-9 ]{0,60}")


@dataclass(frozen=True, slots=True)
class Block:
    """One PEM block.

    :ivar label: what stands after BEGIN, such as ``CERTIFICATE``.
    :ivar data: the decoded content.
    :ivar cipher: the cipher of a key that is encrypted in the traditional way, else None.
    :ivar initialization_vector: the hex digits after the cipher, else None.
    """

    label: str
    data: bytes
    cipher: str | None = None
    initialization_vector: str | None = None

    def __repr__(self) -> str:
        # The data may be a private key.
        return f"<Block {self.label}, {len(self.data)} bytes>"

    def canonical(self) -> bytes:
        """Return the block as OpenSSL writes it, headers included."""
        body = base64.encodebytes(self.data).decode("ascii").replace("\n", "")
        lines = [body[start : start + 64] for start in range(0, len(body), 64)]
        headers = ["Proc-Type: 4,ENCRYPTED", f"DEK-Info: {self.cipher},{self.initialization_vector}", ""]
        text = "\n".join(
            [f"-----BEGIN {self.label}-----", *(headers if self.cipher else []), *lines, f"-----END {self.label}-----"]
        )
        return text.encode("ascii")


def blocks(text: str) -> list[Block]:
    """Return all PEM blocks of a text, in its order.

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
            raise CertificateFormatError(f"{where} has no line '{end_line}': the data is cut off or mixed up")
        found.append(_block(label, text[body_start:body_end], where))
        position = text.find(BEGIN, body_end + len(end_line))
    return found


def _block(label: str, body: str, where: str) -> Block:
    cipher = vector = None
    header = _ENCRYPTED.match(body)
    if header is not None:
        cipher, vector = header[1].upper(), header[2].upper()
        body = body[header.end() :]
    try:
        data = base64.b64decode("".join(body.split()).encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        data = b""
    if not data:
        # Outside of the handler, so that no traceback carries the body along.
        raise CertificateFormatError(f"{where} is empty or not valid base64: the data is damaged")
    return Block(label, data, cipher, vector)
