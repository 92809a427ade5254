"""``expires_in``, ``refresh_in`` and ``Retry-After`` in every form that a server may give them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from azure_certvar_credential.exceptions import ResponseFormatError, TemporarilyUnavailableError
from tests.faults.fault import TOKEN, Fault, response, token, token_body

_LIFETIMES: dict[str, tuple[str, bool]] = {
    # JSON, and whether it is a lifetime.
    "a number": ("3600", True),
    "a fraction": ("3599.5", True),
    "an exponent": ("36e2", True),
    "a string": ('"3600"', True),
    "a string with a fraction": ('"3599.5"', True),
    "a century": ("3155760000", True),
    "missing": ("", True),  # RFC 6749 §5.1 only recommends the field.
    "null": ("null", False),
    "true": ("true", False),
    "zero": ("0", False),
    "below zero": ("-1", False),
    "minus zero": ("-0.0", False),
    "infinite": ("Infinity", False),
    "infinite by its exponent": ("1e999", False),
    "NaN": ("NaN", False),
    "400 digits": ("9" * 400, False),
    "4,301 digits": ("9" * 4301, False),
    "two centuries": ("6311520000", False),
    "a word": ('"soon"', False),
    "an empty string": ('""', False),
    "a string with white space": ('" 3600 "', False),
    "a string with a sign": ('"+3600"', False),
    "a string with an underscore": ('"3_600"', False),
    "a string with an exponent": ('"36e2"', False),
    "a string with other digits": ('"٣٦٠٠"', False),
    "a string of 5,000 digits": (f'"{"9" * 5000}"', False),
    "hexadecimal": ('"0xe10"', False),
    "a list": ("[3600]", False),
    "an object": ('{"seconds":3600}', False),
    "a date": ('"Wed, 21 Oct 2065 07:28:00 GMT"', False),
}

# Seconds, and whether the pause is so long that the caller decides about it.
_PAUSES: dict[str, tuple[str, bool]] = {
    "missing": ("", False),
    "empty": ("Retry-After: ", False),
    "zero": ("Retry-After: 0", False),
    "below zero": ("Retry-After: -5", False),
    "a minute": ("Retry-After: 60", True),
    "a fraction": ("Retry-After: 60.5", True),
    "with white space": ("Retry-After:    60   ", True),
    "a century": ("Retry-After: 3155760000", True),
    "20 digits": ("Retry-After: " + "9" * 20, True),
    "400 digits": ("Retry-After: " + "9" * 400, False),
    "5,000 digits": ("Retry-After: " + "9" * 5000, False),
    "infinite": ("Retry-After: inf", False),
    "NaN": ("Retry-After: nan", False),
    "an exponent": ("Retry-After: 1e3", False),
    "hexadecimal": ("Retry-After: 0x10", False),
    "a word": ("Retry-After: soon", False),
    "a list": ("Retry-After: 60, 120", False),
    "a date in the past": ("Retry-After: Wed, 21 Oct 2015 07:28:00 GMT", False),
    "a date in the future": ("Retry-After: Fri, 21 Oct 2095 07:28:00 GMT", True),
    "a date of RFC 850": ("Retry-After: Wednesday, 21-Oct-15 07:28:00 GMT", False),
    "a date of asctime": ("Retry-After: Wed Oct 21 07:28:00 2015", False),
    "a date without a zone": ("Retry-After: Fri, 21 Oct 2095 07:28:00", True),
    "a date that is none": ("Retry-After: Fri, 31 Feb 2095 25:61:61 GMT", False),
    "a date in the year 0": ("Retry-After: Fri, 21 Oct 0000 07:28:00 GMT", False),
    "a date in the year 99999": ("Retry-After: Fri, 21 Oct 99999 07:28:00 GMT", False),
    "a date with a zone of 9,999 hours": ("Retry-After: Fri, 21 Oct 2015 07:28:00 +999900", False),
    "octets": ("Retry-After: \xff\xfe", False),
    "in milliseconds": ("retry-after-ms: 60000", False),
    "in Azure's other field": ("x-ms-retry-after-ms: 60000", False),
}

_REFRESHES = ("-1", "0", "1e-9", "1e999", "null", '"soon"', "9" * 400, "1e9", "[]", "true")


def _body(**given: str) -> bytes:
    """Return a token response in which some values are written as they are given, if at all."""
    values: dict[str, Any] = {"token_type": '"Bearer"', "access_token": f'"{TOKEN}"', "expires_in": "3600", **given}
    return ("{" + ",".join(f'"{name}":{value}' for name, value in values.items() if value) + "}").encode()


def faults() -> Iterator[Fault]:
    """Yield the rows."""
    for form, (text, counts) in _LIFETIMES.items():
        yield Fault(
            claim=f"expires_in that is {form}",
            answer=response(200, _body(expires_in=text)),
            errors=() if counts else (ResponseFormatError,),
        )
    for text in _REFRESHES:
        yield Fault(claim=f"refresh_in of {text[:12]}", answer=response(200, _body(refresh_in=text)))
    for turn, (form, (line, long)) in enumerate(_PAUSES.items()):
        status = (429, 503)[turn % 2]
        yield Fault(
            claim=f"HTTP {status} with Retry-After {form}",
            answer=response(status, b"", *filter(None, [line])),
            errors=(TemporarilyUnavailableError,),
            requests=1 if long else 2,
        )
    yield Fault(
        claim="HTTP 429 with two Retry-Afters",
        answer=response(429, b"", "Retry-After: 0", "Retry-After: 0"),
        errors=(TemporarilyUnavailableError,),
        requests=2,
    )
    yield Fault(claim="a token beside Retry-After", answer=token(TOKEN, 3600, "Retry-After: 3600"))
    yield Fault(
        claim="a token beside dates of another century",
        answer=token(TOKEN, 3600, "Date: Thu, 01 Jan 1970 00:00:00 GMT", "Expires: 0"),
    )
    # Too short to be used: an older one that still serves stays, and without one nobody asks without end.
    for life in ("1e-9", "0.001", "5e-324"):
        yield Fault(
            claim=f"a token that lives {life} s",
            answer=response(200, _body(expires_in=life)),
            errors=(ResponseFormatError,),
            either=True,
            lasts=False,
        )
    yield Fault(
        claim="a token with cookies", answer=response(200, token_body(), "Set-Cookie: a=b; Secure", "Set-Cookie: c=d")
    )
