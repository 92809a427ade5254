"""Every code that certificate authentication can meet is explained."""

from __future__ import annotations

import pytest

from azure_certvar_credential._core.exchange import read
from azure_certvar_credential._core.hints import (
    AGENT_HINTS,
    CERTIFICATE_CODES,
    CLOCK_CODE,
    HINTS,
    ROTATION_CODES,
    TRANSIENT_CODES,
    USER_HINTS,
    hint_for,
)
from azure_certvar_credential.exceptions import AuthenticationError, CertificateRejectedError
from azure_certvar_credential.testing.aadsts import AADSTS
from tests.core.responses import aadsts

# The codes that Entra answers to client credentials, on behalf of and mTLS requests; written out, so that a code which
# is lost from the table is noticed.
CODES = [
    *[700027, 700024, 700023, 700021, 700022, 50048, 90014, 50027, 5002723, 5002738, 1000502, 7000214],
    *[700028, 700029, 700030, 7000216, 7000218, 700016, 7000112, 7000229, 90002, 900023, 900144, 1002012],
    *[70011, 500011, 53003, 50196, 90006, 90024, 90033, 51000, 392200, 392204, 500181, 700211, 700213],
    *[7000274, 7000277, 500131, 500133, 50013, 28000, 50057, 50105, 70043, 530003],
    *[700025, 900382, 900432, 90038, 500014, 501051, 7000213, 5002741, 5002730, 50012, 50032, 70002, 7000110, 700011],
    *[70001, 1000031, 90094, 90095, 50059, 50128, 500021, 500022, 100007, 1002016, 90009, 50001, 650052, 650056],
    *[650057, 530032, 90055, 70025, 700212, 700222, 700229, 65001, 50072, 50074, 50076, 50078, 50079, 50158, 50173],
    *[82001, 700005, 700082, 7000114, 240002, 50020, 90072, 50034, 53000, 53001],
]


def test_the_list_has_every_code_once() -> None:
    assert sorted(CODES) == sorted(HINTS)


@pytest.mark.parametrize("code", sorted(AADSTS.keys() & HINTS.keys()))
def test_the_emulator_raises_it_and_the_error_explains_it(code: int) -> None:
    row = AADSTS[code]
    response = aadsts(code, row.error, row.text, status=row.status)
    with pytest.raises(AuthenticationError) as caught:
        read(response, now=0.0, about=lambda: "certificate is X")
    assert caught.value.hint == HINTS[code]
    assert str(caught.value).endswith(f" Hint: {HINTS[code]} (certvar explain {code}).")
    certificate_refused = type(caught.value) is CertificateRejectedError
    assert certificate_refused == (code in CERTIFICATE_CODES)


def test_the_codes_of_users_and_agents_are_among_the_others() -> None:
    assert HINTS.keys() >= USER_HINTS.keys() | AGENT_HINTS.keys()


def test_the_emulator_raises_every_code_that_has_a_hint() -> None:
    assert set(AADSTS) >= HINTS.keys() | USER_HINTS.keys() | AGENT_HINTS.keys()


@pytest.mark.parametrize("code", CODES)
def test_a_code_has_a_hint_in_sentences(code: int) -> None:
    hint = hint_for([code])
    assert hint == HINTS[code]
    assert hint[0].isupper() or hint.startswith(("tenant_id", "client_id", "mTLS"))
    assert hint.endswith(".")
    assert len(hint) < 240
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


@pytest.mark.parametrize("code", AGENT_HINTS)
def test_a_code_that_means_something_else_for_an_agent_has_a_hint_of_its_own(code: int) -> None:
    for for_user in (False, True):
        assert hint_for([code], for_user=for_user, for_agent=True) == AGENT_HINTS[code] != HINTS[code]
    assert AGENT_HINTS[code].endswith(".")
    assert len(AGENT_HINTS[code]) < 240


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
        (700025, "'Allow public client flows'"),
        (900382, "login.microsoftonline.us"),
        (900432, "login.microsoftonline.us"),
        (90038, "login.microsoftonline.us"),
        (500014, "an administrator enables it"),
        (501051, "app roles"),
        (7000213, "intermediate certificates"),
        (5002741, "the token endpoint alone"),
        (5002730, "RSA certificate of 2048 bits"),
        (100007, "leave region out"),
    ],
)
def test_a_hint_names_the_remedy(code: int, words: str) -> None:
    assert words in HINTS[code]


@pytest.mark.parametrize(
    ("code", "words", "never"),
    [
        (53003, "blocks the user's sign-in: pass the error's claims to the front end", "Service principal"),
        (50027, "user's assertion is no JWT", "proxy"),
        (5002730, "access token for this application", "RSA"),
        (28000, "call get_token once for each resource", "application"),
        (70043, "sign in again", "application"),
        (70011, "User.Read", "storage"),
    ],
)
def test_a_hint_for_a_user_names_who_mends_it(code: int, words: str, never: str) -> None:
    hint = hint_for([code], for_user=True)
    assert hint is not None
    assert words in hint
    assert never not in hint
