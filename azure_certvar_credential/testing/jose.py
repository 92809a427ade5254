"""Takes the compact serialization of RFC 7515 section 7.1 apart, as Entra does or as the standard wants it.

PyJWT refuses what production clients send and Entra accepts (padding, standard base64, times that are strings), so the
pieces are read here and only the signature is left to PyJWT's algorithms.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn

_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")


class MalformedError(ValueError):
    """A JWT is not what it should be; the text says what and quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class CompactJws:
    """A JWS in its parts.

    :ivar header: the JOSE header.
    :ivar claims: the payload, which is a JSON object in a JWT.
    :ivar signing_input: what was signed, the two segments exactly as they came.
    :ivar signature: the signature, decoded.
    """

    header: Mapping[str, object]
    claims: Mapping[str, object]
    signing_input: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def parse_compact(text: str, *, strict: bool) -> CompactJws:
    """Parse a JWT without verifying anything.

    :param text: the compact serialization.
    :param strict: whether every segment has to be base64url without padding, and ``typ`` to be ``JWT``.
    :raises MalformedError: it cannot be parsed.
    """
    segments = text.split(".")
    if len(segments) != 3 or not all(segments[:2]):
        raise MalformedError("there are not three segments")
    header = _object(decode(segments[0], "the header", strict=strict), "the header")
    claims = _object(decode(segments[1], "the payload", strict=strict), "the payload")
    # Empty under "alg": "none" (RFC 7518 section 3.6), which is to be refused for its algorithm.
    signature = decode(segments[2], "the signature", strict=strict) if segments[2] else b""
    if "crit" in header:
        # RFC 7515 section 4.1.11: whoever does not understand an extension has to refuse the JWS; none is known here.
        raise MalformedError("the header has critical extensions")
    if strict and header.get("typ") != "JWT":
        raise MalformedError("the header's typ is not JWT")
    return CompactJws(header, claims, ".".join(segments[:2]).encode(), signature)


def decode(text: object, what: str, *, strict: bool) -> bytes:
    """Decode base64url; leniently also standard base64, padding and line breaks.

    :param text: what to decode.
    :param what: its name in the error.
    :param strict: whether only RFC 7515's form is taken: base64url, no padding, no stray bits.
    :raises MalformedError: it cannot be decoded.
    """
    if not isinstance(text, str):
        raise MalformedError(f"{what} is not a string")
    if strict and _BASE64URL.fullmatch(text) is None:
        raise MalformedError(f"{what} is not base64url without padding")
    bare = "".join(text.split()).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        data = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedError(f"{what} is not base64url") from error
    if strict and encode(data) != text:
        raise MalformedError(f"{what} has stray bits at its end")
    return data


def encode(data: bytes) -> str:
    """Encode as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def numeric_date(value: object, name: str, *, strict: bool) -> float:
    """Read a NumericDate (RFC 7519 section 2).

    :param value: the claim's value; leniently also a float or a string with a number.
    :param name: the claim.
    :param strict: whether only integers are taken.
    :returns: seconds since the epoch.
    :raises MalformedError: it is no such thing.
    """
    if strict and type(value) is not int:
        raise MalformedError(f"'{name}' is not an integer")
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise MalformedError(f"'{name}' is not a number")
    try:
        seconds = float(value)
    except (ValueError, OverflowError) as error:
        raise MalformedError(f"'{name}' is not a number") from error
    if not math.isfinite(seconds):
        raise MalformedError(f"'{name}' is not a time")
    return seconds


def _object(data: bytes, what: str) -> Mapping[str, object]:
    try:
        value = json.loads(data, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"{what} is not JSON") from error
    if not isinstance(value, dict):
        raise MalformedError(f"{what} is not a JSON object")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
