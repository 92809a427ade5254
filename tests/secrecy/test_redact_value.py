"""What an error message may repeat of a caller's value."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_certvar_credential._secrecy.redaction import redact_value, showable


@pytest.mark.parametrize(
    "text",
    [
        "",
        "HS256",
        "my app",
        "11111111-2222-3333-4444-555555555555",
        "11111111222233334444555555555555",
        "contoso.onmicrosoft.com",
        "https://login.microsoftonline.com/contoso/oauth2/v2.0",
        "*",
    ],
)
def test_names_ids_and_urls_are_repeated(text: str) -> None:
    assert redact_value(text) == repr(text)


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN",
        "x" * 101,
        "A" * 64,
        "a1" * 17,
        "kJ3hV/9sQwErTyUiOpAsDfGhJkLzXcVbN/mQ2wE4rT6yU8iO",
        "user:word@proxy",
        "Pa$$word",
        "abc8Q~secret",
        "c2VjcmV0cw==",
        "a\nb",
        "\u00e9",
        "a\x00",
    ],
)
def test_what_may_be_a_key_or_a_password_is_not(text: str) -> None:
    assert redact_value(text).startswith(f"a str of {len(text)} characters")
    assert text not in redact_value(text)


@given(st.binary(min_size=48, max_size=300))
def test_no_line_of_base64_and_no_hex_of_a_key_is_repeated(octets: bytes) -> None:
    assert not showable(base64.b64encode(octets).decode())
    assert not showable(base64.urlsafe_b64encode(octets).decode())
    assert not showable(octets.hex())


@given(st.text() | st.from_regex(r"[A-Za-z0-9._:/-]{0,120}", fullmatch=True))
def test_what_is_said_of_a_text_is_short_and_of_one_line(text: str) -> None:
    assert len(redact_value(text)) <= 102
    assert redact_value(text).isprintable()


@pytest.mark.parametrize(
    ("value", "said"), [(None, "None"), (True, "True"), (-1, "-1"), (0.5, "0.5"), (10**11, str(10**11))]
)
def test_small_numbers_are_repeated(value: object, said: str) -> None:
    assert redact_value(value) == said


@pytest.mark.parametrize("value", [b"secret", bytearray(b"secret"), ["secret"], {"secret": 1}, 10**12, -(10**400)])
def test_other_values_are_named_by_their_type(value: object) -> None:
    assert redact_value(value) == f"a value of type {type(value).__name__}"
