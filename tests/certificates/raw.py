"""Writes BER as old tools do, with indefinite lengths and segmented strings. Shares no code with the reader."""

from __future__ import annotations


def tlv(tag: int, content: bytes) -> bytes:
    """Return one element with a definite length."""
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def integer(value: int) -> bytes:
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def oid(dotted: str) -> bytes:
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    octets: list[int] = []
    for arc in (40 * first + second, *rest):
        group = [arc & 0x7F]
        while arc := arc >> 7:
            group.append(0x80 | arc & 0x7F)
        octets += reversed(group)
    return tlv(6, bytes(octets))


def elements(data: bytes) -> list[tuple[int, bytes]]:
    """Return tag and content of each element in DER."""
    found = []
    position = 0
    while position < len(data):
        tag, length = data[position], data[position + 1]
        position += 2
        if length >= 0x80:
            count = length & 0x7F
            length = int.from_bytes(data[position : position + count], "big")
            position += count
        found.append((tag, data[position : position + length]))
        position += length
    return found


def indefinite(der: bytes, depth: int = 99) -> bytes:
    """Return DER with the outermost ``depth`` levels of structures in indefinite lengths and strings in segments."""
    out = b""
    for tag, content in elements(der):
        if depth > 0 and tag & 0x20:
            out += bytes([tag, 0x80]) + indefinite(content, depth - 1) + b"\0\0"
        elif depth > 0 and tag == 4 and len(content) > 64:
            segments = b"".join(tlv(4, content[start : start + 64]) for start in range(0, len(content), 64))
            out += b"\x24\x80" + segments + b"\0\0"
        else:
            out += tlv(tag, content)
    return out
