"""The answers that are refusals: which class, with which attributes, and with nothing that must not be shown."""

from __future__ import annotations

import json
import pickle
import re
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError
from hypothesis import example, given
from hypothesis import strategies as st

from azure_certvar_credential._core.exchange import Response, TokenResponse, read
from azure_certvar_credential._core.hints import HINTS, USER_HINTS
from azure_certvar_credential.exceptions import (
    AuthenticationError,
    CertificateRejectedError,
    InteractionRequiredError,
    ResponseFormatError,
    TemporarilyUnavailableError,
    UserAssertionRejectedError,
)
from tests.core.responses import CORRELATION, TIMESTAMP, TRACE, aadsts, answer, plain

NOW = 1_800_000_000.0
ABOUT = "certificate used has thumbprint 0123ABCD and expires 2031-05-17"


def refusal(response: Response, *, for_user: bool = False) -> AuthenticationError:
    with pytest.raises(AuthenticationError) as caught:
        read(response, now=NOW, about=lambda: ABOUT, for_user=for_user)
    return caught.value


REJECTED, BUSY, REFUSED = CertificateRejectedError, TemporarilyUnavailableError, AuthenticationError
AADSTS: list[tuple[int, str, int, type[AuthenticationError]]] = [
    (700027, "invalid_client", 401, REJECTED),
    (700024, "invalid_client", 401, REJECTED),
    (700023, "invalid_client", 401, REJECTED),
    (700021, "invalid_client", 401, REJECTED),
    (700022, "invalid_client", 401, REJECTED),
    (50048, "invalid_client", 401, REJECTED),
    (90014, "invalid_request", 400, REFUSED),
    (50027, "invalid_request", 400, REFUSED),
    (5002723, "invalid_client", 401, REJECTED),
    (5002738, "invalid_client", 401, REJECTED),
    (1000502, "invalid_client", 401, REJECTED),
    (7000214, "invalid_client", 401, REJECTED),
    (7000274, "invalid_client", 401, REJECTED),
    (7000277, "invalid_client", 401, REJECTED),
    (700028, "invalid_client", 401, REJECTED),
    (700029, "invalid_client", 401, REJECTED),
    (700030, "invalid_client", 401, REJECTED),
    (7000216, "invalid_client", 401, REFUSED),
    (7000218, "invalid_client", 401, REFUSED),
    (700016, "unauthorized_client", 400, REFUSED),
    (7000112, "unauthorized_client", 400, REFUSED),
    (7000229, "unauthorized_client", 400, REFUSED),
    (90002, "invalid_request", 400, REFUSED),
    (900023, "invalid_request", 400, REFUSED),
    (900144, "invalid_request", 400, REFUSED),
    (1002012, "invalid_scope", 400, REFUSED),
    (70011, "invalid_scope", 400, REFUSED),
    (500011, "invalid_resource", 400, REFUSED),
    (53003, "invalid_grant", 400, REFUSED),
    (50196, "invalid_grant", 400, REFUSED),
    (90006, "temporarily_unavailable", 400, BUSY),
    (90024, "temporarily_unavailable", 400, BUSY),
    (90033, "temporarily_unavailable", 400, BUSY),
    (51000, "invalid_request", 412, REFUSED),
    (392200, "invalid_client", 401, REFUSED),
    (392204, "invalid_client", 401, REFUSED),
    (500181, "invalid_client", 401, REFUSED),
    (700211, "invalid_client", 401, REFUSED),
    (700213, "invalid_client", 401, REFUSED),
    (500131, "invalid_grant", 400, REFUSED),
    (500133, "invalid_grant", 400, REFUSED),
    (50013, "invalid_grant", 400, REFUSED),
]


@pytest.mark.parametrize(("code", "name", "status", "kind"), AADSTS, ids=[str(row[0]) for row in AADSTS])
def test_a_code_becomes_its_class_with_every_attribute_and_its_hint(
    code: int, name: str, status: int, kind: type[AuthenticationError]
) -> None:
    error = refusal(aadsts(code, name, status=status))
    assert type(error) is kind
    assert isinstance(error, ClientAuthenticationError)
    assert error.message == str(error)
    assert error.message.startswith(f"AADSTS{code}: What happened. Trace ID: {TRACE}")
    assert error.message.endswith(f"Hint: {HINTS[code]} (certvar explain {code}).")
    assert (ABOUT in error.message) == (kind is not BUSY)
    assert error.status_code == status
    assert error.error_code == name
    assert (error.error, error.model) == (None, None)  # azure-core's, which generic handlers look into
    assert error.error_codes == (code,)
    assert error.hint == HINTS[code]
    assert (error.trace_id, error.correlation_id, error.timestamp) == (TRACE, CORRELATION, TIMESTAMP)
    assert (error.suberror, error.claims, error.retry_after, error.response) == (None, None, None, None)


def test_a_conditional_access_refusal_carries_its_suberror_and_claims_unchanged() -> None:
    claims = '{"access_token":{"capolids":{"essential":true,"values":["cccccccc-0000-0000-0000-000000000003"]}}}'
    error = refusal(aadsts(53003, "invalid_grant", suberror="message_only", claims=claims))
    assert error.suberror == "message_only"
    assert error.claims == claims


@pytest.mark.parametrize("claims", [None, {"a": 1}, 7, ["a"]])
def test_claims_that_are_no_string_are_none(claims: object) -> None:
    assert refusal(aadsts(53003, "invalid_grant", claims=claims)).claims is None


def test_an_error_without_code_or_description_is_that_error() -> None:
    error = refusal(answer({"error": "invalid_client"}, status=401))
    assert type(error) is AuthenticationError
    assert error.message == f"invalid_client. The {ABOUT}."
    assert error.error_code == "invalid_client"
    assert (error.error_codes, error.hint) == ((), None)


def test_an_error_is_a_refusal_whatever_the_status_says() -> None:
    assert refusal(answer({"error": "invalid_client", "access_token": "a"}, status=200)).error_code == "invalid_client"


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (None, ()),
        ("700027", ()),
        (700027, ()),
        ([], ()),
        ([True, None, "700027", 1.5, [1]], ()),
        ([1, 700016], (1, 700016)),
        (list(range(100)), tuple(range(20))),
    ],
)
def test_error_codes_are_the_integers_of_a_list_and_bounded(codes: object, expected: tuple[int, ...]) -> None:
    assert refusal(answer({"error": "x", "error_codes": codes}, status=400)).error_codes == expected


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 599])
@pytest.mark.parametrize(
    "body", [b"Too Many Requests", b"<html>Bad gateway</html>", b"", b"{", b"{}", b'{"error":{"code":"ServerBusy"}}']
)
def test_a_busy_server_is_one_whatever_its_body_is(status: int, body: bytes) -> None:
    error = refusal(plain(status, body, retry_after="60"))
    assert type(error) is TemporarilyUnavailableError
    assert error.status_code == status
    assert error.retry_after == 60
    assert f"HTTP {status}" in error.message
    assert "it asks to wait 60 s" in error.message
    assert ("throttling" if status == 429 else "unavailable") in error.message
    assert error.error_code is None


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_busy_server_that_answers_in_json_is_one_too(status: int) -> None:
    error = refusal(aadsts(50196, "invalid_grant", status=status, headers={"retry-after": "7"}))
    assert type(error) is TemporarilyUnavailableError
    assert (error.retry_after, error.error_codes) == (7, (50196,))
    assert f"{TIMESTAMP}. The server asks to wait 7 s. Hint: " in error.message


def test_temporarily_unavailable_is_believed_without_a_code() -> None:
    assert type(refusal(answer({"error": "temporarily_unavailable"}, status=400))) is TemporarilyUnavailableError


@pytest.mark.parametrize("character", ["\n", "\r\n", "\x1b[31m", "\x00", "\x07", "\u2028", "\u202e", "\ud800", "\x85"])
def test_control_characters_of_the_server_do_not_reach_a_log_or_terminal(character: str) -> None:
    error = refusal(answer({"error": "e", "error_description": f"one{character}two"}, status=400))
    assert error.message.isprintable()
    assert re.fullmatch(rf"one .*two\. The {ABOUT}\.", error.message)


@pytest.mark.parametrize(
    ("code", "name", "kind"),
    [
        (53003, "invalid_grant", InteractionRequiredError),
        (50027, "invalid_request", UserAssertionRejectedError),
        (70011, "invalid_scope", AuthenticationError),
    ],
)
def test_a_refusal_for_a_user_has_the_hint_for_one(code: int, name: str, kind: type[AuthenticationError]) -> None:
    error = refusal(aadsts(code, name), for_user=True)
    assert type(error) is kind
    assert error.hint == USER_HINTS[code]
    assert error.message.endswith(f"The {ABOUT}. Hint: {USER_HINTS[code]} (certvar explain {code}).")


@pytest.mark.parametrize("end", ["", ".", "!", "?", " ", ". ", ".\r\n"])
def test_a_description_ends_before_the_next_sentence_begins(end: str) -> None:
    document = {"error": "invalid_client", "error_description": f"No such client{end}", "error_codes": [700016]}
    error = refusal(answer(document, status=401))
    stop = end.strip() or "."
    assert error.message == f"No such client{stop} The {ABOUT}. Hint: {HINTS[700016]} (certvar explain 700016)."


@pytest.mark.parametrize("status", [503, 404])
def test_a_failure_names_who_answered(status: int) -> None:
    with pytest.raises(AuthenticationError, match=rf"^another server .*HTTP {status}"):
        read(plain(status, b"no"), now=NOW, about=lambda: ABOUT, server="another server")


def test_a_description_is_bounded() -> None:
    error = refusal(answer({"error": "e", "error_description": "word " * 100_000}, status=400))
    assert error.message == "word " * 399 + f"word. The {ABOUT}."


def test_a_refusal_survives_pickling_as_process_pools_do_it() -> None:
    error = refusal(aadsts(700027, "invalid_client", status=401))
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert type(copy) is CertificateRejectedError
    assert str(copy) == str(error)
    assert (copy.error_codes, copy.hint, copy.status_code) == (error.error_codes, error.hint, 401)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NAMES = ["error", "error_description", "error_codes", "suberror", "claims", "correlation_id", "trace_id", "timestamp"]
FIELDS = st.sampled_from([*NAMES, "access_token", "token_type", "expires_in", "refresh_in"])
DOCUMENTS = st.dictionaries(FIELDS, JSON | st.sampled_from(["Bearer", "abc", "3600", 60])) | JSON
BODIES = st.binary() | DOCUMENTS.map(lambda document: json.dumps(document).encode())
HEADER_FIELDS = st.dictionaries(st.sampled_from(["retry-after", "date", "content-type"]), st.text())


@given(
    status=st.sampled_from([200, 400, 401, 429, 500, 503]) | st.integers(100, 999), fields=HEADER_FIELDS, body=BODIES
)
@example(status=200, fields={}, body=b'{"expires_in":1e400,"access_token":"a","token_type":"bearer"}')
@example(status=200, fields={}, body=b"\xef\xbb\xbf{}")
@example(status=400, fields={}, body=b'{"error":"\\ud800"}')
@example(status=400, fields={}, body=b'{"error":"x","error_codes":[' + b"9" * 4000 + b"]}")
def test_no_answer_whatsoever_is_anything_but_a_token_or_an_authentication_error(
    status: int, fields: dict[str, str], body: bytes
) -> None:
    outcome = token_or_error(Response(status, fields, body))
    if isinstance(outcome, TokenResponse):
        assert status == 200
        assert outcome.access_token
        assert outcome.expires_in > 0
        return
    assert type(outcome) in {AuthenticationError, REJECTED, BUSY, ResponseFormatError}
    assert outcome.status_code == status
    assert outcome.message
    assert outcome.message.isprintable()
    assert all(isinstance(code, int) for code in outcome.error_codes)
    assert outcome.retry_after is None or 0 <= outcome.retry_after <= 3600


def token_or_error(response: Response) -> TokenResponse | AuthenticationError:
    try:
        return read(response, now=NOW, about=lambda: ABOUT)
    except AuthenticationError as error:
        return error


def test_the_examples_above_reach_a_token() -> None:
    document: dict[str, Any] = {"access_token": "abc", "token_type": "Bearer", "expires_in": "3600"}
    assert read(answer(document), now=NOW, about=lambda: ABOUT).expires_in == 3600
