"""What a member makes of a token that another one stored, and of the arguments that turn sharing on."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from azure_certvar_credential._core.effects import Moment, Shared, Sign, Token
from azure_certvar_credential._core.freshness import refresh_on, required_on
from azure_certvar_credential._core.sharing import CLOCK_DIFFERENCE, SEALING_LABEL, Sealer, as_read
from azure_certvar_credential._core.sharing_options import check_sealing, encryption_keys, sharing
from azure_certvar_credential.exceptions import ConfigurationError
from tests.core.certificates import certificate
from tests.core.script import Step, World, drive_sync, flow, load, read_cache
from tests.reporters import assert_reports_none_of

NOW = 1_800_000_000.0


def moment(time: float, jitter: float = 0.0) -> Moment:
    return Moment(time, "jti", "correlation", jitter)


def stored(requested_on: float, life: float) -> Token:
    return Token(
        "secret",
        "Bearer",
        expires_on=requested_on + life,
        refresh_on=refresh_on(requested_on, life, None, 0.0),
        required_on=required_on(requested_on, life),
        requested_on=requested_on,
        generation=1,
    )


@given(
    life=st.floats(60, 90_000),
    age=st.floats(0, 90_000),
    ahead=st.floats(-CLOCK_DIFFERENCE, CLOCK_DIFFERENCE),
    jitter=st.floats(0, 1),
)
def test_a_token_never_seems_younger_than_it_is(life: float, age: float, ahead: float, jitter: float) -> None:
    """Whatever the clocks of the member that stored it and of the one that reads it."""
    assume(abs(ahead) <= life / 12)
    truly_expires_on = NOW + life - age
    read = as_read(stored(NOW - age + ahead, life), moment(NOW, jitter))

    if read is not None:
        assert read.expires_on <= truly_expires_on + 1e-3
        assert read.required_on <= read.expires_on
        assert read.requested_on <= NOW
        assert read.requested_on <= read.refresh_on + 1e-3


@given(life=st.floats(3600, 90_000), jitter=st.floats(0, 1))
def test_a_token_just_stored_is_read_by_a_member_whose_clock_is_five_minutes_off(life: float, jitter: float) -> None:
    for ahead in (-CLOCK_DIFFERENCE, 0.0, CLOCK_DIFFERENCE):
        read = as_read(stored(NOW + ahead, life), moment(NOW, jitter))
        assert read is not None
        assert read.required_on > NOW


def test_a_token_from_the_future_is_not_read() -> None:
    assert as_read(stored(NOW + CLOCK_DIFFERENCE + 1, 3600), moment(NOW)) is None


def test_the_label_is_no_signing_input_of_a_jws() -> None:
    # RFC 7515 section 5.1: two parts in base64url, and a full stop between them.
    assert not re.match(rb"[A-Za-z0-9_-]", SEALING_LABEL)
    assert b"." not in SEALING_LABEL


class Complete:
    """Has the methods of a cache."""

    def get(self) -> None: ...
    def set(self) -> None: ...
    def delete(self) -> None: ...
    def lock(self) -> None: ...
    def unlock(self) -> None: ...


class Incomplete:
    """Lacks two of them."""

    def get(self) -> None: ...
    def set(self) -> None: ...
    def delete(self) -> None: ...


REFUSED: dict[str, tuple[tuple[Any, Any, Any, Any], str]] = {
    "a key without a cache": ((None, bytes(32), False, None), "pass token_cache too"),
    "users without a cache": ((None, None, True, None), "pass token_cache too"),
    "a class": ((Complete, None, False, None), "token_cache must be a cache such as"),
    "a path": (("cache.db", None, False, None), "token_cache must be a cache such as"),
    "methods are missing": ((Incomplete(), None, False, None), "it has no lock, unlock"),
    "a flag as text": ((Complete(), None, "yes", None), "share_user_tokens must be True or False"),
    "a short key": ((Complete(), bytes(16), False, None), "a key is 16 bytes"),
    "a key as text": ((Complete(), "0" * 32, False, None), "not a value of type str"),
    "no key in a list": ((Complete(), [], False, None), "not a value of type list"),
    "text in a list": ((Complete(), ["0" * 32], False, None), "a key is of type str"),
    "no time": ((Complete(), None, False, 0), "more than 0"),
    "a day": ((Complete(), None, False, 86400), "no more than 3600"),
    "text as time": ((Complete(), None, False, "5"), "must be a number of seconds"),
    "a flag as time": ((Complete(), None, False, True), "must be a number of seconds"),
    "not a number": ((Complete(), None, False, float("nan")), "must be a number of seconds"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_argument_that_cannot_work_is_named(case: str) -> None:
    arguments, message = REFUSED[case]
    with pytest.raises(ConfigurationError, match=message) as caught:
        sharing(*arguments)
    assert "0000" not in str(caught.value)


def test_a_key_or_a_list_of_them_is_taken_in_order() -> None:
    old, new = bytes(32), bytearray(b"\x01" * 32)
    assert encryption_keys(None) == ()
    assert encryption_keys(new) == (bytes(new),)
    assert encryption_keys([new, old]) == (bytes(new), old)


def test_without_an_rsa_certificate_a_key_is_needed() -> None:
    derived, given_key = sharing(Complete(), None, False, None), sharing(Complete(), bytes(32), False, None)
    check_sealing(derived, "PS256", None)
    check_sealing(derived, "PS256", certificate(key="RSA"))
    check_sealing(given_key, None, None)
    check_sealing(given_key, "ES256", certificate(key="P-256"))
    with pytest.raises(ConfigurationError, match=r"needs encryption_key here, 32 bytes that.*has no certificate"):
        check_sealing(derived, None, None)
    with pytest.raises(ConfigurationError, match=r"needs encryption_key here.*EC-256, not RSA"):
        check_sealing(derived, "ES256", certificate(key="P-256"))


def test_an_interrupted_acquisition_shows_no_signature_of_the_label() -> None:
    """Who has it can derive the sealing key."""
    signature = "signature of the label"
    world = World(
        read_cache(),
        load(),
        Step(Shared),
        Step(Sign, signature.encode()),
        Step(Shared, KeyboardInterrupt()),
    )
    with pytest.raises(KeyboardInterrupt) as caught:
        drive_sync(flow(token_cache=Complete()), world.perform)

    world.done()
    assert world.asked[-1].question.signature == signature.encode()
    assert_reports_none_of(caught.value, [signature])


def test_the_signature_that_the_sealing_key_comes_from_is_not_shown() -> None:
    assert "derives" not in repr(Shared(Sealer(None, b"derives the key")))
