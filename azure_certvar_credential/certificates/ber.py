"""A small bounded reader of BER tag-length-value structures (ITU-T X.690).

Before OpenSSL sees a binary input, this reader shows what it is, whether it is complete, and how much work a PFX asks
for. It reads BER and not only DER, because old tools write PKCS #12 with indefinite lengths (clause 8.1.3.6) and
segmented strings (clause 8.7.3). It decodes on demand only, and every loop is bounded.
"""

from __future__ import annotations

from azure_certvar_credential._values import Value, field

INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
OBJECT_IDENTIFIER = 0x06
# UTCTime and GeneralizedTime.
TIMES = (0x17, 0x18)
SEQUENCE = 0x30
SET = 0x31
CONTEXT_0 = 0xA0
CONTEXT_1 = 0xA1

_CONSTRUCTED = 0x20
_HIGH_TAG = 0x1F

# Indefinite lengths and segmented strings nest inside each other; real tools stay below ten levels.
_MAX_DEPTH = 24

# A PFX with a chain of ten certificates has about a hundred elements at the levels that are read here.
_MAX_ELEMENTS = 20_000


class MalformedError(ValueError):
    """The bytes are not BER, or not the expected structure. Internal: callers translate it."""


class TruncatedError(MalformedError):
    """An element announces more bytes than there are."""


class Element(Value):
    """One tag-length-value triple.

    :ivar tag: the identifier octet, class and constructed bit included.
    :ivar content: the content octets; of an indefinite length, without the end-of-contents octets.
    :ivar encoded: the whole element, identifier and length octets included.
    :ivar parts: the elements inside, if finding an indefinite length has already read them; else None.
    """

    tag: int
    # Hidden: it may be a private key, and error reporters show the variables of a traceback's frames.
    content: bytes = field(repr=False)
    encoded: bytes = field(repr=False)
    parts: tuple[Element, ...] | None = field(default=None, repr=False)

    def children(self) -> tuple[Element, ...]:
        """Return the elements inside a constructed element.

        :raises MalformedError: the element is primitive, or its content is not BER.
        """
        if not self.tag & _CONSTRUCTED:
            raise MalformedError(f"element with tag {self.tag:#04x} has no elements inside")
        return parse(self.content) if self.parts is None else self.parts

    def octets(self, depth: int = 0) -> bytes:
        """Return the value of an OCTET STRING, its segments joined (X.690 clause 8.7).

        The element may have an implicit context tag instead.

        :param depth: the number of segments that enclose this one.
        :raises MalformedError: a segment is something else, or segments nest too deeply.
        """
        if not self.tag & _CONSTRUCTED:
            return self.content
        if depth > _MAX_DEPTH:
            raise MalformedError("string segments nest too deeply")
        segments = self.children()
        if any(segment.tag & ~_CONSTRUCTED != OCTET_STRING for segment in segments):
            raise MalformedError("a segment of an OCTET STRING has another tag")
        return b"".join(segment.octets(depth + 1) for segment in segments)

    def to_der(self, depth: int = 0) -> bytes:
        """Return the element with definite lengths and joined strings (X.690 clauses 10.1 and 10.2).

        The content of strings stays as it is, because signatures and MACs cover its octets.

        :param depth: the number of elements that enclose this one.
        :raises MalformedError: a constructed element's content is not BER, or elements nest too deeply.
        """
        if depth > _MAX_DEPTH:
            raise MalformedError("elements nest too deeply")
        tag, content = self.tag, self.content
        if tag == OCTET_STRING | _CONSTRUCTED:
            tag, content = OCTET_STRING, self.octets()
        elif tag & _CONSTRUCTED:
            content = b"".join(child.to_der(depth + 1) for child in self.children())
        return encode(tag, content)

    def integer(self) -> int:
        """Return the value of an INTEGER.

        :raises MalformedError: the element is something else, or empty.
        """
        if self.tag != INTEGER or not self.content:
            raise MalformedError("expected an INTEGER")
        return int.from_bytes(self.content, "big", signed=True)

    def object_identifier(self) -> str:
        """Return the value of an OBJECT IDENTIFIER in dotted form (X.690 clause 8.19).

        :raises MalformedError: the element is something else, or not complete.
        """
        content = self.content
        # 64 octets hold far more arcs than any identifier in use; printing unbounded numbers would be slow.
        if self.tag != OBJECT_IDENTIFIER or not content or content[-1] & 0x80 or len(content) > 64:
            raise MalformedError("expected an OBJECT IDENTIFIER")
        arcs: list[int] = []
        value = 0
        for octet in content:
            value = value << 7 | octet & 0x7F
            if not octet & 0x80:
                arcs.append(value)
                value = 0
        first = min(arcs[0] // 40, 2)
        return ".".join(str(arc) for arc in (first, arcs[0] - 40 * first, *arcs[1:]))


def encode(tag: int, content: bytes) -> bytes:
    """Return an element in DER (X.690 clause 10.1).

    :param tag: the identifier octet.
    :param content: the content octets.
    """
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    count = (len(content).bit_length() + 7) // 8
    return bytes([tag, 0x80 | count]) + len(content).to_bytes(count, "big") + content


def parse(data: bytes) -> tuple[Element, ...]:
    """Read all elements that follow one another in ``data``.

    :raises TruncatedError: the last of them announces more bytes than there are.
    :raises MalformedError: the bytes are not BER, or there are too many elements.
    """
    reader = _Reader(data)
    elements = []
    while reader.offset < len(data):
        elements.append(reader.element(0))
    return tuple(elements)


def parse_first(data: bytes) -> Element:
    """Read the element at the start of ``data``, and ignore what follows it.

    :raises TruncatedError: it announces more bytes than there are.
    :raises MalformedError: the bytes are not BER.
    """
    return _Reader(data).element(0)


class _Reader:
    """A position in bytes, and the number of elements that may still be read."""

    __slots__ = ("_data", "_left", "offset")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = _MAX_ELEMENTS
        self.offset = 0

    def element(self, depth: int) -> Element:
        self._left -= 1
        if self._left < 0 or depth > _MAX_DEPTH:
            raise MalformedError("too many elements, or they nest too deeply")
        data, start = self._data, self.offset
        if start < len(data) and data[start] & _HIGH_TAG == _HIGH_TAG:
            raise MalformedError("a tag number above 30, which no supported structure has")
        self.offset = start + 2
        if self.offset > len(data):
            raise self._truncated()
        tag, length = data[start], data[start + 1]
        if length == 0x80:
            return self._indefinite(tag, start, depth)
        if length > 0x80:
            # X.690 clause 8.1.3.5; a length of eight octets already exceeds any machine's memory.
            count = length & 0x7F
            if count > 8:
                raise MalformedError("a length in more than eight octets")
            length = int.from_bytes(data[self.offset : self.offset + count], "big")
            self.offset += count
            if self.offset > len(data):
                raise self._truncated()
        begin = self.offset
        end = begin + length
        if end > len(data):
            raise TruncatedError(f"an element of {end - start} bytes has only {len(data) - start}")
        self.offset = end
        return Element(tag, data[begin:end], data[start:end], None)

    def _indefinite(self, tag: int, start: int, depth: int) -> Element:
        if not tag & _CONSTRUCTED:
            raise MalformedError("a primitive element of indefinite length")
        begin = self.offset
        parts = []
        while self._data[self.offset : self.offset + 2] != b"\x00\x00":
            parts.append(self.element(depth + 1))
        end = self.offset
        self.offset = end + 2
        return Element(tag, self._data[begin:end], self._data[start : self.offset], tuple(parts))

    def _truncated(self) -> TruncatedError:
        return TruncatedError(f"the data ends after {len(self._data)} bytes, inside an element")
