"""What a caller hands over as a user's assertion: checked, hidden, and judged by its end."""

from __future__ import annotations

import pytest

from azure_certvar_credential._core.user_assertion import user_assertion
from azure_certvar_credential._values import replace
from azure_certvar_credential.exceptions import ConfigurationError, UserAssertionRejectedError
from tests.core.script import NOW, request
from tests.core.users import JWT, USER, jwt_with

BAD_ASSERTIONS = {
    "nothing": "",
    "no token": "hello",
    "with its scheme": f"Bearer {JWT}",
    "two parts": "a.b",
    "six parts": "a.b.c.d.e.f",
    "with a line break": f"{JWT}\n",
    "longer than any header field": JWT + "x" * 65536,
    "bytes": JWT.encode(),
    "none": None,
}


@pytest.mark.parametrize("name", BAD_ASSERTIONS)
def test_what_is_no_users_assertion_is_refused_without_being_repeated(name: str) -> None:
    given = BAD_ASSERTIONS[name]
    error = UserAssertionRejectedError if isinstance(given, str) else ConfigurationError
    with pytest.raises(error, match="user_assertion") as caught:
        user_assertion(given, now=NOW)
    assert JWT not in str(caught.value)


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER "])
def test_the_scheme_before_a_token_is_named(scheme: str) -> None:
    with pytest.raises(UserAssertionRejectedError, match="leave out the scheme"):
        user_assertion(scheme + JWT, now=NOW)


@pytest.mark.parametrize("other", ["Bearer", "Bearer:", "Bearerx ", "earer "])
def test_no_other_beginning_is_taken_for_the_scheme(other: str) -> None:
    with pytest.raises(UserAssertionRejectedError, match="is not a JWT"):
        user_assertion(other + JWT + " ", now=NOW)


def test_a_users_assertion_is_hidden_and_known_by_its_digest() -> None:
    assert JWT not in repr(USER)
    assert JWT not in repr(request(user=USER))
    assert user_assertion(JWT, now=NOW) == USER
    assert user_assertion(JWT + "x", now=NOW) != USER


@pytest.mark.parametrize(
    ("payload", "now", "cacheable"),
    [
        (b'{"exp": 1800000000}', 1800000000 + 299.9, True),
        (b'{"exp": 1800000000}', 1800000000 + 300, False),
        (b'{"exp": 1800000000.5}', 1800000000 + 300, True),
        (b'{"exp": "1900000000"}', NOW, False),
        (b'{"exp": true}', NOW, False),
        (b'{"exp": NaN}', NOW, False),
        (b'{"exp": Infinity}', NOW, False),
        (b'{"exp": 1e999}', NOW, False),
        (b'{"exp": -1e999}', NOW, False),
        (b'{"exp": %b}' % (b"9" * 400), NOW, False),
        (b'{"exp": -%b}' % (b"9" * 400), NOW, False),
        (b'{"exp": %b}' % (b"9" * 4300), NOW, False),
        (b'{"exp": %b}' % (b"9" * 40_000), NOW, False),
        (b'{"exp": %b}' % (b"9" * 20), NOW, False),  # in milliseconds, or made up
        (b'{"exp": [1900000000]}', NOW, False),
        (b'{"exp": 1, "exp": 1900000000}', NOW, False),
        (b'{"exp": 1900000000, "x": {"y": 1, "y": 2}}', NOW, False),
        (b'{"exp": 1900000000, "x": ' + b"[" * 20_000 + b"]" * 20_000 + b"}", NOW, False),
        ('{"exp": 1900000000}'.encode("utf-16"), NOW, False),
        (b"{}", NOW, False),
        (b"[1]", NOW, False),
        (b"\xff", NOW, False),
    ],
    ids=range(22),
)
def test_only_an_assertion_that_says_it_is_valid_is_served_from_the_cache(
    payload: bytes, now: float, cacheable: bool
) -> None:
    assertion = user_assertion(jwt_with(payload), now=now)
    assert assertion.cacheable is cacheable
    assert (request(user=assertion).key == request(user=replace(assertion, cacheable=True)).key) is cacheable


def test_an_encrypted_assertion_is_never_served_from_the_cache() -> None:
    assert not user_assertion("a.b.c.d.e", now=NOW).cacheable
