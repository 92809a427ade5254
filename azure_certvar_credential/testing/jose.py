"""Parses the compact serialization (RFC 7515 section 7.1), as leniently as Entra or as strictly as the standard.

PyJWT refuses what production clients send and Entra accepts (padding, standard base64, times that are strings). So this
module parses the segments and leaves only the signature to PyJWT.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from azure_certvar_credential._json import parse_json

_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")


class MalformedError(ValueError):
    """A JWT is malformed. The message names the fault and quotes no content."""


@dataclass(frozen=True, slots=True)
class CompactJws:
    """A parsed JWS.

    :ivar header: the JOSE header.
    :ivar claims: the payload, which is a JSON object in a JWT.
    :ivar signing_input: the signed bytes: the first two segments exactly as received.
    :ivar signature: the signature, decoded.
    """

    header: Mapping[str, object]
    claims: Mapping[str, object]
    signing_input: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def parse_compact(text: str, *, strict: bool) -> CompactJws:
    """Parse a JWT without verifying it.

    :param text: the compact serialization.
    :param strict: whether to require base64url without padding in every segment, and the ``typ`` ``JWT``.
    :raises MalformedError: the text is not a JWT.
    """
    segments = text.split(".")
    if len(segments) != 3 or not all(segments[:2]):
        raise MalformedError("it does not have three segments")
    header = _object(decode(segments[0], "the header", strict=strict), "the header")
    claims = _object(decode(segments[1], "the payload", strict=strict), "the payload")
    # "alg": "none" has an empty signature (RFC 7518 section 3.6); the caller refuses it for its algorithm.
    signature = decode(segments[2], "the signature", strict=strict) if segments[2] else b""
    if "crit" in header:
        # RFC 7515 section 4.1.11: refuse extensions that are not understood; the emulator understands none.
        raise MalformedError("the header has critical extensions")
    if strict and header.get("typ") != "JWT":
        raise MalformedError("the header's typ is not JWT")
    return CompactJws(header, claims, ".".join(segments[:2]).encode(), signature)


def decode(text: object, what: str, *, strict: bool) -> bytes:
    """Decode base64url; if not ``strict``, also standard base64, padding and line breaks.

    :param text: the text to decode.
    :param what: the name of the text in the error.
    :param strict: whether to accept only RFC 7515's form: base64url, no padding, no stray bits.
    :raises MalformedError: the text is in no accepted form.
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

    :param value: the claim's value: an integer; if not ``strict``, also a float or a string with a number.
    :param name: the claim.
    :param strict: whether to accept only integers.
    :returns: seconds since the epoch.
    :raises MalformedError: the value is no such number.
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
        value = parse_json(data, parse_constant=_no_constant)
    except ValueError as error:
        raise MalformedError(f"{what} is not JSON") from error
    if not isinstance(value, dict):
        raise MalformedError(f"{what} is not a JSON object")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
