"""PEM in the strict form of RFC 7468, as tools write it and most applications have it."""

from __future__ import annotations

from base64 import b64decode

from azure_certvar_credential._values import Value

BEGIN = "-----BEGIN "
END = "-----END "
DASHES = "-----"

# What a key and its certificates are labelled today (RFC 7468 sections 5.1 and 10; RFC 5915 section 4; RFC 8017).
STRICT_LABELS = ("CERTIFICATE", "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY")


class Block(Value):
    """One PEM block.

    :ivar label: the text after BEGIN, such as ``CERTIFICATE``.
    :ivar data: the decoded content.
    :ivar cipher: the cipher of a key with OpenSSL's traditional encryption, else None.
    :ivar initial_value: that cipher's initial value, else empty.
    :ivar problem: the reason why the block has no data, for a message; else empty.
    :ivar is_comment: whether the block is commented out.
    """

    label: str
    data: bytes
    cipher: str | None = None
    initial_value: bytes = b""
    problem: str = ""
    is_comment: bool = False

    def __repr__(self) -> str:
        # The data may be a private key.
        return f"<Block {self.label}, {len(self.data)} bytes>"


def strict_blocks(data: str | bytes) -> list[Block] | None:
    """Return the blocks of PEM in the strict form of RFC 7468 section 3, of whole DER and with nothing between them.

    :returns: None for everything else, which may still be PEM: :func:`.pem_text.blocks` reads it, and takes longer.
    """
    text = data if isinstance(data, str) else data.decode("latin-1")
    if not text.startswith(BEGIN):
        return None
    found = []
    for part in text.replace("\r\n", "\n").split(BEGIN)[1:]:
        label, _, rest = part.partition(f"{DASHES}\n")
        body, _, end = rest.partition(END)
        if label not in STRICT_LABELS or end.rstrip("\n") != label + DASHES:
            return None
        try:
            der = b64decode(body.replace("\n", ""), validate=True)
        except ValueError:
            return None
        # The whole length in two octets (X.690 clause 8.1.3.5), as every key and certificate of 256 octets has it.
        if der[:2] != b"\x30\x82" or int.from_bytes(der[2:4], "big") != len(der) - 4:
            return None
        found.append(Block(label, der))
    return found
