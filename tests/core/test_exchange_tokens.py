"""The answers that are tokens, or only look like one."""

from __future__ import annotations

from typing import Any

import pytest

from azure_certvar_credential._core.answers import json_object
from azure_certvar_credential._core.exchange import DEFAULT_LIFE, MAX_BODY, Response, read
from azure_certvar_credential._core.freshness import refresh_on, required_on
from azure_certvar_credential.exceptions import AuthenticationError, ResponseFormatError
from tests.core.responses import answer, plain, token

NOW = 1_800_000_000.0
SECRET = "eyJ0eXAiOiJKV1QifQ.c2VjcmV0LXBheWxvYWQ.c2lnbmF0dXJl"
BODY = b'{"access_token":"' + SECRET.encode() + b'","token_type":"Bearer","expires_in":%b}'


def test_a_token_is_read() -> None:
    read_token = read(token(access_token=SECRET, refresh_in=1800), now=NOW, about=str)
    assert read_token.access_token == SECRET
    assert (read_token.token_type, read_token.expires_in, read_token.refresh_in) == ("Bearer", 3599.0, 1800.0)
    assert SECRET not in repr(read_token)


@pytest.mark.parametrize("name", ["bearer", "BEARER", "Bearer"])
def test_the_token_type_is_compared_without_case(name: str) -> None:
    assert read(token(token_type=name), now=NOW, about=str).token_type == name


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(3599, 3599), ("3599", 3599), (3599.5, 3599.5), ("3599.5", 3599.5), (1, 1), ("1", 1), (3162240000, 3162240000)],
)
def test_expires_in_is_a_number_or_a_string_of_one(value: object, seconds: float) -> None:
    assert read(token(expires_in=value), now=NOW, about=str).expires_in == seconds
    assert read(token(refresh_in=value), now=NOW, about=str).refresh_in == seconds


NO_SECONDS: list[Any] = [
    *[True, False, 0, -1, -0.5, "0", "-5", "", " ", "soon", "nan", "NaN", "inf", "Infinity", "-inf", "1e999"],
    *[[3599], {"s": 3599}, 10**400, -(10**400), 1e300, 10**4000, "9" * 5000, 3162240001, "0x10", "3599s", "+3599"],
    *["1_000", "\u0663\u0666", "\uff11\uff12", "3599\n", "1e3"],  # float() would take these
    *[1e-9, 0.5, 0.999, "0.999", 5e-324],  # over before it is used; RFC 6749 appendix A.14 has whole seconds
]


def test_a_token_whose_life_is_not_said_is_used_for_five_minutes_and_not_refreshed_in_the_background() -> None:
    """RFC 6749 section 5.1 only recommends the field."""
    for advice in ({}, {"refresh_in": 10}):
        response = read(token(expires_in=None, **advice), now=NOW, about=str)
        assert response.expires_in == DEFAULT_LIFE == 300
        for jitter in (0.0, 1.0):
            due = refresh_on(NOW, response.expires_in, response.refresh_in, jitter)
            assert due == required_on(NOW, response.expires_in) == NOW + 270


@pytest.mark.parametrize("value", NO_SECONDS, ids=lambda value: repr(value)[:20])
def test_an_expires_in_that_is_no_lifetime_makes_the_answer_no_token(value: object) -> None:
    with pytest.raises(ResponseFormatError, match="expires_in is not a number of seconds, one or more"):
        read(token(expires_in=value), now=NOW, about=str)


@pytest.mark.parametrize("value", NO_SECONDS, ids=lambda value: repr(value)[:20])
def test_a_refresh_in_that_is_no_lifetime_is_no_advice(value: object) -> None:
    assert read(token(refresh_in=value), now=NOW, about=str).refresh_in is None


@pytest.mark.parametrize("value", [None, "", " ", "a b", "a\nb", "t\u00f6ken", 7, ["a"], {"a": 1}, True])
def test_an_access_token_that_no_header_can_carry_is_refused_and_not_shown(value: object) -> None:
    with pytest.raises(ResponseFormatError, match="no usable access_token") as caught:
        read(token(access_token=value), now=NOW, about=str)
    assert caught.value.status_code == 200


@pytest.mark.parametrize("value", [None, "", "mac", "pop", "mtls_pop", 7, ["Bearer"]])
def test_another_token_type_than_bearer_is_refused(value: object) -> None:
    with pytest.raises(ResponseFormatError, match="token_type is not Bearer"):
        read(token(token_type=value), now=NOW, about=str)


@pytest.mark.parametrize(
    "response",
    [
        plain(200, b"<html>Sign in to the network</html>", "text/html"),
        plain(200, b""),
        plain(200, b'{"access_token":"' + SECRET.encode()),
        plain(200, b"[1]", "application/json"),
        plain(200, b'"token"', "application/json"),
        plain(200, b"null", "application/json"),
        plain(200, b"\xff\xfe\x00\x01", "application/json"),
        plain(200, b'{"a":"\x80"}', "application/json"),
        plain(200, b"[" * 200_000, "application/json"),
        plain(200, b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "application/json"),
        plain(200, b'{"a":[' + b"[]," * 500 + b"[]]}", "application/json"),
        *[plain(200, BODY % number, "application/json") for number in (b"NaN", b"Infinity", b"-Infinity")],
        # A name twice: proxies, gateways and clients differ in which of the two they believe.
        plain(200, BODY.replace(b"{", b'{"access_token":"other",') % b"3599", "application/json"),
        plain(200, BODY % b'3599,"expires_in":1', "application/json"),
        plain(200, BODY % b'3599,"x":{"y":1,"y":1}', "application/json"),
        # UTF-8 alone (RFC 8259 section 8.1)
        *[plain(200, (BODY % b"3599").decode().encode(name)) for name in ("utf-16", "utf-16-le", "utf-32-be")],
        plain(302, b"", "text/html", location="https://evil.example/"),
        plain(404, b"Not Found"),
        plain(204, b""),
        answer({"access_token": SECRET, "error": None, "token_type": "Bearer", "expires_in": 1}),
        answer({"access_token": SECRET, "token_type": "Bearer", "expires_in": 1}, status=201),
    ],
    ids=lambda response: f"{response.status} {response.body[:20]!r}",
)
def test_what_is_no_token_response_is_described_and_not_repeated(response: Response) -> None:
    with pytest.raises(ResponseFormatError, match="check authority, proxy and firewall") as caught:
        read(response, now=NOW, about=str)
    error = caught.value
    assert error.status_code == response.status
    assert f"HTTP {response.status} with {len(response.body)} bytes" in error.message
    assert "secret" not in error.message
    assert SECRET not in error.message


def test_a_body_of_a_mebibyte_is_read_and_a_longer_one_is_not() -> None:
    document = token().body
    padded = document[:-1] + b" " * (MAX_BODY - len(document)) + b"}"
    assert len(padded) == MAX_BODY
    assert read(Response(200, {}, padded), now=NOW, about=str).expires_in == 3599
    with pytest.raises(ResponseFormatError, match="more than 1048576 bytes"):
        read(Response(200, {}, padded[:-1] + b" }"), now=NOW, about=str)


def test_a_byte_order_mark_is_ignored() -> None:
    assert read(Response(200, {}, b"\xef\xbb\xbf" + BODY % b"3599"), now=NOW, about=str).access_token == SECRET


def test_a_number_of_any_length_is_read_in_no_time_and_believed_in_none_of_its_places() -> None:
    digits = b"9" * 1_000_000
    body = BODY % b'3599,"refresh_in":%b' % digits
    assert read(Response(200, {}, body), now=NOW, about=str).refresh_in is None
    refused = Response(400, {}, b'{"error":"e","error_codes":[7,%b]}' % digits)
    with pytest.raises(AuthenticationError) as caught:
        read(refused, now=NOW, about=str)
    assert caught.value.error_codes == (7,)


@pytest.mark.parametrize("name", ["set-cookie", "authorization", "location", "www-authenticate", "x-anything"])
def test_an_answer_shows_neither_body_nor_token_nor_headers(name: str) -> None:
    shown = repr(answer({"access_token": SECRET}, headers={name: f"a={SECRET}"}))
    assert SECRET not in shown
    assert shown == "Response(status=200)"


def test_a_content_type_is_one_bounded_line_of_the_message() -> None:
    with pytest.raises(AuthenticationError) as caught:
        read(plain(200, b"", "text/html\r\n\x1b[31m" + "x" * 500), now=NOW, about=str)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 300


@pytest.mark.parametrize(("objects", "accepted"), [(500, True), (501, False)])
def test_an_answer_has_five_hundred_objects_at_most(objects: int, accepted: bool) -> None:
    body = BODY % (b'3599,"more":[%b]' % b",".join([b"{}"] * (objects - 2)))
    assert (json_object(body, limit=len(body)) is not None) is accepted
