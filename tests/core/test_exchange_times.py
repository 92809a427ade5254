"""Header fields that tell times: ``Retry-After`` and ``Date``."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_certvar_credential._core.refusals import read_date, read_retry_after

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("1", 1),
        (" 120 ", 120),
        ("1.5", 1.5),
        ("3600", 3600),
        ("3601", 3600),
        ("999999999", 3600),
        ("9" * 20, 3600),
        (formatdate(NOW + 90, usegmt=True), 90),
        (formatdate(NOW - 90, usegmt=True), 0),
        (formatdate(NOW + 86400, usegmt=True), 3600),
        (None, None),
        ("", None),
        ("-1", None),
        ("soon", None),
        ("1e3", None),
        ("nan", None),
        ("9" * 40, None),
        *[
            (text, None)
            for text in ("inf", "+5", "1_0", "0x10", "5 s", "5, 5", "5;6", "\u0665", "\uff15", "[5]", "5" * 5000)
        ],
        ("Fri, \u0661\u0665 Jan 2027 08:00:00 GMT", None),
        ("Fri, 99 Foo 2027 08:00:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_at_most_an_hour(value: str | None, seconds: float | None) -> None:
    assert read_retry_after(value, now=NOW) == seconds


@pytest.mark.parametrize(
    ("value", "time"),
    [
        ("Fri, 15 Jan 2027 08:00:00 GMT", NOW),
        ("Friday, 15-Jan-27 08:00:00 GMT", NOW),
        ("Fri Jan 15 08:00:00 2027", NOW),
        ("Fri, 15 Jan 2027 09:00:00 +0100", NOW),
        ("Fri, 15 Jan 2027 08:00:00 -0000", NOW),
        (None, None),
        ("", None),
        ("yesterday", None),
        ("Fri, 15 Jan 2027 25:00:00 GMT", None),
        ("Fri, 15 Jan 99999 08:00:00 GMT", None),
        ("Fri, 15 Jan -2027 08:00:00 GMT", None),
        ("1800000000", None),
        ("Fri, \u0661\u0665 Jan 2027 08:00:00 GMT", None),
        ("Fri, 15 Jan 2027 08:00:00 GMT" + " " * 1_000_000, None),
    ],
)
def test_a_date_is_read_in_every_form_of_http(value: str | None, time: float | None) -> None:
    assert read_date(value) == time


@given(
    st.text() | st.from_regex(r"\A\w{3}, [0-9]{1,3} (Jan|Dec) [0-9]{1,6} [0-9]{1,3}:[0-9]{2}:[0-9]{2} [+-][0-9]{1,9}\Z")
)
def test_no_header_breaks_the_reading_of_dates_and_pauses(text: str) -> None:
    assert isinstance(read_date(text), float | None)
    pause = read_retry_after(text, now=NOW)
    assert pause is None or 0 <= pause <= 3600
