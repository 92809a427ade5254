"""A known secret is removed in every encoding in which a library may quote it, and nothing else is."""

from __future__ import annotations

import base64
import html
import json
import urllib.parse
from collections.abc import Callable

import pytest

from azure_certvar_credential._secrecy.known_secrets import is_quoted, of_options, userinfo, without_known

SECRETS = ["correct horse", "pä$$wörd/+&'\"<x>", "471100", "Ünïcödé-ßecret", "back\\slash\\n", "päß\u20ac\U0001f511"]
QUOTED: dict[str, Callable[[str], str]] = {
    "plain": str,
    "repr": repr,
    "ascii": ascii,
    "JSON": json.dumps,
    "HTML": html.escape,
    "percent": lambda text: urllib.parse.quote(text, safe=""),
    "form": lambda text: urllib.parse.urlencode({"password": text}),
    "octets": lambda text: repr(text.encode()),
    "hexadecimal": lambda text: text.encode().hex(),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64url": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
}
# What HTTP libraries make of user and password, where Latin-1 has the characters.
LATIN_1: dict[str, Callable[[str], str]] = {
    "octets": lambda text: repr(text.encode("latin-1")),
    "base64": lambda text: base64.b64encode(text.encode("latin-1")).decode(),
}


@pytest.mark.parametrize("name", QUOTED)
@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_removed_however_it_is_quoted(secret: str, name: str) -> None:
    quoted = QUOTED[name](secret)
    text = without_known(f"refused ({quoted}) by the proxy", [secret])
    assert quoted.strip("'\"b=")[-6:] not in text
    assert text.startswith("refused (")
    assert text.endswith(") by the proxy")


@pytest.mark.parametrize("name", LATIN_1)
@pytest.mark.parametrize("secret", SECRETS[:5])
def test_a_secret_is_removed_in_latin_1_as_well(secret: str, name: str) -> None:
    quoted = LATIN_1[name](secret)
    assert quoted.strip("'\"b=") not in without_known(f"Proxy-Authorization: {quoted}", [secret])


@pytest.mark.parametrize(
    "url",
    [
        "http://us%20er:p%C3%A4ss%2Fword@proxy.example:8080",
        "us%20er:p%C3%A4ss%2Fword@proxy.example",
        "socks5://us%20er:p%C3%A4ss%2Fword@[::1]:1080",
    ],
)
def test_the_password_of_a_proxy_is_known_as_it_stands_and_decoded(url: str) -> None:
    found = set(userinfo(url))
    assert {"us%20er:p%C3%A4ss%2Fword", "us er:päss/word", "p%C3%A4ss%2Fword", "päss/word"} <= found
    basic = base64.b64encode("us er:päss/word".encode("latin-1")).decode()
    assert basic not in without_known(f"407 for Basic {basic}", found)


@pytest.mark.parametrize("mark", "#?/\\@ \t\n")
def test_a_password_that_is_not_percent_encoded_is_known_in_pieces(mark: str) -> None:
    url = f"http://user:first-piece{mark}last-piece@proxy.example:8080"
    whole = url.replace(mark, "") if mark in "\t\n" else url
    for quoted in (url, whole, "'user:first-piece' is not a valid host", f"{url!r} is no URL", "last-piece@proxy"):
        text = without_known(f"Failed to parse: {quoted}", userinfo(url))
        assert "piece" not in text


def test_a_header_is_known_whole_and_without_its_scheme() -> None:
    options = {"headers": {"Authorization": "Bearer opaque-7Hk2", "Cookie": b"session=abcdefgh123; a=b"}}
    known = list(of_options(options))
    for quoted in ("Bearer opaque-7Hk2", "token opaque-7Hk2", "session=abcdefgh123; a=b", "id abcdefgh123"):
        assert without_known(f"rejected: {quoted}.", known).replace("token ", "").replace("id ", "") == (
            "rejected: [removed]."
        )


def test_short_values_and_words_of_the_message_stay() -> None:
    text = "the proxy at proxy.example:8080 refused the connection"
    assert without_known(text, ["the", "a", "", "80", "e"]) == text


def test_an_error_is_looked_at_in_all_that_it_holds() -> None:
    error = ValueError("refused", {"pin": "471100"})
    assert is_quoted(error, ["471100"])
    assert not is_quoted(error, ["471101"])
    error = ValueError("refused")
    error.pin = b"471100"  # type: ignore[attr-defined]
    assert is_quoted(error, ["471100"])
