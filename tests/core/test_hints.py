"""Every code that certificate authentication can meet is explained."""

from __future__ import annotations

import pytest

from azure_certvar_credential._core.hints import (
    CERTIFICATE_CODES,
    CLOCK_CODE,
    HINTS,
    ROTATION_CODES,
    TRANSIENT_CODES,
    USER_HINTS,
    hint_for,
)

# The codes that Entra answers to client credentials, on behalf of and mTLS requests; written out, so that a code which
# is lost from the table is noticed.
CODES = [
    *[700027, 700024, 700023, 700021, 700022, 50048, 90014, 50027, 5002723, 5002738, 1000502, 7000214],
    *[700028, 700029, 700030, 7000216, 7000218, 700016, 7000112, 7000229, 90002, 900023, 900144, 1002012],
    *[70011, 500011, 53003, 50196, 90006, 90024, 90033, 51000, 392200, 392204, 500181, 700211, 700213],
    *[7000274, 7000277, 500131, 500133, 50013, 28000, 50057, 50105, 70043, 530003],
]


@pytest.mark.parametrize("code", CODES)
def test_a_code_has_a_hint_in_sentences(code: int) -> None:
    hint = hint_for([code])
    assert hint == HINTS[code]
    assert hint[0].isupper() or hint.startswith(("tenant_id", "mTLS"))
    assert hint.endswith(".")
    assert "\n" not in hint
    assert "  " not in hint


def test_the_first_code_that_is_known_gives_the_hint() -> None:
    assert hint_for([1, 700016, 90002]) == HINTS[700016]
    assert hint_for([1, 2]) is None
    assert hint_for([]) is None


@pytest.mark.parametrize("code", USER_HINTS)
def test_a_code_that_means_something_else_for_a_user_has_a_hint_of_its_own(code: int) -> None:
    assert hint_for([code], for_user=True) == USER_HINTS[code] != HINTS[code] == hint_for([code])
    assert USER_HINTS[code].endswith(".")


def test_every_other_code_means_the_same_for_a_user() -> None:
    others = HINTS.keys() - USER_HINTS.keys()
    assert {code: hint_for([code], for_user=True) for code in others} == {code: HINTS[code] for code in others}


def test_the_codes_that_are_acted_upon_are_those_of_the_documentation() -> None:
    assert {700027, 700024, 7000214, 1000502, 7000274, 7000277} == ROTATION_CODES
    assert {90006, 90024, 90033} == TRANSIENT_CODES
    assert CLOCK_CODE == 700024
    assert ROTATION_CODES < CERTIFICATE_CODES
    assert set(HINTS) >= CERTIFICATE_CODES | TRANSIENT_CODES


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1002012, "/.default"),
        (700016, "consented"),
        (700024, "clock"),
        (5002738, "PS256"),
        (700030, "send_certificate_chain=True"),
        (90002, "authority"),
    ],
)
def test_a_hint_names_the_remedy(code: int, words: str) -> None:
    assert words in HINTS[code]


@pytest.mark.parametrize(
    ("code", "words", "never"),
    [
        (53003, "blocks the user's sign-in: pass the error's claims to the front end", "Service principal"),
        (50027, "user's assertion is no JWT", "proxy"),
        (28000, "each resource with a get_token of its own", "application"),
        (70043, "sign in again", "application"),
        (70011, "User.Read", "storage"),
    ],
)
def test_a_hint_for_a_user_names_who_mends_it(code: int, words: str, never: str) -> None:
    hint = hint_for([code], for_user=True)
    assert hint is not None
    assert words in hint
    assert never not in hint
